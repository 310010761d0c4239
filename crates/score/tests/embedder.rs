//! The embedder with a real ONNX Runtime and a tiny model; what it should say was worked out by Pillow and numpy, see
//! `data/make_embedder.py`. Skips where the library is not installed.

mod common;

use std::error::Error;
use std::io::Cursor;

use common::runtime;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use item::FailureClass;
use score::{Embedder, EmbedderModel, ScoreError, ScorerModel, cosine};
use serde_json::Value;

const MANIFEST: &str = include_str!("data/embedder/model.toml");
const ONNX: &[u8] = include_bytes!("data/embedder/model.onnx");
const EXPECTED: &str = include_str!("data/embedder/expected.json");

/// Of the length of a vector. Pillow and the resize here round some levels to the other side; those move a vector by less
/// than this, and anything else in the way of a picture that is wrong by more.
const TOLERANCE: f64 = 1e-3;

fn embedder(manifest: &str) -> Option<Embedder> {
    let model = EmbedderModel::from_parts(manifest, ONNX).expect("the model of the tests");
    Some(Embedder::new(&runtime()?, &model, 1).unwrap_or_else(|error| panic!("{}", chain(&error))))
}

/// The manifest of the tests with one thing changed.
fn changed(from: &str, to: &str) -> String {
    let manifest = MANIFEST.replacen(from, to, 1);
    assert_ne!(manifest, MANIFEST, "{from}");
    manifest
}

