//! Pages to render: a folder of HTML files, or the captures of a WARC file, cleaned as a run cleans them.

use std::path::{Path, PathBuf};

use clean::{CleanPolicy, NoAssets, clean};
use ingest::{ArchiveReader, CaptureOutcome, CapturePolicy, CaptureReader, Limits};
use item::{Capture, Item, Verdict};

use crate::error::CommandError;

/// A page and where it is from.
pub(super) struct NamedPage {
    /// File or URL.
    pub(super) name: String,
    pub(super) html: String,
}

/// At most `limit` pages, spread evenly over what is there.
pub(super) fn cleaned(path: &Path, limit: Option<usize>) -> Result<Vec<NamedPage>, CommandError> {
    let policy = CleanPolicy::default();
    let cleaned = |item: Item<Capture>| match clean(&item.body, &item.head.provenance.url, &policy, &NoAssets) {
        Verdict::Keep(kept) => Some(kept.body.html),
        _ => None,
    };
    read(path, limit, cleaned)
}

/// The same, but of WARC files the captures as they are.
pub(super) fn captured(path: &Path, limit: Option<usize>) -> Result<Vec<NamedPage>, CommandError> {
    read(path, limit, |item| Some(item.body.html))
}

fn read(
    path: &Path,
    limit: Option<usize>,
    html: impl Fn(Item<Capture>) -> Option<String>,
) -> Result<Vec<NamedPage>, CommandError> {
    let pages = if path.is_dir() { of_folder(path, limit)? } else { of_warc(path, html)? };
    let pages = spread(pages, limit);
    if pages.is_empty() {
        return Err(CommandError::usage(format!("find pages in `{}`: there are none", path.display()))
            .hint("give a folder of .html files, or a WARC file"));
    }
    Ok(pages)
}

fn of_folder(folder: &Path, limit: Option<usize>) -> Result<Vec<NamedPage>, CommandError> {
    let list = std::fs::read_dir(folder).map_err(CommandError::environment)?;
    let mut paths: Vec<PathBuf> = list.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "html"));
    paths.sort();
    let read = |path: &PathBuf| {
        let html = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
        Ok::<_, std::io::Error>(NamedPage { name: path.display().to_string(), html })
    };
    let pages: Result<_, _> = spread(paths, limit).iter().map(read).collect();
    pages.map_err(CommandError::environment)
}

fn of_warc(path: &Path, html: impl Fn(Item<Capture>) -> Option<String>) -> Result<Vec<NamedPage>, CommandError> {
    let archive = ArchiveReader::open(path, Limits::default()).map_err(CommandError::environment)?;
    let mut pages = Vec::new();
    for outcome in CaptureReader::new(archive, CapturePolicy::default()) {
        if let CaptureOutcome::Capture(item) = outcome.map_err(CommandError::environment)? {
            let name = item.head.provenance.url.clone();
            pages.extend(html(*item).map(|html| NamedPage { name, html }));
        }
    }
    Ok(pages)
}

fn spread<T>(all: Vec<T>, limit: Option<usize>) -> Vec<T> {
    let step = limit.map_or(1, |limit| all.len() / limit.max(1)).max(1);
    all.into_iter().step_by(step).take(limit.unwrap_or(usize::MAX)).collect()
}
