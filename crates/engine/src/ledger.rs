//! Results of units of work, keyed by what was done to what.
//!
//! A result is published by one exclusive create of its manifest, after its files. Files carry the name of the attempt
//! that wrote them, so two attempts of one unit cannot hurt each other, and files that no manifest names do not exist
//! for readers.

use item::{Digest, ItemId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use store::{BlobName, Store};

use crate::{EngineError, Fingerprint, PhaseBooks};

/// Format of the records below.
const FORMAT: u32 = 2;

/// A published file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRef {
    /// Its name in the store.
    pub(crate) name: BlobName,
    /// Its size.
    pub(crate) bytes: u64,
}

/// The result of one unit of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartitionManifest {
    format: u32,
    /// The phase.
    pub phase: String,
    /// What people call the unit.
    pub partition: String,
    /// Its key.
    pub key: Digest,
    /// What was done.
    pub fingerprints: Vec<Fingerprint>,
    /// Digest of the items that came out, in order.
    pub output: Digest,
    /// Items that came out.
    pub items: u64,
    /// What happened to each that went in.
    pub books: PhaseBooks,
    /// How long it took, for estimates; no part of any digest.
    pub elapsed_ms: u64,
    pub(crate) items_file: FileRef,
    pub(crate) index_file: FileRef,
    pub(crate) losses_file: FileRef,
}

impl PartitionManifest {
    /// The files that it names.
    pub(crate) fn files(&self) -> [&FileRef; 3] {
        [&self.items_file, &self.index_file, &self.losses_file]
    }
}

/// What the writer of a manifest knows.
pub(crate) struct Finished {
    pub(crate) phase: String,
    pub(crate) partition: String,
    pub(crate) key: Digest,
    pub(crate) fingerprints: Vec<Fingerprint>,
    pub(crate) output: Digest,
    pub(crate) items: u64,
    pub(crate) books: PhaseBooks,
    pub(crate) elapsed_ms: u64,
    pub(crate) items_file: FileRef,
    pub(crate) index_file: FileRef,
    pub(crate) losses_file: FileRef,
}

impl Finished {
    pub(crate) fn into_manifest(self) -> PartitionManifest {
        PartitionManifest {
            format: FORMAT,
            phase: self.phase,
            partition: self.partition,
            key: self.key,
            fingerprints: self.fingerprints,
            output: self.output,
            items: self.items,
            books: self.books,
            elapsed_ms: self.elapsed_ms,
            items_file: self.items_file,
            index_file: self.index_file,
            losses_file: self.losses_file,
        }
    }
}

/// Where the record of a unit is.
pub(crate) fn record_name(kind: &str, phase: &str, key: &Digest) -> BlobName {
    BlobName::join(&["ledger", phase, &format!("{kind}-{key}.json")])
}

/// Reads a published record, `None` when there is none.
pub(crate) fn read<T: DeserializeOwned>(store: &dyn Store, name: &BlobName) -> Result<Option<T>, EngineError> {
    let bytes = match store.get(name) {
        Err(store::StoreError::NotFound { .. }) => return Ok(None),
        other => other?,
    };
    let record =
        serde_json::from_slice(&bytes).map_err(|source| EngineError::Record { name: name.to_string(), source })?;
    Ok(Some(record))
}

/// Reads the record of a result. One that is cut off or scrambled, by a disk that lost its power, says nothing: it is removed,
/// and what it told of is made again. One that is whole and of another shape is left alone, since somebody may understand it.
pub(crate) fn read_result<T: DeserializeOwned>(store: &dyn Store, name: &BlobName) -> Result<Option<T>, EngineError> {
    match read(store, name) {
        Err(EngineError::Record { source, .. }) if source.is_eof() || source.is_syntax() => {
            store.delete(name)?;
            Ok(None)
        }
        other => other,
    }
}

/// Publishes a record, or gives back the one that was there first.
pub(crate) fn commit<T: Serialize + DeserializeOwned>(
    store: &dyn Store,
    name: &BlobName,
    record: T,
) -> Result<T, EngineError> {
    let bytes = to_json(name, &record)?;
    if store.put_if_absent(name, &bytes)? {
        return Ok(record);
    }
    Ok(read(store, name)?.unwrap_or(record))
}

pub(crate) fn to_json<T: Serialize>(name: &BlobName, record: &T) -> Result<Vec<u8>, EngineError> {
    let mut bytes =
        serde_json::to_vec_pretty(record).map_err(|source| EngineError::Record { name: name.to_string(), source })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The published result of a unit, if all its files are there.
pub(crate) fn find(store: &dyn Store, phase: &str, key: &Digest) -> Result<Option<PartitionManifest>, EngineError> {
    let name = record_name("unit", phase, key);
    let Some(manifest) = read_result::<PartitionManifest>(store, &name)? else { return Ok(None) };
    if manifest.format != FORMAT {
        // An earlier version wrote it; its files read otherwise. Make both again.
        store.delete(&name)?;
        return Ok(None);
    }
    for file in manifest.files() {
        if store.size(&file.name)? != Some(file.bytes) {
            // Somebody removed the files by hand. The manifest is worth nothing without them: make both again.
            store.delete(&name)?;
            return Ok(None);
        }
    }
    Ok(Some(manifest))
}

/// A row of a rest file, as later phases need it for their keys: fixed width, so that a million rows are 88 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexRow {
    pub(crate) id: ItemId,
    /// Of the whole item.
    pub(crate) digest: Digest,
    /// Of its body alone: what remembered answers are found by.
    pub(crate) body: Digest,
    pub(crate) bytes: u64,
}

const INDEX_ROW_BYTES: usize = 16 + 32 + 32 + 8;

impl IndexRow {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.id.as_bytes());
        out.extend_from_slice(self.digest.as_bytes());
        out.extend_from_slice(self.body.as_bytes());
        out.extend_from_slice(&self.bytes.to_le_bytes());
    }

    fn read(row: &[u8]) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&row[..16]);
        let (mut digest, mut body) = ([0; 32], [0; 32]);
        digest.copy_from_slice(&row[16..48]);
        body.copy_from_slice(&row[48..80]);
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&row[80..]);
        Self { id: ItemId::from_bytes(id), digest: digest.into(), body: body.into(), bytes: u64::from_le_bytes(bytes) }
    }
}

/// All rows of a unit's index.
pub(crate) fn read_index(store: &dyn Store, manifest: &PartitionManifest) -> Result<Vec<IndexRow>, EngineError> {
    let bytes = store.get(&manifest.index_file.name)?;
    Ok(bytes.chunks_exact(INDEX_ROW_BYTES).map(IndexRow::read).collect())
}
