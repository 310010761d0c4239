//! What the last run of a pipeline left behind: its record, its dataset, its losses. Needs no Chrome and no model.

use std::path::PathBuf;
use std::sync::Arc;

use dataset::{Columns, Manifest, PageRow, ShardFile, ShardReader, Subset};
use engine::RunRecord;
use item::{ItemId, Loss};
use store::Store;

use super::{load, verify};
use crate::cli::FileArgs;
use crate::error::CommandError;
use crate::exit::ExitStatus;

pub(super) struct Finished {
    pub(super) store: Arc<dyn Store>,
    pub(super) record: RunRecord,
    pub(super) folder: PathBuf,
    pub(super) manifest: Manifest,
}

fn broken(error: impl Into<anyhow::Error>) -> CommandError {
    CommandError::new(ExitStatus::CheckFailed, error)
}

impl Finished {
    pub(super) fn open(args: &FileArgs) -> Result<Self, CommandError> {
        let loaded = load(args)?;
        let store = pipeline::open_store(&loaded)?;
        let name = &loaded.file.run.name;
        let record = engine::last_record(store.as_ref(), name)?.ok_or_else(|| {
            CommandError::usage(format!("look at the last run of `{name}`: it has not been run yet"))
                .hint("`databuild run` comes first")
        })?;
        let folder = PathBuf::from(store.location()).join(&record.dataset.folder);
        let manifest = verify::read_manifest(&folder)?;
        Ok(Self { store, record, folder, manifest })
    }

    /// The shards of a subset.
    pub(super) fn shards(&self, subset: Subset) -> impl Iterator<Item = &ShardFile> {
        self.manifest.subsets.get(subset.name()).into_iter().flat_map(|subset| subset.splits.values().flatten())
    }

    /// The shards of `pages`.
    pub(super) fn page_shards(&self) -> impl Iterator<Item = &ShardFile> {
        self.shards(Subset::Pages)
    }

    /// Every page that is not in the dataset, by id.
    pub(super) fn each_loss(&self, mut visit: impl FnMut(Loss)) -> Result<(), CommandError> {
        for shard in self.shards(Subset::Rejects) {
            for losses in dataset::rest::read_losses(&self.folder.join(&shard.path)).map_err(broken)? {
                losses.map_err(broken)?.into_iter().for_each(&mut visit);
            }
        }
        Ok(())
    }

    /// Every row of the dataset, without its heavy columns.
    pub(super) fn each_row(&self, mut visit: impl FnMut(&ShardFile, PageRow)) -> Result<(), CommandError> {
        for shard in self.shards(Subset::Pages) {
            for row in self.open_shard(shard)?.pages(Columns::LIGHT).map_err(broken)? {
                visit(shard, row.map_err(broken)?);
            }
        }
        Ok(())
    }

    /// One row, whole.
    pub(super) fn row(&self, id: ItemId) -> Result<Option<PageRow>, CommandError> {
        for shard in self.shards(Subset::Pages).filter(|shard| (shard.min_id..=shard.max_id).contains(&id)) {
            let mut rows = self.open_shard(shard)?.pages_by_id(&[id], Columns::ALL).map_err(broken)?;
            if let Some(row) = rows.next() {
                return row.map(Some).map_err(broken);
            }
        }
        Ok(None)
    }

    fn open_shard(&self, shard: &ShardFile) -> Result<ShardReader, CommandError> {
        ShardReader::open(&self.folder.join(&shard.path)).map_err(broken)
    }
}
