//! The scorer with a real ONNX Runtime and a tiny model. Skips where the library is not installed.

mod common;

use std::error::Error;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use common::runtime;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use item::FailureClass;
use score::{Device, MANIFEST_FILE, Runtime, ScoreError, Scorer, ScorerConfig, ScorerModel};

const MANIFEST: &str = include_str!("data/model.toml");
const ONNX: &[u8] = include_bytes!("data/tiny.onnx");

fn tiny(manifest: &str) -> ScorerModel {
    ScorerModel::from_parts(manifest, ONNX).expect("the model of the tests")
}

fn scorer(config: &ScorerConfig) -> Option<Scorer> {
    Some(Scorer::new(&runtime()?, &tiny(MANIFEST), config).expect("the model of the tests"))
}

fn png(colour: [u8; 3], width: u32, height: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let shade = ((x * 7 + y * 13) % 32) as u8;
        Rgb(colour.map(|level| level.saturating_sub(shade)))
    });
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb8(picture)
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
        .expect("encoding to memory");
    bytes
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

#[test]
fn the_score_is_what_the_model_says() {
    let Some(scorer) = scorer(&ScorerConfig::default()) else { return };
    let mut white = Vec::new();
    DynamicImage::ImageRgb8(RgbImage::from_pixel(40, 30, Rgb([255; 3])))
        .write_to(&mut Cursor::new(&mut white), ImageFormat::Png)
        .expect("encoding to memory");
    let score = scorer.score(&[white]).remove(0).expect("a white picture");
    // All channels are 1 after normalisation: 0.5 + 0.3 + 0.2 + 0.25.
    assert!((score.raw - 1.25).abs() < 1e-5, "{score:?}");
    assert!((score.value - 1.0 / (1.0 + (-2.0f64).exp())).abs() < 1e-5, "{score:?}");
    assert_eq!(score.parts.len(), 2);
    assert!((score.parts[0] - 0.5).abs() < 1e-5);
}

#[test]
fn neighbours_do_not_matter() {
    let pngs = [png([250, 20, 60], 64, 200), png([20, 250, 240], 300, 40), b"no picture".to_vec(), png([99; 3], 9, 9)];
    for run_images in [1, 2, 3, 64] {
        let Some(scorer) = scorer(&ScorerConfig { run_images, ..ScorerConfig::default() }) else { return };
        let together = scorer.score(&pngs);
        for (png, together) in pngs.iter().zip(&together) {
            match (scorer.score(&[png]).remove(0), together) {
                (Ok(alone), Ok(together)) => {
                    assert!((alone.value - together.value).abs() < 1e-6, "{alone:?} {together:?}");
                    if run_images == 1 {
                        assert_eq!(&alone, together);
                    }
                }
                (Err(alone), Err(together)) => assert_eq!(&alone, together),
                (alone, together) => panic!("{alone:?} {together:?}"),
            }
        }
        let failure = together[2].as_ref().expect_err("no picture");
        assert_eq!(failure.class, FailureClass::Decode);
        assert!(scorer.score::<Vec<u8>>(&[]).is_empty());
    }
}

#[test]
fn callers_may_share_a_scorer() {
    let Some(scorer) = scorer(&ScorerConfig { threads: 2, ..ScorerConfig::default() }) else { return };
    let picture = png([10, 200, 30], 100, 300);
    let alone = scorer.score(&[&picture]);
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..4).map(|_| scope.spawn(|| scorer.score(&[&picture, &picture]))).collect();
        for handle in handles {
            assert_eq!(handle.join().expect("no panic"), [alone[0].clone(), alone[0].clone()]);
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    let Some(runtime) = runtime() else { return };
    let check = |from: &str, to: &str, message: &str| {
        let manifest = MANIFEST.replacen(from, to, 1);
        assert_ne!(manifest, MANIFEST, "{from}");
        let error = Scorer::new(&runtime, &tiny(&manifest), &ScorerConfig::default()).expect_err(to);
        assert!(chain(&error).contains(message), "{to}: {}", chain(&error));
    };
    check("name = \"pixels\"", "name = \"picture\"", "the graph's inputs are `pixels`, the manifest has `picture`");
    check("name = \"parts\"", "name = \"bits\"", "no output `bits`");
    check("16, 8]", "16, 9]", "the manifest says [-1, 3, 16, 9]");
    check("expect = [-0.1", "expect = [-0.2", "the manifest expects");
    check("mean = [0.5", "mean = [0.6", "the manifest expects");

    let tiles = "[input.tiles]\nname = \"tiles\"\ncount = \"n\"\nshape = [-1, -1, 3, 8, 8]\nresize = \"box\"\ntiles_max = 2\nmean = [0.0, 0.0, 0.0]\nstd = [1.0, 1.0, 1.0]\n\n[output.score]";
    check("[output.score]", tiles, "the graph's inputs are `pixels`, the manifest's `pixels`, `tiles`, `n`");
}

