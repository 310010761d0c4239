//! The manifest: what a dataset is made of.
//!
//! Files that no manifest names do not exist for readers, and a committed manifest never changes.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use item::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{self, DatasetError};
use crate::files::{CREATED_BY, HashingWriter, OpenFile};
use crate::shards::ShardFile;

/// Version of the manifest's own form.
pub const MANIFEST_FORMAT: u32 = 1;

/// All files of a dataset, and what they were made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`MANIFEST_FORMAT`].
    pub format: u32,
    /// Name of the run.
    pub name: String,
    /// What wrote it, with its version.
    pub created_by: String,
    /// Subsets by name.
    pub subsets: BTreeMap<String, SubsetManifest>,
    /// Keys of the phases and fingerprints of the stages that the rows came from.
    pub keys: BTreeMap<String, String>,
    /// The books: what was seen, kept, rejected and failed, as the engine counted.
    pub books: serde_json::Value,
}

/// The files of one subset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubsetManifest {
    /// SHA-256 of the schema's text.
    pub schema_sha256: item::Sha256Hex,
    /// Rows in all splits.
    pub rows: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Shards by split, edition by edition, in the order of their rows.
    pub splits: BTreeMap<String, Vec<ShardFile>>,
}

impl SubsetManifest {
    pub(crate) const fn empty(schema_sha256: item::Sha256Hex) -> Self {
        Self { schema_sha256, rows: 0, bytes: 0, splits: BTreeMap::new() }
    }

    /// Shards of a split, behind those that are there.
    pub(crate) fn add_split(&mut self, split: &str, shards: Vec<ShardFile>) {
        self.rows += shards.iter().map(|shard| shard.rows).sum::<u64>();
        self.bytes += shards.iter().map(|shard| shard.bytes).sum::<u64>();
        self.splits.entry(split.to_owned()).or_default().extend(shards);
    }

    /// Adds those of a later edition.
    pub fn extend(&mut self, later: Self) {
        for (split, shards) in later.splits {
            self.add_split(&split, shards);
        }
    }
}

/// What is wrong with a dataset's files.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The file cannot be read.
    #[error("check shard {path}")]
    Read {
        /// Path below the dataset's folder.
        path: String,
        /// Why not.
        source: DatasetError,
    },
    /// The file is not the one that the manifest names.
    #[error("check shard {path}: {what} is {found}, the manifest says {expected}")]
    Differs {
        /// Path below the dataset's folder.
        path: String,
        /// `size`, `SHA-256` or `number of rows`.
        what: &'static str,
        /// What the file has.
        found: String,
        /// What the manifest says.
        expected: String,
    },
}

impl Manifest {
    /// A manifest of those subsets.
    pub fn new(name: &str, subsets: BTreeMap<String, SubsetManifest>) -> Self {
        Self {
            format: MANIFEST_FORMAT,
            name: name.to_owned(),
            created_by: CREATED_BY.to_owned(),
            subsets,
            keys: BTreeMap::new(),
            books: serde_json::Value::Null,
        }
    }

    /// The manifest as the file it is committed as: JSON with its keys in order, and a line end.
    pub fn to_json(&self) -> String {
        // Plain data with text keys: serialising it cannot fail.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }

    /// The JSON Schema of [`Manifest::to_json`]: what stands in `schemas/manifest.schema.json`.
    pub fn json_schema() -> String {
        let schema = schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<Self>();
        let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
        text.push('\n');
        text
    }

    /// A manifest from its file.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// The digest of [`Manifest::to_json`].
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_json().as_bytes())
    }

    /// Every shard, by subset and split.
    pub fn shards(&self) -> impl Iterator<Item = &ShardFile> {
        self.subsets.values().flat_map(|subset| subset.splits.values().flatten())
    }

    /// Checks that every file stands below `folder` with its size, its SHA-256 and its number of rows. Reads every byte.
    pub fn check(&self, folder: &Path) -> Result<(), CheckError> {
        self.shards().try_for_each(|shard| shard.check(folder))
    }
}

impl ShardFile {
    /// Checks that the file stands below `folder` with its size, its SHA-256 and its number of rows.
    pub fn check(&self, folder: &Path) -> Result<(), CheckError> {
        let path = folder.join(&self.path);
        let read = |source| CheckError::Read { path: self.path.clone(), source };
        let mut file = File::open(&path).map_err(|e| read(error::io("open", &path)(e)))?;
        let mut hasher = HashingWriter::new(std::io::sink());
        let bytes = std::io::copy(&mut file, &mut hasher).map_err(|e| read(error::io("read", &path)(e)))?;
        let (_, sha256) = hasher.finish();
        self.compare("size", &bytes, &self.bytes)?;
        self.compare("SHA-256", &sha256, &self.sha256)?;
        let rows = OpenFile::open(&path).map_err(read)?.rows();
        self.compare("number of rows", &rows, &self.rows)
    }

    fn compare<T: PartialEq + ToString>(&self, what: &'static str, found: &T, expected: &T) -> Result<(), CheckError> {
        if found == expected {
            return Ok(());
        }
        let (found, expected) = (found.to_string(), expected.to_string());
        Err(CheckError::Differs { path: self.path.clone(), what, found, expected })
    }
}