fn expected() -> Value {
    serde_json::from_str(EXPECTED).expect("JSON that Python wrote")
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

/// The pictures that the expected vectors are of.
fn pictures() -> Vec<RgbImage> {
    let picture = |form: &Value| {
        let form = numbers(form).into_iter().map(|number| number as u32).collect::<Vec<_>>();
        let [width, height, across, down, channel] = form[..] else { panic!("{form:?}") };
        let level = |x, y, c| ((x * across + y * down + c * channel) % 256) as u8;
        RgbImage::from_fn(width, height, |x, y| Rgb([0, 1, 2].map(|c| level(x, y, c))))
    };
    expected()["pictures"].as_array().expect("a list").iter().map(picture).collect()
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// How far a vector is from the expected one, at its worst number.
fn worst(vector: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(vector.len(), expected.len());
    let length = expected.iter().map(|number| number * number).sum::<f64>().sqrt();
    vector.iter().zip(expected).map(|(&a, b)| (f64::from(a) - b).abs() / length).fold(0.0, f64::max)
}

#[test]
fn vectors_are_those_of_pillow_and_numpy() {
    let pictures = pictures();
    let check = |manifest: &str, way: &str, what: &str| {
        let Some(embedder) = embedder(manifest) else { return };
        let expected = &expected()["ways"][way][what];
        for (index, picture) in pictures.iter().enumerate() {
            let vector = embedder.embed(picture).expect("a sound picture");
            let worst = worst(&vector, &numbers(&expected[index]));
            assert!(worst < TOLERANCE, "{way} {what}, picture {index}: off by {worst}");
        }
    };
    let (dino, stretch) = (
        changed("short_side = 32", "short_side = 37"),
        changed("fit = \"centre-crop\"\nshort_side = 32", "fit = \"stretch\""),
    );
    check(MANIFEST, "clip", "vectors");
    check(&dino, "dino", "vectors");
    check(&stretch, "stretch", "vectors");
    // Their expectation is of another output.
    let with_token = |manifest: &str| {
        let head = manifest.split("[output.embedding]").next().expect("all before the outputs");
        format!("{head}[output.embedding]\nname = \"last_hidden_state\"\ntoken = 1\n")
    };
    check(&with_token(MANIFEST), "clip", "token_1");
    check(&with_token(&dino), "dino", "token_1");
}

#[test]
fn another_way_of_the_picture_shows() {
    let picture = &pictures()[2];
    let expected = numbers(&expected()["ways"]["clip"]["vectors"][2]);
    let check = |from: &str, to: &str| {
        let Some(embedder) = embedder(&changed(from, to)) else { return };
        let worst = worst(&embedder.embed(picture).expect("a sound picture"), &expected);
        assert!(worst > 10.0 * TOLERANCE, "{to}: off by {worst} only");
    };
    check("\"bicubic\"", "\"bilinear\"");
    check("\"bicubic\"", "\"lanczos\"");
    check("short_side = 32", "short_side = 33");
    check("short_side = 32\n", "# as much as fits\n");
}

#[test]
fn cosines_are_those_of_the_reference() {
    let Some(embedder) = embedder(MANIFEST) else { return };
    let vectors: Vec<_> = pictures().iter().map(|picture| embedder.embed(picture).expect("a sound picture")).collect();
    for (a, row) in expected()["ways"]["clip"]["cosines"].as_array().expect("a list").iter().enumerate() {
        for (b, expected) in numbers(row).into_iter().enumerate() {
            let actual = cosine(&vectors[a], &vectors[b]);
            assert!((actual - expected).abs() < TOLERANCE, "pictures {a} and {b}: {actual}, expected {expected}");
        }
        assert!((cosine(&vectors[a], &vectors[a]) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn a_screenshot_is_embedded_as_its_pixels() {
    let Some(embedder) = embedder(MANIFEST) else { return };
    for picture in pictures() {
        let mut png = Vec::new();
        DynamicImage::ImageRgb8(picture.clone())
            .write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
            .expect("encoding to memory");
        assert_eq!(embedder.embed_encoded(&png), embedder.embed(&picture));
    }
    let failure = embedder.embed_encoded(b"no picture").expect_err("no picture");
    assert_eq!(failure.class, FailureClass::Decode);
    let failure = embedder.embed(&RgbImage::new(0, 5)).expect_err("no pixels");
    assert_eq!(failure.class, FailureClass::Limit);
}

#[test]
fn what_gives_no_embedding_is_refused() {
    let Some(runtime) = runtime() else { return };
    let check = |from: &str, to: &str, message: &str| {
        let error = EmbedderModel::from_parts(&changed(from, to), ONNX)
            .and_then(|model| Embedder::new(&runtime, &model, 1))
            .expect_err(to);
        assert!(chain(&error).contains(message), "{to}: {}", chain(&error));
    };
    let score = "[output.score]\nhigher_is_better = true";
    check("[output.embedding]", score, "`output.embedding` is missing: this model gives no embedding");
    check("sha256 = \"", "sha256 = \"0", "64 hex digits");
    check(
        "name = \"pixel_values\"",
        "name = \"pixels\"",
        "the graph's inputs are `pixel_values`, the manifest has `pixels`",
    );
    check("name = \"image_embeds\"", "name = \"pooler\"", "the graph has no output `pooler`");
    check(
        "name = \"image_embeds\"",
        "name = \"last_hidden_state\"",
        "output `last_hidden_state` has shape [1, 16, 6] for 1 pictures, where an embedding has [N, K]",
    );
    check(
        "name = \"image_embeds\"",
        "name = \"image_embeds\"\ntoken = 0",
        "output `image_embeds` has shape [1, 10] for 1 pictures, where an embedding has [N, tokens, K] with a token 0",
    );
    check("name = \"image_embeds\"", "name = \"last_hidden_state\"\ntoken = 16", "with a token 16");
    check("[-1, 3, 32, 32]", "[-1, 3, 12, 12]", "tiny-embedder");
    check("expect = [", "expect = [9.0, ", "the manifest expects 9");
    check("mean = [0.4", "mean = [0.6", "the manifest expects");
    check("fit =", "colour = \"bgr\"\nfit =", "the manifest expects");
}

#[test]
fn models_come_from_files_and_must_be_whole() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let manifest = folder.path().join("clip.toml");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("new file");
    let refused = || EmbedderModel::from_file(&manifest).expect_err("not whole");
    assert!(chain(&refused()).contains("clip.toml"), "{}", chain(&refused()));
    write("clip.toml", MANIFEST.as_bytes());
    assert!(chain(&refused()).contains("model.onnx"), "{}", chain(&refused()));
    write("model.onnx", &ONNX[1..]);
    assert!(matches!(refused(), ScoreError::Digest { .. }));
    assert!(refused().to_string().contains("use model tiny-embedder: the ONNX file has SHA-256"), "{}", refused());
    write("model.onnx", ONNX);
    let model = EmbedderModel::from_file(&manifest).expect("a whole model");
    assert_eq!(model.manifest().name, "tiny-embedder");

    let error = ScorerModel::from_parts(MANIFEST, ONNX).expect_err("no scorer");
    assert!(error.to_string().contains("`output.score` is missing: this model gives no score"), "{error}");
}
