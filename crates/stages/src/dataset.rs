//! The sink: Parquet shards of the subsets, and their manifest.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ::dataset::{Manifest, ShardPolicy, ShardSetWriter, Subset};
use engine::{Fingerprint, Sink, SinkFile, SinkInput, SinkOutput, SinkWriter, StageError};
use item::{Body, BodyKind, Item, Loss, Sample, Sha256Hex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Bumped when the same items would give other files.
const VERSION: u32 = 3;
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
}

impl DatasetSink {
    /// A sink of that configuration; `version` is this program's, and stands in the manifest. It takes snapshots, or samples where
    /// triples are made.
    pub fn new(config: DatasetConfig, version: &str, takes: BodyKind) -> Self {
        Self { config, version: version.to_owned(), takes }
    }
}

impl Sink for DatasetSink {
    fn fingerprint(&self) -> Fingerprint {
        let schemas: Vec<Sha256Hex> = Subset::ALL.iter().map(|subset| subset.schema_sha256()).collect();
        let settings = serde_json::json!({ "config": self.config, "schemas": schemas, "databuild": self.version });
        Fingerprint { name: "dataset".into(), version: VERSION, settings }
    }

    fn takes(&self) -> BodyKind {
        self.takes
    }

    fn begin(&self, staging: &Path) -> Result<Box<dyn SinkWriter>, StageError> {
        let writer = ShardSetWriter::new(&staging.join(DATA), self.config.policy())
            .map_err(|error| StageError::new("begin the dataset", error))?;
        Ok(Box::new(Writer { staging: staging.to_owned(), writer }))
    }
}

struct Writer {
    staging: PathBuf,
    writer: ShardSetWriter,
}

impl SinkWriter for Writer {
    fn add(&mut self, item: Item) -> Result<(), StageError> {
        let Item { head, body } = item;
        let id = head.id;
        let written = match body {
            Body::Snapshot(body) | Body::Sample(Sample::Page(body)) => self.writer.add_page(&Item { head, body }),
            Body::Sample(Sample::Triple(body)) => self.writer.add_triple(&Item { head, body: *body }),
            _ => return Err(StageError::plain(format!("write {id}: it is no snapshot"))),
        };
        written.map_err(|error| StageError::new(format!("write the row of {id}"), error))
    }

    fn add_loss(&mut self, loss: Loss) -> Result<(), StageError> {
        self.writer.add_loss(&loss).map_err(|error| StageError::new("write a row of `rejects`", error))
    }

    fn finish(self: Box<Self>, input: SinkInput<'_>) -> Result<SinkOutput, StageError> {
        let mut subsets = self.writer.finish().map_err(|error| StageError::new("finish the shards", error))?;
        let mut files = Vec::new();
        for shard in subsets.values_mut().flat_map(|subset| subset.splits.values_mut()).flatten() {
            shard.path = format!("{DATA}/{}", shard.path);
            let staged = self.staging.join(&shard.path);
            files.push(SinkFile { staged, name: shard.path.clone(), bytes: shard.bytes });
        }
        let rows = subsets.get(MAIN_SUBSET).map_or(0, |subset| subset.rows);
        let mut manifest = Manifest::new(input.name, subsets);
        manifest.keys = input.fingerprints.iter().map(|f| (f.name.clone(), f.digest().to_string())).collect();
        manifest.books = serde_json::to_value(input.books).map_err(|e| StageError::new("write the books", e))?;
        Ok(SinkOutput { files, manifest: manifest.to_json().into_bytes(), rows })
    }
}
