//! A real inference engine with a tiny model of random weights: what it says is noise, and nothing may come of noise but rejections.

mod common;

use std::path::{Path, PathBuf};

use common::{databuild, is_equipped, text};
use serde_json::Value;

/// llama.cpp's server, where `infra/setup.sh --tests` has built it.
#[expect(clippy::print_stdout, reason = "whoever runs the tests wants to know what was not tested")]
fn engine() -> Option<PathBuf> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/llama-server/llama-server");
    let found = built.canonicalize().ok();
    if found.is_none() {
        println!("skipped: there is no `.tools/llama-server/llama-server`; `infra/setup.sh --tests` builds it");
    }
    found.filter(|_| is_equipped())
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

struct Ended {
    gate: serde_json::Map<String, Value>,
    spent: Value,
    edits: u64,
}

/// Runs a few pages of the demo with the engine, started by the run itself.
fn run(store: &Path, start: &str, settings: &[&str]) -> Ended {
    let fixed = [
        "source.sample_share=0.08".to_owned(),
        "synth.vlm.model=tiny".to_owned(),
        format!("synth.vlm.start={}", serde_json::json!(start)),
        "synth.vlm.concurrency=2".to_owned(),
        "synth.vlm.context_tokens=16384".to_owned(),
        "synth.vlm.answer_tokens=200".to_owned(),
        // Some 100 tokens a picture.
        "synth.vlm.picture_pixels=80000".to_owned(),
    ];
    let mut command = databuild();
    command.args(["run", "pipelines/demo.toml", "--quiet", "--store"]).arg(store);
    for setting in fixed.iter().map(String::as_str).chain(settings.iter().copied()) {
        command.args(["--set", setting]);
    }
    let output = command.output().expect("the binary");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let record = json_of(&store.join("runs/demo/run.json"));
    let stages = record["phases"][2]["books"]["stages"].as_array().expect("stages");
    let gate = stages.iter().find(|stage| stage["stage"] == "gate").expect("the gate");
    let rejected = gate["rejected"].as_object().expect("by rule").clone();
    let sum: u64 = rejected.values().filter_map(Value::as_u64).sum();
    assert_eq!(gate["seen"].as_u64(), Some(gate["kept"].as_u64().expect("a count") + sum), "the books of the gate");
    let manifest = json_of(&store.join("dataset/demo/manifest.json"));
    let edits = manifest["subsets"]["edit"]["rows"].as_u64().expect("a count");
    Ended { gate: rejected, spent: record["spent"]["model"].clone(), edits }
}

/// How the engine is started: `{port}` is for the run to fill in.
fn start(engine: &Path, model: &testkit::tiny_vlm::TinyVlm, more: &str) -> String {
    let quoted = |path: &Path| format!("'{}'", path.display());
    format!(
        "{} -m {} --mmproj {} --host 127.0.0.1 --port {{port}} -c 32768 -np 2 -t 2 --alias tiny {more}",
        quoted(engine),
        quoted(&model.text),
        quoted(&model.projector),
    )
}

#[test]
fn noise_is_rejected_and_nothing_is_asked_twice() {
    let Some(engine) = engine() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let model = testkit::tiny_vlm::write(folder.path()).expect("a model");
    let store = folder.path().join("store");
    let settings = ["synth.vlm.drafts=2", "synth.vlm.temperature=1.0"];
    let started = start(&engine, &model, "--no-jinja");
    let Ended { gate, spent, edits } = run(&store, &started, &settings);
    let rejected: u64 = gate.values().filter_map(Value::as_u64).sum();
    assert!(rejected >= 3 && edits == 0, "{gate:?}");
    assert!(spent["requests"].as_u64() >= Some(3) && spent["completion_tokens"].as_u64() > Some(0), "{spent}");

    // The engine is not even started again: a command that cannot run is no trouble.
    let Ended { gate: again, spent, .. } =
        run(&store, "/no/such/engine", &[&settings[..], &["synth.vlm.kept_min=0.4"]].concat());
    assert_eq!((again, spent["requests"].as_u64()), (gate, Some(0)));
}

#[test]
fn even_noise_can_choose_from_a_menu() {
    let Some(engine) = engine() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let model = testkit::tiny_vlm::write(folder.path()).expect("a model");
    let store = folder.path().join("store");
    let settings = ["synth.vlm.propose=menu", "synth.vlm.drafts=0"];
    let Ended { gate, spent, edits } = run(&store, &start(&engine, &model, "--no-jinja"), &settings);
    assert!(edits >= 3, "{edits} edits, {gate:?}, {spent}");
    let verified = databuild().arg("verify").arg(store.join("dataset/demo")).output().expect("the binary");
    assert!(verified.status.success(), "{}{}", text(&verified.stdout), text(&verified.stderr));
}

/// The engine, started by the test; ends with this value.
struct Running(std::process::Child, String);

impl Running {
    fn start(engine: &Path, model: &testkit::tiny_vlm::TinyVlm) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
        let port = free.port().to_string();
        let mut command = std::process::Command::new(engine);
        command.arg("-m").arg(&model.text).arg("--mmproj").arg(&model.projector).args(["--host", "127.0.0.1"]);
        command.args(["--port", port.as_str(), "-c", "32768", "-np", "2", "-t", "2", "--alias", "tiny", "--no-jinja"]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let running = Self(command.spawn().expect("the engine"), format!("http://127.0.0.1:{port}/v1"));
        for _ in 0..600 {
            if std::net::TcpStream::connect(("127.0.0.1", free.port())).is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[test]
fn what_the_engine_does_is_found_out() {
    let Some(engine) = engine() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let model = testkit::tiny_vlm::write(folder.path()).expect("a model");
    let running = Running::start(&engine, &model);
    let checked =
        databuild().args(["vlm", "check", "--url", &running.1, "--model", "tiny"]).output().expect("the binary");
    let said = text(&checked.stdout);
    assert!(checked.status.success(), "{said}{}", text(&checked.stderr));
    for probe in ["text", "picture", "pictures matter", "schema", "token limit", "seed"] {
        let is_well = said.lines().any(|line| line.starts_with(&format!("{probe:<16} yes")));
        assert!(is_well, "{probe}: {said}");
    }
}

#[test]
fn an_engine_that_gives_up_is_asked_again() {
    let Some(engine) = engine() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let model = testkit::tiny_vlm::write(folder.path()).expect("a model");
    // With its default way to read answers the engine ends many of those to schemas with status 500: about every fourth of these.
    let settings = ["source.sample_share=0.2", "synth.vlm.drafts=0", "synth.vlm.temperature=1.0"];
    let Ended { gate, spent, .. } = run(&folder.path().join("store"), &start(&engine, &model, ""), &settings);
    assert!(spent["retries"].as_u64() > Some(0) && spent["requests"].as_u64() > Some(5), "{gate:?}, {spent}");
}
