//! The real pages that tests run on, when they are there.

use std::path::PathBuf;

use clean::{Asset, Assets};
use ingest::{ArchiveReader, AssetIndex, CaptureOutcome, CapturePolicy, CaptureReader, Limits};
use item::Capture;

/// The corpus folder: `DATABUILD_CORPUS`, or where it lies beside the repository.
pub(crate) fn corpus() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus");
    let folder = std::env::var_os("DATABUILD_CORPUS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: there is no corpus at {}", folder.display());
    None
}

/// Every capture of the archives in `folder` whose name starts with `prefix`: address and capture.
pub(crate) fn captures(folder: &str, prefix: &str) -> Vec<(String, Capture)> {
    let Some(corpus) = corpus() else { return Vec::new() };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(corpus.join(folder))
        .expect("a folder of the corpus")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)))
        .filter(|path| path.to_string_lossy().ends_with(".warc.gz"))
        .collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let archive = ArchiveReader::open(&path, Limits::default()).expect("readable archive");
        for outcome in CaptureReader::new(archive, CapturePolicy::default()) {
            if let CaptureOutcome::Capture(item) = outcome.expect("readable archive") {
                found.push((item.head.provenance.url, item.body));
            }
        }
    }
    found
}

/// The assets of the template pages.
pub(crate) struct Archived(AssetIndex);

impl Archived {
    pub(crate) fn open() -> Option<Self> {
        let folder = corpus()?.join("templates");
        let paths = [folder.join("assets-00.warc.gz"), folder.join("assets-01.warc.gz")];
        Some(Self(AssetIndex::build(&paths, Limits::default()).expect("readable archives")))
    }
}

impl Assets for Archived {
    fn get(&self, url: &str) -> Option<Asset> {
        let asset = self.0.get(url).expect("readable archives")?;
        Some(Asset { mime: asset.mime, bytes: asset.bytes })
    }
}
