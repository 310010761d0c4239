//! From a run to its report: read the rows once for numbers, choose, read the chosen ones for pictures, write.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use engine::RunRecord;
use item::ItemId;

use crate::error::ReportError;
use crate::gallery::Galleries;
use crate::html;
use crate::losses::Losses;
use crate::numbers::Numbers;
use crate::reader::DatasetFiles;
use crate::thumbnail::PictureBudget;
use crate::triples;

/// Gives the screenshots (PNG) of those of the items that have one.
pub type Pictures<'a> = dyn Fn(&[ItemId]) -> BTreeMap<ItemId, Bytes> + 'a;

/// What a report is made from.
pub struct ReportInput<'a> {
    /// What the run did.
    pub record: &'a RunRecord,
    /// Folder of the committed dataset, with its manifest.
    pub dataset: &'a Path,
    /// Meaning of each rule by its name.
    pub rules: &'a BTreeMap<String, String>,
    /// Screenshots of items that were lost after they had been rendered; may know none. Asked for a few dozen at a time.
    pub pictures: &'a Pictures<'a>,
}

impl std::fmt::Debug for ReportInput<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReportInput").field("dataset", &self.dataset).finish_non_exhaustive()
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportSummary {
    /// Rows that the numbers are of.
    pub rows: u64,
    /// Rows of `rejects` that the numbers are of.
    pub losses: u64,
    /// Cards in the galleries.
    pub cards: usize,
    /// Cards with a picture.
    pub pictures: usize,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Writes the report to the file `out`; its folder is created. A reader sees the old report or the new one, never half
/// of one.
pub fn write_report(input: &ReportInput<'_>, out: &Path) -> Result<ReportSummary, ReportError> {
    let files = DatasetFiles::open(input.dataset)?;
    let numbers = Numbers::collect(&files)?;
    let losses = Losses::collect(&files, input.record)?;
    let mut budget = PictureBudget::default();
    let galleries = Galleries::fill(&files, &numbers, &losses, input.pictures, &mut budget)?;
    let triples = triples::collect(&files, &mut budget)?;
    let page = html::page(input, &files, &numbers, &losses, &galleries, &triples);
    publish(page.as_bytes(), out)?;
    Ok(ReportSummary {
        rows: numbers.rows,
        losses: losses.rows,
        cards: galleries.cards().count(),
        pictures: galleries.cards().filter(|card| card.picture.is_some()).count(),
        bytes: page.len() as u64,
    })
}

/// Writes the page beside its place and moves it there: nobody opens half of it.
pub(crate) fn publish(page: &[u8], out: &Path) -> Result<(), ReportError> {
    let io = |action| move |source| ReportError::Io { action, path: out.to_owned(), source };
    if let Some(folder) = out.parent() {
        fs::create_dir_all(folder).map_err(io("create the folder of"))?;
    }
    let partial = out.with_extension("html.partial");
    fs::write(&partial, page).and_then(|()| fs::rename(&partial, out)).map_err(io("write"))
}
