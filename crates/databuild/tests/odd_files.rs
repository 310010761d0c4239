//! Damaged and unusual archives: a clear message, no panic, no hang.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Reading any of the small files takes milliseconds; this is for a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_mins(1);

#[expect(clippy::disallowed_methods, reason = "tests find the corpus by environment")]
#[expect(clippy::print_stdout, reason = "whoever runs the tests wants to know what was not tested")]
fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let corpus = std::env::var("DATABUILD_CORPUS").map_or(beside, PathBuf::from);
    if corpus.is_dir() {
        return Some(corpus);
    }
    println!("skipped: there is no corpus at {}", corpus.display());
    None
}

#[test]
fn every_odd_file_is_read_or_explained() {
    let Some(corpus) = corpus() else { return };
    let mut files = 0;
    let mut damaged = 0;
    for entry in std::fs::read_dir(corpus.join("odd")).expect("odd/") {
        let path = entry.expect("an entry").path();
        if !path.is_file() {
            continue;
        }
        let started = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_databuild"))
            .args(["inspect", "--json"])
            .arg(&path)
            .output()
            .expect("the binary");
        assert!(started.elapsed() < DEADLINE, "{} took {:?}", path.display(), started.elapsed());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("panicked"), "{}: {said}", path.display());
        assert!(output.status.success(), "{}: {said}", path.display());
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let entry: serde_json::Value = serde_json::from_str(line).expect("JSON lines");
            let has_place = entry["offset"].is_u64();
            let is_explained = entry["type"] != "damage" || entry["damage"].as_str().is_some_and(|why| why.len() > 10);
            assert!(has_place && is_explained, "{}: {line}", path.display());
            damaged += usize::from(entry["type"] == "damage");
        }
        files += 1;
    }
    println!("{files} files, {damaged} damaged places");
    assert!(files > 80 && damaged > 20, "{files} files, {damaged} damaged places");
}
