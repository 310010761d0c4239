//! `databuild verify DATASET`: the proof that image and code belong together.

mod triples;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use dataset::{Columns, Manifest, PageRow, ShardReader};
use item::{ContentHasher, ItemId, Viewport};
use pipeline::{PipelineError, S3Config, S3Place};
use rayon::prelude::*;
use render::{ColorScheme, Farm, FarmConfig, RenderOutcome, RenderPolicy, UnknownFormat, find_chrome};
use store::s3::S3Address;
use store::{LocalPath, Store as _};

use super::Outcome;
use super::pixels::Difference;
use crate::cli::VerifyArgs;
use crate::environment;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Rows that are held at once: a screenshot each.
const ROWS_AT_ONCE: usize = 32;

/// Checks all files of a dataset against its manifest, then renders a sample of its rows again.
pub(crate) fn verify(args: &VerifyArgs, printer: Printer) -> Outcome {
    let folder = local_dataset(&args.dataset)?;
    let manifest = read_manifest(&folder)?;
    manifest.check(&folder).map_err(|error| {
        CommandError::new(ExitStatus::CheckFailed, error)
            .hint("the files are not the ones that the run wrote; run the pipeline again to make them anew")
    })?;
    let sample = sample(&folder, &manifest, args.sample)?;
    let farm = start_farm(args.chrome.as_deref(), args.tabs)?;
    let tally = Tally::default();
    for (shard, ids) in &sample {
        let reader = open(&folder.join(shard))?;
        for ids in ids.chunks(ROWS_AT_ONCE) {
            let rows = reader.pages_by_id(ids, Columns { text: true, image: true, nodes: false });
            let rows: Result<Vec<PageRow>, _> = rows.and_then(Iterator::collect);
            let rows = rows.map_err(|error| CommandError::new(ExitStatus::CheckFailed, error))?;
            render_rows(&farm, &rows, &tally, printer);
        }
    }
    let proven = triples::verify(&folder, &manifest, args.sample, &farm, printer);
    let version = farm.version().to_owned();
    farm.shutdown();
    let checked = sample.iter().map(|(_, ids)| ids.len()).sum();
    tally.conclude(checked, &version, printer)?;
    proven?.conclude(printer)
}

/// A dataset in a folder of this machine: what lies in S3 is fetched, whether it is in a store or was published there.
pub(super) fn local_dataset(place: &Path) -> Result<LocalPath, CommandError> {
    let address = place.to_string_lossy();
    if !S3Address::is_meant(&address) {
        return Ok(LocalPath::in_place(place.to_owned()));
    }
    let environment = environment::read().s3_state;
    let bucket = S3Place::new(&address, &S3Config::default(), Path::new("."), &environment);
    let bucket = bucket.map_err(|error| CommandError::new(ExitStatus::Usage, error))?;
    bucket.reading().and_then(|store| store.local_folder("")).map_err(|error| PipelineError::Store(error).into())
}

pub(super) fn read_manifest(folder: &Path) -> Result<Manifest, CommandError> {
    let path = folder.join("manifest.json");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        CommandError::usage(format!("read `{}`: {error}", path.display()))
            .hint("the argument is the folder of a dataset, as `databuild run` prints it")
    })?;
    Manifest::from_json(&text).map_err(|error| {
        let error = anyhow::Error::from(error).context(format!("understand the manifest `{}`", path.display()));
        CommandError::new(ExitStatus::CheckFailed, error)
    })
}

pub(super) fn open(path: &Path) -> Result<ShardReader, CommandError> {
    ShardReader::open(path).map_err(|error| CommandError::new(ExitStatus::CheckFailed, error))
}

/// Shards with the ids to check. A sample is chosen by hash of the id, so a larger one contains the smaller.
fn sample(folder: &Path, manifest: &Manifest, size: Option<usize>) -> Result<Vec<(String, Vec<ItemId>)>, CommandError> {
    let mut all: Vec<(item::Digest, usize, ItemId)> = Vec::new();
    let shards: Vec<String> =
        manifest.shards().filter(|shard| shard.subset == "pages").map(|shard| shard.path.clone()).collect();
    for (number, shard) in shards.iter().enumerate() {
        let rows = open(&folder.join(shard))?.pages(Columns::LIGHT);
        let rows = rows.map_err(|error| CommandError::new(ExitStatus::CheckFailed, error))?;
        for row in rows {
            let row = row.map_err(|error| CommandError::new(ExitStatus::CheckFailed, error))?;
            let lot = ContentHasher::new("verify").add_bytes(row.id.as_bytes()).finish();
            all.push((lot, number, row.id));
        }
    }
    all.sort_unstable();
    all.truncate(size.unwrap_or(usize::MAX));
    let mut chosen: Vec<(String, Vec<ItemId>)> = shards.into_iter().map(|shard| (shard, Vec::new())).collect();
    for (_, number, id) in all {
        chosen[number].1.push(id);
    }
    chosen.retain(|(_, ids)| !ids.is_empty());
    Ok(chosen)
}