/// The library of the tests is built for the processor alone.
#[test]
fn a_card_that_is_not_there_is_an_error_where_it_was_named_and_passed_over_where_it_was_not() {
    let Some(runtime) = runtime() else { return };
    let scorer = |device| Scorer::new(&runtime, &tiny(MANIFEST), &ScorerConfig { device, ..ScorerConfig::default() });
    for device in [Device::Cuda(0), Device::TensorRt(0)] {
        let error = scorer(device).expect_err("no such provider");
        let text = chain(&error);
        assert!(text.contains(&device.to_string()) && text.contains("libonnxruntime"), "{text}");
    }
    assert_eq!(scorer(Device::Auto).expect("on the processor").device(), Device::Cpu);
}

#[test]
fn models_come_from_folders_too_and_must_be_whole() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let error = ScorerModel::from_folder(folder.path()).expect_err("empty folder");
    assert!(chain(&error).contains("model.toml"), "{}", chain(&error));
    std::fs::write(folder.path().join("model.toml"), MANIFEST).expect("new file");
    let error = ScorerModel::from_folder(folder.path()).expect_err("no weights");
    assert!(chain(&error).contains("tiny.onnx"), "{}", chain(&error));
    std::fs::write(folder.path().join("tiny.onnx"), &ONNX[1..]).expect("new file");
    assert!(matches!(ScorerModel::from_folder(folder.path()), Err(ScoreError::Digest { .. })));
    std::fs::write(folder.path().join("tiny.onnx"), ONNX).expect("new file");
    let model = ScorerModel::from_folder(folder.path()).expect("a whole model");
    assert_eq!(model.fingerprint(), tiny(MANIFEST).fingerprint());
    assert_ne!(model.fingerprint(), tiny(&MANIFEST.replacen("0.4", "0.5", 1)).fingerprint());
}

/// The shipped models are those that their manifests describe, on this machine too.
#[test]
fn shipped_models_pass_their_own_check() {
    let Some(runtime) = runtime() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scorer-models");
    let models = std::fs::read_dir(folder).expect("the folder of models").flatten().map(|entry| entry.path());
    for model in models.filter(|model| model.join(MANIFEST_FILE).exists()) {
        let model = ScorerModel::from_folder(&model).unwrap_or_else(|error| panic!("{}", chain(&error)));
        let scorer = Scorer::new(&runtime, &model, &ScorerConfig::default());
        let scorer = scorer.unwrap_or_else(|error| panic!("{}", chain(&error)));
        let pngs = [png([240; 3], 1280, 3000), png([30, 90, 200], 1280, 800)];
        let together = scorer.score(&pngs);
        for (png, together) in pngs.iter().zip(together) {
            let together = together.expect("a sound picture");
            assert!((0.0..=1.0).contains(&together.value), "{together:?}");
            assert_eq!(scorer.score(&[png]), [Ok(together)]);
        }
    }
}

#[test]
fn a_file_that_is_no_library_is_named() {
    let Some(loaded) = runtime() else { return };
    assert_eq!(Runtime::load(loaded.path()).expect("the same again").path(), loaded.path());
    let version = loaded.version().expect("symbols carry the version");
    assert!(version.starts_with("1."), "{version}");
    assert!(loaded.build_info().contains("Build"), "{}", loaded.build_info());

    let missing = Runtime::load(&PathBuf::from("no/such/libonnxruntime.so")).expect_err("no file");
    assert!(chain(&missing).contains("no/such/libonnxruntime.so"), "{}", chain(&missing));
    let folder = tempfile::tempdir().expect("temporary folder");
    let other = folder.path().join("libonnxruntime.so");
    std::fs::write(&other, "text").expect("new file");
    assert!(matches!(Runtime::load(&other), Err(ScoreError::RuntimeOther { .. })));
}
