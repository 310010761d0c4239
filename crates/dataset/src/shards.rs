//! Shards of the published subsets.
//!
//! Rows may come in any order. They are spooled, sorted by id, and cut into row groups and files by their sizes, so the
//! bytes of the files depend on the set of rows and the policy alone.
//!
//! Three things go on at once: rows are read and turned into columns ([`crate::runs`]), columns are encoded on all cores
//! ([`crate::encoder`]), and what is encoded is hashed and written ([`crate::shard_files`]). What they hold is bounded: some runs,
//! and two row groups.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use item::{Item, ItemId, Loss, Snapshot, Triple};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::column::{Layout, Table};
use crate::cutter::{Cut, Cutter};
use crate::error::{self, DatasetError};
use crate::features;
use crate::loss::REJECTS;
use crate::manifest::SubsetManifest;
use crate::pages::{self, PAGES};
use crate::runs::Runs;
use crate::schema::{Subset, Written};
use crate::shard_files::Place;
use crate::spool::Spool;
use crate::triples;

/// Sizes of shards and of what they are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShardPolicy {
    /// A shard is closed before it would grow beyond this; what `datasets` itself writes.
    pub shard_bytes: u64,
    /// Most bytes of a row group, uncompressed: what one worker of a data loader has to hold.
    pub row_group_bytes: u64,
    /// Most rows of a row group: what the Hub's viewer reads for one page of rows.
    pub row_group_rows: u64,
}

impl Default for ShardPolicy {
    fn default() -> Self {
        Self { shard_bytes: 500_000_000, row_group_bytes: 100_000_000, row_group_rows: 1000 }
    }
}

/// The edition of what was never published before.
pub const FIRST_EDITION: u32 = 1;

const fn first_edition() -> u32 {
    FIRST_EDITION
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_first_edition(edition: &u32) -> bool {
    *edition == FIRST_EDITION
}

/// One finished shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShardFile {
    /// Path below the dataset's folder: `pages/train-00000-0123456789abcdef.parquet`.
    pub path: String,
    /// Subset that the rows belong to.
    pub subset: String,
    /// Split that the rows belong to.
    pub split: String,
    /// Edition that the rows belong to: 1, or more where shards were published before these rows came.
    #[serde(default = "first_edition", skip_serializing_if = "is_first_edition")]
    pub edition: u32,
    /// Number of rows.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: item::Sha256Hex,
    /// The first row's id; ids ascend.
    #[schemars(with = "String")]
    pub min_id: ItemId,
    /// The last row's id.
    #[schemars(with = "String")]
    pub max_id: ItemId,
}

/// Takes the rows of all subsets and makes their shards.
#[derive(Debug)]
pub struct ShardSetWriter {
    folder: PathBuf,
    policy: ShardPolicy,
    edition: u32,
    /// Spools; removed when the writer is dropped, finished or not.
    spool_folder: TempDir,
    spools: BTreeMap<(Subset, String), Spool>,
    left_out: BTreeSet<ItemId>,
}

impl ShardSetWriter {
    /// Shards will stand below `folder`, which is created. Spools lie there too, so that only one disk needs room: twice the
    /// size of the rows.
    pub fn new(folder: &Path, policy: ShardPolicy) -> Result<Self, DatasetError> {
        fs::create_dir_all(folder).map_err(error::io("create", folder))?;
        let spool_folder =
            tempfile::Builder::new().prefix(".spool-").tempdir_in(folder).map_err(error::io("create", folder))?;
        Ok(Self {
            folder: folder.to_owned(),
            policy,
            edition: FIRST_EDITION,
            spool_folder,
            spools: BTreeMap::new(),
            left_out: BTreeSet::new(),
        })
    }

    /// The rows are those of that edition: they share no shard with rows of another one.
    #[must_use]
    pub const fn of_edition(mut self, edition: u32) -> Self {
        self.edition = edition;
        self
    }

