//! Renders captured pages with their assets, and the same pages cleaned, and says how many pixels and bytes differ.
//!
//! `cargo run --release -p stages --example prove -- [OPTION...] PAGES.warc.gz... [-- ASSETS.warc.gz...]`
//!
//! - `--level LEVEL`: only that level; all of them by default
//! - `--images placeholder|inline`, `--fonts installed|inline`: what becomes of assets, in the original too
//! - `--width PX`: of the viewport, 1280 by default
//! - `--step N`: every Nth page only
//! - `--keep DIR`: writes both documents and screenshots of pages that differ there
//! - `--rows FILE`: a JSON line for each page and level
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use clean::{Asset, Assets, CleanPolicy, FontPolicy, ImagePolicy, Level, clean_at, original};
use ingest::{ArchiveReader, AssetIndex, CaptureOutcome, CapturePolicy, CaptureReader, Limits};
use item::{Capture, Verdict};
use render::{Farm, FarmConfig, RenderOutcome, RenderPolicy, find_chrome};
use synth::metric::Picture;

/// Share of differing pixels up to which two screenshots count as equal.
const TOLERANCE: f64 = 0.001;

struct Options {
    levels: Vec<Level>,
    policy: CleanPolicy,
    width: u32,
    step: usize,
    keep: Option<PathBuf>,
    rows: Option<PathBuf>,
    pages: Vec<PathBuf>,
    assets: Vec<PathBuf>,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        levels: Level::ALL.to_vec(),
        // Everything is kept, so that the proof is of all pages, and pictures are as large as they are.
        policy: CleanPolicy {
            unwanted: Vec::new(),
            text_chars_min: 0,
            html_bytes_min: 0,
            html_bytes_max: usize::MAX,
            inline_image_bytes_max: 4 << 20,
            ..CleanPolicy::default()
        },
        width: 1280,
        step: 1,
        keep: None,
        rows: None,
        pages: Vec::new(),
        assets: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    let mut are_assets = false;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--level" => {
                let name = value()?;
                options.levels = Level::ALL.into_iter().filter(|level| level.name() == name).collect();
            }
            "--images" => {
                options.policy.images =
                    if value()? == "inline" { ImagePolicy::Inline } else { ImagePolicy::Placeholder };
            }
            "--fonts" => {
                options.policy.fonts = if value()? == "inline" { FontPolicy::Inline } else { FontPolicy::Installed };
            }
            "--width" => options.width = value()?.parse()?,
            "--step" => options.step = value()?.parse()?,
            "--keep" => options.keep = Some(value()?.into()),
            "--rows" => options.rows = Some(value()?.into()),
            "--" => are_assets = true,
            file if are_assets => options.assets.push(file.into()),
            file => options.pages.push(file.into()),
        }
    }
    Ok(options)
}

struct Indexed(AssetIndex);

impl Assets for Indexed {
    fn get(&self, url: &str) -> Option<Asset> {
        let asset = self.0.get(url).ok().flatten()?;
        Some(Asset { mime: asset.mime, bytes: asset.bytes })
    }
}

/// What came of one page at one level.
struct Row {
    url: String,
    level: Level,
    outcome: Outcome,
}

enum Outcome {
    Compared { differing: f64, bytes_before: usize, bytes_after: usize },
    Other(String),
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    let assets = Indexed(AssetIndex::build(&options.assets, Limits::default())?);
    let mut captures = Vec::new();
    for path in &options.pages {
        let archive = ArchiveReader::open(path, Limits::default())?;
        for outcome in CaptureReader::new(archive, CapturePolicy::default()) {
            if let CaptureOutcome::Capture(item) = outcome? {
                captures.push((item.head.provenance.url, item.body));
            }
        }
    }
    let captures: Vec<_> = captures.into_iter().step_by(options.step).collect();
    let path_var = std::env::var_os("PATH").unwrap_or_default();
    let profiles = tempfile::tempdir()?;
    let mut config = FarmConfig::new(find_chrome(None, &path_var)?, 2);
    config.sandbox = false;
    config.profile_root = Some(profiles.path().to_owned());
    let farm = Farm::start(config)?;

    let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((index, (url, capture))) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    captures.get(index).map(|capture| (index, capture))
                } {
                    let found = prove(index, url, capture, &options, &assets, &farm);
                    rows.lock().expect("whole").extend(found.into_iter().map(|row| (index, row)));
                }
            });
        }
    });
    farm.shutdown();
    let mut rows = rows.into_inner()?;
    rows.sort_by_key(|(index, row)| (*index, row.level));
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    if let Some(path) = &options.rows {
        std::fs::write(path, rows.iter().map(json_line).collect::<String>())?;
    }
    for level in options.levels {
        report(level, &rows);
    }
    Ok(())
}

