//! A run as a supervisor sees it: figures for Prometheus while it goes on, and the run record behind it.

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use common::{databuild, is_equipped};

fn get(address: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the run serves");
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n").expect("write");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read");
    answer
}

#[test]
fn a_run_tells_how_it_does_and_what_it_did() {
    if !is_equipped() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = databuild();
    command.args([
        "run",
        "pipelines/demo.toml",
        "--metrics",
        "127.0.0.1:0",
        "--set",
        "source.sample_share=0.1",
        "--store",
    ]);
    let mut child =
        command.arg(folder.path()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let address = lines.by_ref().find_map(|line| {
        let (_, rest) = line.split_once("http://")?;
        Some(rest.split_once("/metrics")?.0.to_owned())
    });
    let address = address.expect("it says where the figures are");
    // The first stage has begun before anything is rendered.
    lines.by_ref().find(|line| line.contains("phase-started"));
    let figures = get(&address);
    assert!(figures.starts_with("HTTP/1.1 200") && figures.contains("application/openmetrics-text"), "{figures}");
    assert!(figures.contains("databuild_units{phase=\"clean\"} 1") && figures.ends_with("# EOF\n"), "{figures}");
    lines.for_each(drop);
    assert!(child.wait().expect("a child").success());

    let record = std::fs::read(folder.path().join("runs/demo/run.json")).expect("a record");
    let record: serde_json::Value = serde_json::from_slice(&record).expect("JSON");
    let about = &record["about"];
    assert!(about["command"].as_array().is_some_and(|words| words.iter().any(|word| word == "--metrics")), "{about}");
    assert_eq!(about["configuration"]["source"]["sample_share"], 0.1);
    assert!(about["machine"]["cores"].as_u64() > Some(0) && about["machine"]["memory_bytes"].as_u64() > Some(0));
    let stages = record["stages"].as_array().expect("stages");
    let render = stages.iter().find(|stage| stage["stage"] == "render").expect("rendered");
    assert!(render["items"].as_u64() > Some(0) && render["busy_ms"].as_u64() > Some(0), "{render}");
}

/// How alike two documents are, a model of pictures included.
fn metrics(one: &str, two: &str) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = [("a.html", one), ("b.html", two)].map(|(name, body)| {
        let path = folder.path().join(name);
        let page = format!("<!doctype html><html><head><title>t</title></head><body>{body}</body></html>");
        std::fs::write(&path, page).expect("a file");
        path
    });
    let mut command = databuild();
    command.arg("metrics").args(&paths).args(["--json", "--embedding", "crates/score/tests/data/embedder/model.toml"]);
    let output = command.output().expect("the binary");
    assert!(output.status.success(), "{}", common::text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn pages_are_compared_by_a_model_of_pictures() {
    if !is_equipped() {
        return;
    }
    let page = "<h1>Harbour</h1><p style='background: teal; color: white'>Boats leave every hour.</p>";
    let same = metrics(page, page);
    assert!((same["embedding"].as_f64().expect("a number") - 1.0).abs() < 1e-6, "{same}");
    let other = metrics(page, "<body style='background: navy'><h2 style='color: gold'>Closed</h2>");
    let embedding = other["embedding"].as_f64().expect("a number");
    assert!((-1.0..0.999).contains(&embedding), "{other}");
    assert!(other["ssim"].as_f64() < same["ssim"].as_f64(), "{other}");
}
