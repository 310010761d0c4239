//! Triples of the sample data, from the run to the export, with the real binary and a real Chrome.

mod common;

use std::path::Path;

use common::{databuild, is_equipped, text};

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

#[test]
fn triples_are_made_proven_again_and_exported() {
    if !is_equipped() {
        return;
    }
    let store = tempfile::tempdir().expect("a folder");
    let place = store.path().to_str().expect("a plain path");
    let run = [
        "run",
        "pipelines/demo.toml",
        "--quiet",
        "--store",
        place,
        "--set",
        "source.sample_share=0.3",
        "--set",
        "synth.edits=1",
        "--set",
        "synth.polishes=1",
    ];
    let output = databuild().args(run).output().expect("the binary");
    assert!(output.status.success(), "{}", text(&output.stderr));

    let dataset = store.path().join("dataset/demo");
    let manifest = json(&dataset.join("manifest.json"));
    let rows = |subset: &str| manifest["subsets"][subset]["rows"].as_u64().expect("a count");
    let (pages, edits, polishes) = (rows("pages"), rows("edit"), rows("polish"));
    assert!(pages >= 5, "{pages} pages");
    assert!(edits * 10 >= pages * 7 && polishes * 10 >= pages * 7, "{pages} pages, {edits} edits, {polishes} drafts");

    // What was tried and refused stands in the books of the gate.
    let record = json(&store.path().join("runs/demo/run.json"));
    let gate = &record["phases"][2]["books"]["stages"][1];
    assert_eq!(gate["stage"], "gate");
    let rejected: u64 =
        gate["rejected"].as_object().expect("by rule").values().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(gate["seen"].as_u64(), Some(gate["kept"].as_u64().expect("a count") + rejected));

    let folder = dataset.to_str().expect("a plain path");
    let verified = databuild().args(["verify", folder, "--sample", "12"]).output().expect("the binary");
    assert!(verified.status.success(), "{}{}", text(&verified.stdout), text(&verified.stderr));
    assert!(text(&verified.stdout).contains("triples are proven again"), "{}", text(&verified.stdout));

    let out = store.path().join("chat");
    let exported = databuild()
        .args(["export", folder, out.to_str().expect("a plain path"), "--format", "openai"])
        .output()
        .expect("the binary");
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    let lines: usize =
        text(&exported.stdout).lines().filter_map(|line| line.split(' ').next()?.parse::<usize>().ok()).sum();
    assert_eq!(lines as u64, pages + edits + polishes);

    let report = std::fs::read_to_string(store.path().join("runs/demo/report.html")).expect("the report");
    assert!(report.contains("id=\"triples\""), "the report shows triples");
}