fn prove(index: usize, url: &str, capture: &Capture, options: &Options, assets: &Indexed, farm: &Farm) -> Vec<Row> {
    let mut policy = RenderPolicy { html_bytes_max: 64 << 20, ..RenderPolicy::accept_all() };
    policy.viewport.width = options.width;
    let shot = |html: &str| match farm.render(html, &policy) {
        RenderOutcome::Rendered(rendered) => Picture::from_encoded(&rendered.screenshot)
            .map(|picture| (picture, rendered.screenshot))
            .map_err(|error| error.to_string()),
        RenderOutcome::Refused(rejection) => Err(rejection.rule.name.to_owned()),
        RenderOutcome::Failed(failure) => Err(failure.message),
    };
    let before = original(capture, url, &options.policy, assets);
    let expected = shot(&before.html);
    let small =
        CleanPolicy { images: ImagePolicy::Placeholder, fonts: FontPolicy::Installed, ..options.policy.clone() };
    let outcome = |level: Level| {
        let html = match clean_at(level, capture, url, &options.policy, assets) {
            Verdict::Keep(kept) => kept.body.html,
            Verdict::Reject(rejection) => return Outcome::Other(format!("rejected: {}", rejection.rule.name)),
            other => return Outcome::Other(format!("{other:?}")),
        };
        // Code is counted without pictures, as it is by default.
        let bytes_after = match clean_at(level, capture, url, &small, assets) {
            Verdict::Keep(kept) => kept.body.html.len(),
            _ => html.len(),
        };
        match (&expected, shot(&html)) {
            (Ok(expected), Ok(found)) => {
                let differing = expected.0.differing(&found.0);
                if differing > TOLERANCE
                    && let Some(folder) = &options.keep
                {
                    let name = |what: &str| folder.join(format!("{index:05}-{}-{what}", level.name()));
                    let written = std::fs::write(name("before.html"), &before.html)
                        .and_then(|()| std::fs::write(name("after.html"), &html));
                    let pictures = std::fs::write(name("before.png"), &expected.1)
                        .and_then(|()| std::fs::write(name("after.png"), &found.1));
                    if written.is_err() || pictures.is_err() {
                        println!("{url}: could not be written to {}", folder.display());
                    }
                }
                Outcome::Compared { differing, bytes_before: before.source_bytes, bytes_after }
            }
            (Err(error), _) => Outcome::Other(format!("original: {error}")),
            (_, Err(error)) => Outcome::Other(format!("cleaned: {error}")),
        }
    };
    options.levels.iter().map(|&level| Row { url: url.to_owned(), level, outcome: outcome(level) }).collect()
}

fn json_line(row: &Row) -> String {
    let mut line = format!("{{\"url\":{:?},\"level\":\"{}\"", row.url, row.level.name());
    let written = match &row.outcome {
        Outcome::Compared { differing, bytes_before, bytes_after } => {
            write!(line, ",\"differing\":{differing},\"bytes_before\":{bytes_before},\"bytes_after\":{bytes_after}")
        }
        Outcome::Other(why) => write!(line, ",\"why\":{why:?}"),
    };
    written.expect("a string takes all");
    line + "}\n"
}

fn report(level: Level, rows: &[Row]) {
    let of_level = || rows.iter().filter(|row| row.level == level);
    let (mut differing, mut ratios) = (Vec::new(), Vec::new());
    for row in of_level() {
        match &row.outcome {
            Outcome::Compared { differing: share, bytes_before, bytes_after } => {
                differing.push(*share);
                ratios.push(*bytes_after as f64 / *bytes_before as f64);
                if *share > TOLERANCE {
                    println!("  {} {:.4} of the pixels differ: {}", level.name(), share, row.url);
                }
            }
            Outcome::Other(why) => println!("  {} {why}: {}", level.name(), row.url),
        }
    }
    differing.sort_by(f64::total_cmp);
    ratios.sort_by(f64::total_cmp);
    let within = |limit: f64| differing.iter().filter(|share| **share <= limit).count();
    println!(
        "{}: {} pages, {} compared; identical {}, within 0.1 % {} ({:.1} %), within 1 % {}, within 5 % {}",
        level.name(),
        of_level().count(),
        differing.len(),
        within(0.0),
        within(TOLERANCE),
        100.0 * within(TOLERANCE) as f64 / differing.len().max(1) as f64,
        within(0.01),
        within(0.05),
    );
    let at = |share: f64| ratios.get(((ratios.len().max(1) - 1) as f64 * share) as usize).copied().unwrap_or_default();
    println!(
        "{}: bytes after / before: p10 {:.3}, p25 {:.3}, median {:.3}, p75 {:.3}, p90 {:.3}, most {:.3}",
        level.name(),
        at(0.1),
        at(0.25),
        at(0.5),
        at(0.75),
        at(0.9),
        at(1.0),
    );
}
