//! The sink: Parquet shards of the subsets, and their manifest; without what was taken down.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::dataset::{
    DatasetError, FIRST_EDITION, Manifest, RowMark, ShardPolicy, ShardSetWriter, Subset, SubsetManifest, TAKEDOWN,
};
use engine::{Fingerprint, Sink, SinkFile, SinkInput, SinkOutput, SinkWriter, StageBooks, StageError};
use item::{Body, BodyKind, Item, Loss, Provenance, Sample, Sha256Hex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::known::Known;
use crate::takedown::{STAGE, Sieve, TakedownList, Takedowns};

/// Bumped when the same items would give other files.
const VERSION: u32 = 4;
/// Folder of the shards inside the dataset's, as the Hub expects it.
const DATA: &str = "data";
/// Subset whose rows are counted as the dataset's.
const MAIN_SUBSET: &str = "pages";

/// `[dataset]`: how the dataset is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DatasetConfig {
    /// Megabytes of a Parquet file.
    pub shard_mb: u64,
    /// Megabytes of a row group, uncompressed.
    pub row_group_mb: u64,
    /// Rows of a row group at most.
    pub row_group_rows: u64,
}

impl Default for DatasetConfig {
    fn default() -> Self {
        let policy = ShardPolicy::default();
        Self {
            shard_mb: policy.shard_bytes / MB,
            row_group_mb: policy.row_group_bytes / MB,
            row_group_rows: policy.row_group_rows,
        }
    }
}

/// The Hub counts in powers of ten.
const MB: u64 = 1_000_000;

impl DatasetConfig {
    fn policy(&self) -> ShardPolicy {
        ShardPolicy {
            shard_bytes: self.shard_mb * MB,
            row_group_bytes: self.row_group_mb * MB,
            row_group_rows: self.row_group_rows,
        }
    }
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> Sha256Hex {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

/// Writes the dataset.
#[derive(Debug)]
pub struct DatasetSink {
    config: DatasetConfig,
    version: String,
    takes: BodyKind,
    takedowns: Takedowns,
    list: Option<TakedownList>,
    known: Arc<Known>,
}

impl DatasetSink {
    /// A sink of that configuration; `version` is this program's, and stands in the manifest. It takes snapshots, or samples where
    /// triples are made.
    pub fn new(config: DatasetConfig, version: &str, takes: BodyKind) -> Self {
        let (takedowns, known) = (Takedowns::default(), Arc::default());
        Self { config, version: version.to_owned(), takes, takedowns, list: None, known }
    }

    /// Leaves published rows in shards of their own, so that these stay what they are.
    #[must_use]
    pub fn beside(self, known: Arc<Known>) -> Self {
        Self { known, ..self }
    }

    /// Leaves out what is on the list.
    pub fn without(self, list: TakedownList) -> Result<Self, StageError> {
        Ok(Self { takedowns: list.read()?, list: Some(list), ..self })
    }

    /// A row that was taken down while the dataset was written would still be in it.
    fn check_list(&self) -> Result<(), StageError> {
        match &self.list {
            Some(list) if list.read()? != self.takedowns => {
                Err(StageError::plain("write the dataset: rows were taken down since the run began"))
            }
            _ => Ok(()),
        }
    }
}

impl Sink for DatasetSink {
    fn fingerprint(&self) -> Fingerprint {
        let schemas: Vec<Sha256Hex> = Subset::ALL.iter().map(|subset| subset.schema_sha256()).collect();
        let mut settings = serde_json::json!({ "config": self.config, "schemas": schemas, "databuild": self.version });
        if !self.takedowns.is_empty() {
            settings["takedowns"] = self.takedowns.digest().to_string().into();
        }
        if let Some(index) = &self.known.index {
            settings["index"] = index.to_string().into();
        }
        Fingerprint { name: "dataset".into(), version: VERSION, settings }
    }

    fn takes(&self) -> BodyKind {
        self.takes
    }

    fn begin(&self, staging: &Path) -> Result<Box<dyn SinkWriter + '_>, StageError> {
        let editions = Editions { folder: staging.join(DATA), policy: self.config.policy(), writers: BTreeMap::new() };
        let sieve = (!self.takedowns.is_empty()).then(|| Sieve::new(&self.takedowns));
        Ok(Box::new(Writer { sink: self, staging: staging.to_owned(), editions, sieve, seen: 0 }))
    }
}

/// A writer for each edition: rows of two editions share no shard.
struct Editions {
    folder: PathBuf,
    policy: ShardPolicy,
    writers: BTreeMap<u32, ShardSetWriter>,
}

impl Editions {
    fn of(&mut self, edition: u32) -> Result<&mut ShardSetWriter, DatasetError> {
        Ok(match self.writers.entry(edition) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(ShardSetWriter::new(&self.folder, self.policy)?.of_edition(edition)),
        })
    }

    fn finish(mut self) -> Result<BTreeMap<String, SubsetManifest>, DatasetError> {
        // A dataset has all its subsets, also those without rows.
        self.of(FIRST_EDITION)?;
        let mut all: BTreeMap<String, SubsetManifest> = BTreeMap::new();
        for writer in self.writers.into_values() {
            for (name, subset) in writer.finish()? {
                match all.entry(name) {
                    Entry::Occupied(mut earlier) => earlier.get_mut().extend(subset),
                    Entry::Vacant(entry) => drop(entry.insert(subset)),
                }
            }
        }
        Ok(all)
    }
}

