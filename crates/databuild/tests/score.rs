//! Scores without a pipeline, states to train and test scorers on, and what a scorer is worth; with the real binary, a real Chrome and
//! a real ONNX Runtime.

mod common;

use std::path::{Path, PathBuf};

use common::{databuild, is_equipped, text};
use serde_json::Value;

struct Sample(tempfile::TempDir);

impl Sample {
    /// A dataset of a part of the sample data.
    fn new() -> Self {
        let sample = Self(tempfile::tempdir().expect("a folder"));
        let store = sample.path("store");
        let store = store.to_str().expect("a plain path");
        let settings = ["--set", "source.sample_share=0.15", "--no-report"];
        run(&[&["run", "pipelines/demo.toml", "--store", store][..], &settings].concat());
        sample
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn states(&self, name: &str) -> PathBuf {
        let (dataset, out) = (self.path("store/dataset/demo"), self.path(name));
        let options = ["--pages", "4", "--damages", "2", "--non-pages", "3", "--css-min", "200"];
        run(&[&["score", "states", word(&dataset), "--out", word(&out)][..], &options].concat());
        out
    }

    /// What `databuild score` says of a path, best first.
    fn scores(&self, path: &Path, more: &[&str]) -> Vec<Value> {
        let sheet = self.path("sheet.html");
        let words = ["score", word(path), "--json", "--sheet", word(&sheet)];
        let lines = run(&[&words[..], more].concat());
        let html = std::fs::read_to_string(&sheet).expect("a sheet");
        let scores: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
        assert_eq!(html.matches("<figure>").count(), scores.len());
        let values: Vec<f64> = scores.iter().filter_map(|one| one["scores"]["score"].as_f64()).collect();
        assert!(values.len() == scores.len() && values.is_sorted_by(|a, b| a >= b), "{values:?}");
        scores
    }
}

fn word(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn run(words: &[&str]) -> String {
    let output = databuild().args(words).output().expect("the binary");
    assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn named(scores: &[Value], name: &str) -> f64 {
    let one = scores.iter().find(|one| one["name"].as_str().is_some_and(|found| found.contains(name)));
    one.and_then(|one| one["scores"]["score"].as_f64()).expect(name)
}

#[test]
fn whatever_has_a_picture_gets_a_score_and_a_scorer_its_figures() {
    if !is_equipped() {
        return;
    }
    let sample = Sample::new();

    // Rows, and the same pages as pictures: what is known of the layout is not known of a picture alone.
    let rows = sample.scores(&sample.path("store/dataset/demo"), &["--limit", "3"]);
    assert_eq!(rows.len(), 3);
    let pages = sample.scores(Path::new("pipelines/sample/sample.warc.gz"), &["--limit", "2"]);
    assert_eq!(pages.len(), 2);

    let states = sample.states("states");
    let again = sample.states("again");
    let bytes = |folder: &Path| std::fs::read(folder.join("states-00000.parquet")).expect("states");
    assert_eq!(bytes(&states), bytes(&again), "the same pages give the same states");

    let json = sample.path("figures.json");
    let table = run(&["score", "eval", word(&states), "--split", "all", "--json", word(&json)]);
    assert!(table.contains("all kinds and severities") && table.contains("bytes per pixel"), "{table}");
    let figures: Value = serde_json::from_str(&std::fs::read_to_string(&json).expect("figures")).expect("own JSON");
    let of = |model: &Value| (model["all"]["value"].as_f64(), model["auc_all"].as_f64());
    // How good it is on four pages is chance; that it knows an error page is not.
    let (pairs, area) = of(&figures["figures"]);
    assert!(pairs.is_some_and(|share| (0.0..=1.0).contains(&share)) && area.is_some_and(|area| area > 0.5), "{table}");
    assert_eq!(figures["baselines"].as_object().map(serde_json::Map::len), Some(5));

    // Pictures: a page that somebody made, above nothing at all.
    let pictures = sample.path("pictures");
    std::fs::create_dir(&pictures).expect("a folder");
    image::RgbImage::from_pixel(1280, 720, image::Rgb([255; 3])).save(pictures.join("blank.png")).expect("a picture");
    std::fs::copy("../../docs/pictures/demo.jpg", pictures.join("page.jpg")).expect("a picture of ours");
    std::fs::write(pictures.join("broken.png"), "no picture").expect("a file");
    let scores = sample.scores(&pictures, &[]);
    assert_eq!(scores.len(), 2);
    assert!(named(&scores, "page.jpg") > named(&scores, "blank.png"), "{scores:?}");
}

#[test]
fn what_cannot_be_scored_is_told() {
    let check = |words: &[&str], told: &str| {
        let output = databuild().args(words).output().expect("the binary");
        assert!(!output.status.success() && text(&output.stderr).contains(told), "{words:?}: {}", text(&output.stderr));
    };
    check(&["score"], "required");
    check(&["score", "picture.png", "--model", "no/such/model"], "no/such/model");
    check(&["score", "picture.png", "--device", "gpu"], "`gpu` is no device");
    if is_equipped() {
        check(&["score", "picture.png", "--device", "cuda:0"], "cuda:0");
        check(&["score", "eval", "no/such/states"], "no/such/states");
    }
}
