//! The committed dataset as the report reads it: what the manifest names, row by row.

use std::path::{Path, PathBuf};

use dataset::{Columns, DatasetError, Manifest, PageRow, ShardFile, ShardReader, Subset};
use item::{ItemId, Loss, Task};

use crate::error::ReportError;

/// Name of the manifest in a dataset's folder.
const MANIFEST: &str = "manifest.json";

/// A dataset's folder and its manifest.
#[derive(Debug)]
pub(crate) struct DatasetFiles {
    folder: PathBuf,
    pub(crate) manifest: Manifest,
}

impl DatasetFiles {
    pub(crate) fn open(folder: &Path) -> Result<Self, ReportError> {
        let path = folder.join(MANIFEST);
        let json = std::fs::read_to_string(&path).map_err(|source| ReportError::Io {
            action: "read",
            path: path.clone(),
            source,
        })?;
        let manifest = Manifest::from_json(&json).map_err(|source| ReportError::Manifest { path, source })?;
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    /// Shards of a subset, by split and number.
    pub(crate) fn shards(&self, subset: Subset) -> impl Iterator<Item = &ShardFile> {
        self.manifest.subsets.get(subset.name()).into_iter().flat_map(|subset| subset.splits.values().flatten())
    }

    /// Shards of the subset of that task.
    pub(crate) fn triple_shards(&self, task: Task) -> Vec<PathBuf> {
        let subset = match task {
            Task::Edit => Subset::Edit,
            Task::Polish => Subset::Polish,
            Task::Preference => Subset::Preference,
        };
        self.shards(subset).map(|shard| self.folder.join(&shard.path)).collect()
    }

    /// Visits every row of `pages` without its heavy columns.
    pub(crate) fn each_page(&self, mut visit: impl FnMut(PageRow)) -> Result<(), DatasetError> {
        for shard in self.shards(Subset::Pages) {
            for row in ShardReader::open(&self.folder.join(&shard.path))?.pages(Columns::LIGHT)? {
                visit(row?);
            }
        }
        Ok(())
    }

    /// Visits the rows of `pages` with those ids, screenshots included, one at a time.
    pub(crate) fn each_picture(&self, ids: &[ItemId], mut visit: impl FnMut(PageRow)) -> Result<(), DatasetError> {
        let columns = Columns { image: true, ..Columns::LIGHT };
        for shard in self.shards(Subset::Pages) {
            let here = |id: &&ItemId| (shard.min_id..=shard.max_id).contains(id);
            let ids: Vec<ItemId> = ids.iter().filter(here).copied().collect();
            if ids.is_empty() {
                continue;
            }
            for row in ShardReader::open(&self.folder.join(&shard.path))?.pages_by_id(&ids, columns)? {
                visit(row?);
            }
        }
        Ok(())
    }

    /// Visits every row of `rejects`.
    pub(crate) fn each_loss(&self, mut visit: impl FnMut(Loss)) -> Result<(), DatasetError> {
        for shard in self.shards(Subset::Rejects) {
            for losses in dataset::rest::read_losses(&self.folder.join(&shard.path))? {
                losses?.into_iter().for_each(&mut visit);
            }
        }
        Ok(())
    }
}
