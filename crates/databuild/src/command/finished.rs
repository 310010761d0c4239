//! What the last run of a pipeline left behind: its record, its dataset, its losses. Needs no Chrome and no model.

use std::sync::Arc;

use dataset::{Columns, Manifest, PageRow, ShardFile, ShardReader, Subset};
use engine::RunRecord;
use item::{ItemId, Loss};
use store::{BlobName, LocalPath, Store};

use super::load;
use crate::cli::FileArgs;
use crate::environment;
use crate::error::CommandError;
use crate::exit::ExitStatus;

pub(super) struct Finished {
    pub(super) store: Arc<dyn Store>,
    pub(super) record: RunRecord,
    pub(super) manifest: Manifest,
}

fn broken(error: impl Into<anyhow::Error>) -> CommandError {
    CommandError::new(ExitStatus::CheckFailed, error)
}

impl Finished {
    pub(super) fn open(args: &FileArgs) -> Result<Self, CommandError> {
        let loaded = load(args)?;
        let store = pipeline::open_store(&loaded, &environment::read())?;
        let name = &loaded.file.run.name;
        let record = engine::last_record(store.as_ref(), name)?.ok_or_else(|| {
            CommandError::usage(format!("look at the last run of `{name}`: it has not been run yet"))
                .hint("`databuild run` comes first")
        })?;
        let manifest = manifest(store.as_ref(), &record)?;
        Ok(Self { store, record, manifest })
    }

    /// The whole dataset in a folder of this machine.
    pub(super) fn folder(&self) -> Result<LocalPath, CommandError> {
        dataset_folder(self.store.as_ref(), &self.record)
    }

    /// A shard as a file of this machine.
    pub(super) fn file(&self, shard: &ShardFile) -> Result<LocalPath, CommandError> {
        dataset_file(self.store.as_ref(), &self.record, &shard.path)
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
            for losses in dataset::rest::read_losses(&self.file(shard)?).map_err(broken)? {
                losses.map_err(broken)?.into_iter().for_each(&mut visit);
            }
        }
        Ok(())
    }

    /// Every row of the dataset, without its heavy columns.
    pub(super) fn each_row(&self, mut visit: impl FnMut(&ShardFile, PageRow)) -> Result<(), CommandError> {
        for shard in self.shards(Subset::Pages) {
            let file = self.file(shard)?;
            for row in open(&file)?.pages(Columns::LIGHT).map_err(broken)? {
                visit(shard, row.map_err(broken)?);
            }
        }
        Ok(())
    }

    /// One row, whole.
    pub(super) fn row(&self, id: ItemId) -> Result<Option<PageRow>, CommandError> {
        for shard in self.shards(Subset::Pages).filter(|shard| (shard.min_id..=shard.max_id).contains(&id)) {
            let file = self.file(shard)?;
            let mut rows = open(&file)?.pages_by_id(&[id], Columns::ALL).map_err(broken)?;
            if let Some(row) = rows.next() {
                return row.map(Some).map_err(broken);
            }
        }
        Ok(None)
    }
}

fn open(file: &LocalPath) -> Result<ShardReader, CommandError> {
    ShardReader::open(file).map_err(broken)
}

/// The dataset of a run in a folder of this machine: in its place, or a copy that goes away with the value.
pub(super) fn dataset_folder(store: &dyn Store, record: &RunRecord) -> Result<LocalPath, CommandError> {
    Ok(store.local_folder(&record.dataset.folder)?)
}

/// One file of a dataset on this machine.
pub(super) fn dataset_file(store: &dyn Store, record: &RunRecord, path: &str) -> Result<LocalPath, CommandError> {
    let name = BlobName::new(format!("{}/{path}", record.dataset.folder)).map_err(broken)?;
    Ok(store.local_path(&name)?)
}

/// The current manifest of a run's dataset.
pub(super) fn manifest(store: &dyn Store, record: &RunRecord) -> Result<Manifest, CommandError> {
    let name = BlobName::new(format!("{}/manifest.json", record.dataset.folder)).map_err(broken)?;
    let text = store.get(&name)?;
    let manifest = Manifest::from_json(&String::from_utf8_lossy(&text));
    manifest.map_err(|error| broken(anyhow::Error::from(error).context(format!("understand the manifest `{name}`"))))
}

/// A place in the folder of a run's record.
pub(super) fn beside_record(run: &str, file: &str) -> BlobName {
    BlobName::join(&["runs", run, file])
}
