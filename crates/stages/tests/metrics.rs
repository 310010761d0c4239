//! The metrics against reference values of real pictures and pages; skipped where the corpus is not there.

use std::fs;
use std::path::{Path, PathBuf};

use ingest::{ArchiveReader, CaptureOutcome, CapturePolicy, CaptureReader, Limits};
use serde_json::Value;
use synth::metric::{Picture, ssim, tree_score};

#[expect(clippy::print_stdout, reason = "whoever runs the tests wants to know what was not tested")]
fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("DATABUILD_CORPUS").map_or(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no corpus beside the repository, and DATABUILD_CORPUS names none");
    }
    folder.is_dir().then_some(folder)
}

fn rows(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("the list is there");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn ssim_of_real_pictures() {
    let Some(suites) = corpus().map(|folder| folder.join("suites")) else { return };
    let picture = |name: &Value| {
        let bytes = fs::read(suites.join(name.as_str().expect("a name"))).expect("the picture is there");
        Picture::from_rgb(image::load_from_memory(&bytes).expect("decodes").into_rgb8())
    };
    let pairs = rows(&suites.join("imagemetrics/pairs.jsonl"));
    assert!(pairs.len() > 100, "the suite is whole");
    let mut compared = 0;
    for pair in pairs {
        let (a, b) = (picture(&pair["a"]), picture(&pair["b"]));
        let number = |name: &str| pair[name].as_f64().expect("a number");
        // Decoders of JPEG differ by a shade here and there: then the reference has seen other pictures.
        if (squared_error(&a, &b) - number("mse_sum_channels")).abs() > 1e-6 {
            assert!(pair.to_string().contains(".jpg"), "{pair}: a PNG decodes to other pixels");
            continue;
        }
        let (found, expected) = (ssim(&a, &b).expect("sizes fit"), number("ssim_gaussian_rgb"));
        assert!((found - expected).abs() < 1e-3, "{pair}: {found}");
        compared += 1;
    }
    assert!(compared >= 75, "{compared} pairs compared");
}

/// Mean over the pixels of the squared differences of all channels, values from 0 to 1.
fn squared_error(a: &Picture, b: &Picture) -> f64 {
    let places = (0..a.height()).flat_map(|y| (0..a.width()).map(move |x| (x, y)));
    let error = |(x, y)| {
        let (one, two) = (a.pixel(x, y), b.pixel(x, y));
        one.iter().zip(&two).map(|(one, two)| ((f64::from(*one) - f64::from(*two)) / 255.0).powi(2)).sum::<f64>()
    };
    places.map(error).sum::<f64>() / (f64::from(a.width()) * f64::from(a.height()))
}

/// Pages of which html5lib 1.1, made for an older standard, builds another tree than present browsers: it takes the contents of
/// `template` for children, and closes elements in another order.
const OTHER_TREES: [&str; 4] = [
    "https://www.sheego.de/",
    "https://blog.amp.dev/",
    "https://matrix-free-bootstrap-admin-template.",
    "https://free-bootstrap-admin-template-dream.",
];

#[test]
fn trees_of_real_pages() {
    let Some(corpus) = corpus() else { return };
    let outline = |file: &Value, offset: &Value| {
        let path = corpus.join(file.as_str().expect("a file"));
        let archive =
            ArchiveReader::open_at(path, offset.as_u64().expect("an offset"), Limits::default()).expect("opens");
        let first =
            CaptureReader::new(archive, CapturePolicy::default()).find_map(|outcome| match outcome.expect("reads") {
                CaptureOutcome::Capture(item) => Some(item.body.html),
                _ => None,
            });
        clean::outline(&first.expect("a page stands there")).expect("small enough")
    };
    let pairs = rows(&corpus.join("suites/treebleu/treebleu.jsonl"));
    assert!(pairs.len() > 100, "the suite is whole");
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for pair in &pairs {
        let reference = outline(&pair["ref_file"], &pair["ref_offset"]);
        let candidate = outline(&pair["cand_file"], &pair["cand_offset"]);
        let elements = |tree: &'_ [(String, Option<usize>)]| {
            tree.iter().map(|(tag, parent)| (tag.clone(), *parent)).collect::<Vec<_>>()
        };
        let (reference, candidate) = (elements(&reference), elements(&candidate));
        let found = tree_score(
            reference.iter().map(|(tag, parent)| (tag.as_str(), *parent)),
            candidate.iter().map(|(tag, parent)| (tag.as_str(), *parent)),
        );
        let expected = [&pair["tree_bleu_html5lib"], &pair["tree_rouge_1_html5lib"]]
            .map(|value| value.as_f64().expect("a number"));
        // The list is rounded to six digits.
        let is_other =
            |url: &Value| OTHER_TREES.iter().any(|page| url.as_str().is_some_and(|url| url.starts_with(page)));
        if is_other(&pair["ref"]) || is_other(&pair["cand"]) {
            continue;
        }
        compared += 1;
        if (found.precision - expected[0]).abs() > 1e-6 || (found.recall - expected[1]).abs() > 1e-6 {
            wrong.push(format!("{} / {}: {found:?}, expected {expected:?}", pair["ref"], pair["cand"]));
        }
    }
    assert!(compared >= 150, "{compared} pairs compared");
    assert!(wrong.is_empty(), "{} of {} pairs differ:\n{}", wrong.len(), pairs.len(), wrong.join("\n"));
}