/// A farm of the Chrome that is named, or found.
pub(super) fn start_farm(chrome: Option<&Path>, tabs: Option<usize>) -> Result<Farm, CommandError> {
    let environment = environment::read();
    let missing = |error: anyhow::Error| {
        CommandError::environment(error).hint("`databuild doctor` says which Chrome is missing and how to get it")
    };
    let chrome = find_chrome(chrome, &environment.path).map_err(|error| missing(error.into()))?;
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let mut config = FarmConfig::new(chrome, cores);
    config.sandbox = !environment.is_root;
    if let Some(tabs) = tabs {
        config.browsers = tabs.max(1);
    }
    Farm::start(config).map_err(|error| missing(error.into()))
}

#[derive(Default)]
struct Tally {
    equal: AtomicUsize,
    different: AtomicUsize,
    other_chrome: AtomicUsize,
}

impl Tally {
    fn conclude(&self, checked: usize, version: &str, printer: Printer) -> Outcome {
        let (equal, different) = (self.equal.load(Ordering::Relaxed), self.different.load(Ordering::Relaxed));
        assert_eq!(checked, equal + different, "every sampled row is equal or different");
        printer.data(&format!("{equal} of {checked} rows are pixel-equal"));
        if different == 0 {
            return Ok(());
        }
        let error = anyhow::anyhow!("verify the dataset: {different} of {checked} rows do not render as stored");
        let error = CommandError::new(ExitStatus::CheckFailed, error);
        if self.other_chrome.load(Ordering::Relaxed) == 0 {
            return Err(error);
        }
        Err(error
            .hint(format!("the rows were rendered by another Chrome than this one ({version}) or with other fonts")))
    }
}

fn render_rows(farm: &Farm, rows: &[PageRow], tally: &Tally, printer: Printer) {
    rows.par_iter().for_each(|row| {
        if row.chrome.as_deref().is_some_and(|chrome| chrome != farm.version()) {
            tally.other_chrome.fetch_add(1, Ordering::Relaxed);
        }
        match compare(farm, row) {
            Ok(()) => tally.equal.fetch_add(1, Ordering::Relaxed),
            Err(difference) => {
                printer.note(&format!("{} {}: {difference}", row.id, row.url));
                tally.different.fetch_add(1, Ordering::Relaxed)
            }
        };
    });
}

/// Renders a row's code as it was rendered and compares the pixels; says what differs.
fn compare(farm: &Farm, row: &PageRow) -> Result<(), String> {
    let (Some(text), Some(image)) = (&row.text, &row.image) else {
        return Err("code or screenshot is missing in the row".into());
    };
    let (scheme, format) = (row.color_scheme.as_deref(), row.image_format.as_deref());
    let policy = policy(row.viewport, scheme, row.reduced_motion, format)?;
    compare_pixels(farm, text, image, &policy)
}

/// How a row was rendered.
pub(super) fn policy(
    viewport: Viewport,
    scheme: Option<&str>,
    reduced_motion: Option<bool>,
    format: Option<&str>,
) -> Result<RenderPolicy, String> {
    let format = format.map(str::parse).transpose().map_err(|error: UnknownFormat| error.to_string())?;
    let color_scheme = if scheme == Some(ColorScheme::Dark.name()) { ColorScheme::Dark } else { ColorScheme::Light };
    Ok(RenderPolicy {
        viewport,
        color_scheme,
        reduced_motion: reduced_motion.unwrap_or(true),
        format: format.unwrap_or_default(),
        ..RenderPolicy::accept_all()
    })
}

/// Renders a document as it was rendered, as tall as the stored picture, and compares them pixel by pixel.
fn compare_pixels(farm: &Farm, text: &str, image: &[u8], view: &RenderPolicy) -> Result<(), String> {
    let decode = |picture: &[u8]| image::load_from_memory(picture).map(|image| image.to_rgba8());
    let stored = decode(image).map_err(|error| format!("the stored screenshot does not decode: {error}"))?;
    let height_max = (f64::from(stored.height()) / view.viewport.device_scale_factor).round() as u32;
    let policy = RenderPolicy { height_max, ..view.clone() };
    let rendered = match farm.render(text, &policy) {
        RenderOutcome::Rendered(rendered) => rendered,
        RenderOutcome::Refused(rejection) => return Err(format!("refused: {}", rejection.detail)),
        RenderOutcome::Failed(failure) => return Err(failure.message),
    };
    let again = decode(&rendered.screenshot).map_err(|error| format!("the new screenshot does not decode: {error}"))?;
    if again.dimensions() != stored.dimensions() {
        return Err(format!("the size is {:?}, stored is {:?}", again.dimensions(), stored.dimensions()));
    }
    Difference::between(&stored, &again).map_or(Ok(()), |difference| Err(difference.to_string()))
}