    /// Rows of these ids are not written, in whatever subset they stand; `rejects`, which has no content, keeps them. The shards
    /// are cut as if they were.
    pub fn leave_out(&mut self, ids: impl IntoIterator<Item = ItemId>) {
        self.left_out.extend(ids);
    }

    /// Adds a row of `pages`; its split is the attribute of that name, or `train`.
    pub fn add_page(&mut self, page: &Item<Snapshot>) -> Result<(), DatasetError> {
        self.add(Subset::Pages, &PAGES, pages::split_of(page), page.head.id, page)
    }

    /// Adds a row of `edit`, `polish` or `preference`; its split is that of its page.
    pub fn add_triple(&mut self, triple: &Item<Triple>) -> Result<(), DatasetError> {
        let (subset, table) = triples::table(triple.body.task);
        self.add(subset, table, triples::split_of(triple), triple.head.id, triple)
    }

    /// Adds a row of `rejects`, which has one split.
    pub fn add_loss(&mut self, loss: &Loss) -> Result<(), DatasetError> {
        self.add(Subset::Rejects, &REJECTS, pages::DEFAULT_SPLIT, loss.id, loss)
    }

    fn add<R>(
        &mut self,
        subset: Subset,
        table: &Table<R>,
        split: &str,
        id: ItemId,
        row: &R,
    ) -> Result<(), DatasetError> {
        let number = self.spools.len();
        let key = (subset, split.to_owned());
        let spool = match self.spools.entry(key) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(Spool::create(self.spool_folder.path().join(format!("{number}.rows")))?)
            }
        };
        spool.push(id, table.cells(row))
    }

    /// Writes the shards. Every subset is in the answer, also one without rows: it has no files then.
    pub fn finish(mut self) -> Result<BTreeMap<String, SubsetManifest>, DatasetError> {
        let mut subsets: BTreeMap<String, SubsetManifest> = Subset::ALL
            .into_iter()
            .map(|subset| (subset.name().to_owned(), SubsetManifest::empty(subset.schema_sha256())))
            .collect();
        for ((subset, split), mut spool) in std::mem::take(&mut self.spools) {
            spool.sort()?;
            for (subset, shards) in self.write(subset, &split, &spool)? {
                if let Some(manifest) = subsets.get_mut(subset.name())
                    && !shards.is_empty()
                {
                    manifest.add_split(&split, shards);
                }
            }
        }
        Ok(subsets)
    }

    /// Writes all that is made of a spool's rows, in one pass over them.
    fn write(&self, rows: Subset, split: &str, spool: &Spool) -> Result<Vec<(Subset, Vec<ShardFile>)>, DatasetError> {
        let none = BTreeSet::new();
        let spooled = rows.layout();
        let with_layout = |written: Written| {
            let layout = written.subset.layout();
            (written, layout)
        };
        let written: Vec<(Written, Layout)> = rows.written().into_iter().map(with_layout).collect();
        let cuts: Vec<Cut<'_>> = written
            .iter()
            .map(|(written, layout)| Cut {
                place: Place {
                    folder: &self.folder,
                    split,
                    edition: self.edition,
                    layout,
                    metadata: vec![("huggingface".to_owned(), features::huggingface(layout))],
                },
                policy: self.policy,
                left_out: if written.subset == Subset::Rejects { &none } else { &self.left_out },
                spool,
                spooled: &spooled,
                takes: written.takes.clone(),
            })
            .collect();
        thread::scope(|scope| {
            let runs = Runs::new(spool, 0, &spooled, self.folder.join(rows.name()))?.ahead(scope);
            let mut cutters = cuts.iter().map(|cut| Cutter::new(scope, cut)).collect::<Result<Vec<_>, _>>()?;
            for run in runs {
                let run = run?;
                cutters.iter_mut().try_for_each(|cutter| cutter.take(&run))?;
            }
            let shards = cutters.into_iter().map(Cutter::finish).collect::<Result<Vec<_>, _>>()?;
            Ok(written.iter().map(|(written, _)| written.subset).zip(shards).collect())
        })
    }
}
