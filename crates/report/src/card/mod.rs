//! The dataset card: what a reader has to know before they use the rows, made from the record of the run and the rows themselves.
//!
//! The card is the user's as much as ours. Our parts stand between marks and are made anew each time; what stands outside of
//! them, and the keys of the header that we do not set, stay as they were written.

mod body;
mod config;
mod croissant;
mod header;
mod merge;

use std::collections::BTreeMap;
use std::path::Path;

use dataset::Manifest;
use engine::RunRecord;
use item::ItemId;

pub use config::CardConfig;

use crate::error::ReportError;
use crate::gallery::sample_key;
use crate::losses::Losses;
use crate::numbers::Numbers;
use crate::reader::DatasetFiles;
use crate::thumbnail::Thumbnail;

/// Pictures on the card: two rows of three.
const PICTURES: usize = 6;

/// What a card is made from.
#[derive(Debug)]
pub struct CardInput<'a> {
    /// What the run did.
    pub record: &'a RunRecord,
    /// Folder of the committed dataset, with its manifest.
    pub dataset: &'a Path,
    /// Meaning of each rule by its name.
    pub rules: &'a BTreeMap<String, String>,
    /// What the user says of the dataset.
    pub config: &'a CardConfig,
    /// The digest of each hash list and index that pages were compared with, by its place in the pipeline file.
    pub compared_with: &'a [String],
}

/// A card, with what it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    header: Vec<(&'static str, String)>,
    title: String,
    blocks: Vec<Block>,
    /// Croissant metadata (JSON-LD), for `croissant.json`.
    pub croissant: String,
    /// Pictures by their names beside the card (JPEG).
    pub pictures: Vec<(String, Vec<u8>)>,
}

/// One of our parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) name: &'static str,
    pub(crate) text: String,
}

/// Everything that the parts of a card are made from.
struct Facts<'a> {
    input: &'a CardInput<'a>,
    manifest: &'a Manifest,
    numbers: Numbers,
    losses: Losses,
    /// Uncompressed bytes of each subset and split.
    raw_bytes: BTreeMap<(String, String), u64>,
    /// Names of the pictures, each with the domain that it shows.
    pictures: Vec<(String, String)>,
}

impl Card {
    /// Reads the light columns of all rows, and the pictures of a few.
    pub fn make(input: &CardInput<'_>) -> Result<Self, ReportError> {
        let files = DatasetFiles::open(input.dataset)?;
        let numbers = Numbers::collect(&files)?;
        let losses = Losses::collect(&files, input.record)?;
        let mut raw_bytes = BTreeMap::new();
        for shard in files.manifest.shards() {
            let summary = dataset::FileSummary::read(&input.dataset.join(&shard.path))?;
            let bytes: u64 = summary.row_groups.iter().map(|group| group.uncompressed_bytes).sum();
            *raw_bytes.entry((shard.subset.clone(), shard.split.clone())).or_default() += bytes;
        }
        let chosen = pictures(&files, &numbers)?;
        let named = chosen.iter().map(|(name, domain, _)| (name.clone(), domain.clone())).collect();
        let facts = Facts { input, manifest: &files.manifest, numbers, losses, raw_bytes, pictures: named };
        Ok(Self {
            header: header::keys(&facts),
            title: input.config.title_or(&files.manifest.name).to_owned(),
            blocks: body::blocks(&facts),
            croissant: croissant::text(&facts),
            pictures: chosen.into_iter().map(|(name, _, jpeg)| (name, jpeg)).collect(),
        })
    }

    /// The whole `README.md`: ours, with what the user wrote into the one that stands at the target.
    pub fn text(&self, old: Option<&str>) -> String {
        merge::merged(&self.header, &self.title, &self.blocks, old)
    }
}

/// A fair sample of the rows' screenshots, made small, with their names and domains.
fn pictures(files: &DatasetFiles, numbers: &Numbers) -> Result<Vec<(String, String, Vec<u8>)>, ReportError> {
    let mut ids: Vec<ItemId> = numbers.ranked.iter().map(|row| row.id).collect();
    ids.sort_unstable_by_key(sample_key);
    ids.truncate(PICTURES);
    let mut found = Vec::new();
    files.each_picture(&ids, |row| {
        let jpeg = row.image.and_then(|png| Thumbnail::jpeg(&png));
        found.extend(jpeg.map(|(jpeg, _)| (format!("card/{}.jpg", row.id), row.domain, jpeg)));
    })?;
    found.sort();
    Ok(found)
}
