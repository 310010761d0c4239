//! The built-in scorer says here what it says in Python, on pictures of every shape; from the encoded picture on, so that decoding,
//! resizing, tiling and the graph are all compared. Skips where ONNX Runtime is not installed.

mod common;

use std::path::{Path, PathBuf};

use common::runtime;
use score::{Look, Scorer, ScorerConfig, ScorerModel};
use serde_json::Value;

/// Difference of raw scores at most.
const DIFFERENCE_MAX: f64 = 1e-3;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scorer-models/quality")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().map(|number| number.as_f64().unwrap_or(f64::NAN)).collect()
}

#[test]
fn scores_are_those_of_training() {
    let Some(runtime) = runtime() else { return };
    let model = ScorerModel::from_folder(&folder()).expect("the built-in model");
    let scorer = Scorer::new(&runtime, &model, &ScorerConfig::default()).expect("a scorer");
    let text = std::fs::read_to_string(folder().join("parity/parity.json")).expect("what training wrote");
    let parity: Value = serde_json::from_str(&text).expect("JSON");
    let features: Vec<f32> = numbers(&parity["features"]).into_iter().map(|number| number as f32).collect();
    let pictures = parity["pictures"].as_array().expect("pictures");
    assert!(pictures.len() >= 8, "shapes of every kind");
    for picture in pictures {
        let file = picture["file"].as_str().expect("a file");
        let png = std::fs::read(folder().join("parity").join(file)).expect("a picture");
        for (name, features) in [("bare", &[][..]), ("with features", &features)] {
            let look = Look { screenshot: &png, features };
            let score = scorer.score_looks(&[look]).remove(0).expect("a score");
            let expected = picture[name]["score"].as_f64().expect("a number");
            let difference = (score.raw - expected).abs();
            assert!(difference <= DIFFERENCE_MAX, "{file} {name}: {} is {difference} off", score.raw);
            for (part, raw) in score.parts.iter().zip(numbers(&picture[name]["parts"])) {
                let expected = 1.0 / (1.0 + (-raw).exp());
                assert!((part - expected).abs() <= DIFFERENCE_MAX, "{file} {name}: part {part}, {expected} expected");
            }
        }
    }
}