struct Writer<'a> {
    sink: &'a DatasetSink,
    staging: PathBuf,
    editions: Editions,
    /// Finds what was taken down; `None` where nothing was.
    sieve: Option<Sieve<'a, Provenance>>,
    seen: u64,
}

impl Writer<'_> {
    fn see(&mut self, mark: impl FnOnce() -> RowMark, provenance: &Provenance) {
        self.seen += 1;
        if let Some(sieve) = &mut self.sieve {
            sieve.see(mark(), provenance.clone());
        }
    }

    /// Has what was taken down left out, puts it into `rejects`, and gives the books of that.
    fn take_down(&mut self) -> Result<Option<StageBooks>, StageError> {
        let Some(sieve) = self.sieve.take() else { return Ok(None) };
        let taken = sieve.finish();
        let mut books = StageBooks::new(STAGE);
        (books.seen, books.kept) = (self.seen, self.seen - taken.len() as u64);
        books.made = books.kept;
        if !taken.is_empty() {
            books.rejected.insert(TAKEDOWN.name.to_owned(), taken.len() as u64);
        }
        for writer in self.editions.writers.values_mut() {
            writer.leave_out(taken.iter().map(|taken| taken.id));
        }
        taken.into_iter().try_for_each(|taken| self.add_loss(taken.into_loss()))?;
        Ok(Some(books))
    }
}

impl SinkWriter for Writer<'_> {
    fn add(&mut self, item: Item) -> Result<(), StageError> {
        let Item { head, body } = item;
        let id = head.id;
        let written = match body {
            Body::Snapshot(body) | Body::Sample(Sample::Page(body)) => {
                let page = Item { head, body };
                self.see(|| RowMark::of_page(&page), &page.head.provenance);
                let edition = self.sink.known.edition_of_page(&id);
                self.editions.of(edition).and_then(|writer| writer.add_page(&page))
            }
            Body::Sample(Sample::Triple(body)) => {
                let triple = Item { head, body: *body };
                let mark = RowMark::of_triple(&triple);
                let edition = self.sink.known.edition_of_triple(&mark.html_sha256);
                self.see(|| mark, &triple.head.provenance);
                self.editions.of(edition).and_then(|writer| writer.add_triple(&triple))
            }
            _ => return Err(StageError::plain(format!("write {id}: it is no snapshot"))),
        };
        written.map_err(|error| StageError::new(format!("write the row of {id}"), error))
    }

    fn add_loss(&mut self, loss: Loss) -> Result<(), StageError> {
        // What was refused is told afresh each time: nobody has to find it where it was.
        let written = self.editions.of(FIRST_EDITION).and_then(|writer| writer.add_loss(&loss));
        written.map_err(|error| StageError::new("write a row of `rejects`", error))
    }

    fn finish(mut self: Box<Self>, input: SinkInput<'_>) -> Result<SinkOutput, StageError> {
        let books = self.take_down()?;
        let mut subsets = self.editions.finish().map_err(|error| StageError::new("finish the shards", error))?;
        self.sink.check_list()?;
        let mut files = Vec::new();
        for shard in subsets.values_mut().flat_map(|subset| subset.splits.values_mut()).flatten() {
            shard.path = format!("{DATA}/{}", shard.path);
            let staged = self.staging.join(&shard.path);
            files.push(SinkFile { staged, name: shard.path.clone(), bytes: shard.bytes });
        }
        let rows = subsets.get(MAIN_SUBSET).map_or(0, |subset| subset.rows);
        let mut manifest = Manifest::new(input.name, subsets);
        manifest.keys = input.fingerprints.iter().map(|f| (f.name.clone(), f.digest().to_string())).collect();
        let mut all = input.books.clone();
        all.stages.extend(books.clone());
        manifest.books = serde_json::to_value(all).map_err(|e| StageError::new("write the books", e))?;
        Ok(SinkOutput { files, manifest: manifest.to_json().into_bytes(), rows, books })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use engine::Books;
    use store::{LocalStore, Store};

    use super::*;

    #[test]
    fn what_is_asked_for_while_the_dataset_is_written_is_not_missed() {
        let folder = tempfile::tempdir().expect("a folder");
        let store: Arc<dyn Store> = Arc::new(LocalStore::open(folder.path().join("store")).expect("a store"));
        let list = TakedownList::new(store, "demo");
        let sink = || DatasetSink::new(DatasetConfig::default(), "0", BodyKind::Snapshot);
        let without = || sink().without(list.clone()).expect("own list");
        let write = |sink: &DatasetSink, ask: &str| {
            let staging = tempfile::tempdir().expect("a folder");
            let writer = sink.begin(staging.path()).expect("a folder of its own");
            let asked = BTreeSet::from([ask.parse().expect("a takedown")]);
            list.add(&asked, "now").expect("room");
            let input = SinkInput { name: "demo", fingerprints: &[], books: &Books::default() };
            writer.finish(input).map(|output| output.books.is_some()).map_err(|error| error.to_string())
        };
        assert_eq!(without().fingerprint(), sink().fingerprint(), "an empty list changes no key");
        let error = write(&without(), "domain a.org").expect_err("it came too late");
        assert!(error.contains("since the run began"), "{error}");
        assert_ne!(without().fingerprint(), sink().fingerprint());
        assert_eq!(write(&without(), "domain a.org"), Ok(true));
    }
}
