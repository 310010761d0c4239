//! SIGKILL at moments that chance gives, triples and two processes included: the dataset is the undisturbed one, byte by byte.
//!
//! `DATABUILD_KILLS` says how often (a few by default), `DATABUILD_KILLS_FILE` in which pipeline file (the demo's by default).

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{databuild, is_equipped, text};
use item::{ContentHasher, Digest};

#[expect(clippy::disallowed_methods, reason = "whoever wants more kills says so in the environment")]
fn wished(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn command(store: &Path) -> Command {
    let file = wished("DATABUILD_KILLS_FILE").unwrap_or_else(|| "pipelines/demo.toml".to_owned());
    let mut command = databuild();
    command.args(["run", &file, "--quiet", "--no-report", "--set", "synth.edits=1", "--set", "synth.polishes=1"]);
    if file == "pipelines/demo.toml" {
        command.args(["--set", "source.sample_share=0.3"]);
    }
    command.arg("--store").arg(store).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn finish(child: Child) {
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// Digests of every file of the datasets in a store.
fn digests(store: &Path) -> BTreeMap<String, Digest> {
    let mut found = BTreeMap::new();
    let mut folders = vec![store.join("dataset")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(store).expect("below it").to_string_lossy().into_owned();
                found.insert(name, Digest::of(&std::fs::read(&path).expect("a file")));
            }
        }
    }
    found
}

/// A share of something, 0 to 1, the same in every run of the test.
fn chance(number: u64) -> f64 {
    let digest = ContentHasher::new("kill").add_u64(number).finish();
    f64::from(u16::from_be_bytes([digest.as_bytes()[0], digest.as_bytes()[1]])) / f64::from(u16::MAX)
}

#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bytes() {
    if !is_equipped() {
        return;
    }
    let kills: u64 = wished("DATABUILD_KILLS").and_then(|kills| kills.parse().ok()).unwrap_or(6);
    let quiet = tempfile::tempdir().expect("a folder");
    let started = Instant::now();
    finish(command(quiet.path()).spawn().expect("the binary"));
    let whole = started.elapsed();
    let expected = digests(quiet.path());
    assert!(expected.len() > 4, "{expected:?}");

    let (mut killed, mut finished) = (0, 0);
    while killed < kills {
        let store = tempfile::tempdir().expect("a folder");
        loop {
            let mut child = command(store.path()).spawn().expect("the binary");
            if killed < kills {
                std::thread::sleep(Duration::from_millis(20) + whole.mul_f64(0.4 * chance(killed)));
            }
            let is_over = killed == kills || child.try_wait().expect("a child").is_some();
            if is_over {
                finish(child);
                break;
            }
            child.kill().expect("it runs");
            child.wait().expect("it ends");
            killed += 1;
        }
        finished += 1;
        assert_eq!(digests(store.path()), expected, "after {killed} kills");
    }
    println!("{killed} kills in {finished} runs, each of {} ms undisturbed", whole.as_millis());
}

#[test]
fn two_processes_share_one_store() {
    if !is_equipped() {
        return;
    }
    let (alone, shared) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    finish(command(alone.path()).spawn().expect("the binary"));
    let both: Vec<Child> = (0..2).map(|_| command(shared.path()).spawn().expect("the binary")).collect();
    both.into_iter().for_each(finish);
    assert_eq!(digests(shared.path()), digests(alone.path()));
}
