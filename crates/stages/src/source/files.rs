//! Files on this machine: found by pattern, known by digest.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use engine::StageError;
use item::Digest;
use serde::{Deserialize, Serialize};
use store::{BlobName, Store};

/// Expands paths and patterns. A pattern that matches nothing is an error: a typo must not make an empty dataset.
pub(crate) fn find_files(patterns: &[String], base: &Path) -> Result<Vec<PathBuf>, StageError> {
    let mut files = Vec::new();
    for pattern in patterns {
        let full = base.join(pattern);
        let doing = || format!("find files by `{pattern}`");
        let before = files.len();
        for path in glob::glob(&full.to_string_lossy()).map_err(|error| StageError::new(doing(), error))? {
            let path = path.map_err(|error| StageError::new(doing(), error))?;
            if path.is_file() {
                files.push(path);
            }
        }
        if files.len() == before {
            return Err(StageError::plain(format!("{}: nothing in `{}` matches", doing(), base.display())));
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// Content digests of local files, remembered by path, size and time of change, so that planning does not read
/// terabytes again. A wrong memory is impossible as long as writers change the time; it is only a memory: keys are made
/// of the digests.
pub(super) struct FileDigests {
    store: Arc<dyn Store>,
    known: Mutex<BTreeMap<String, Known>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    bytes: u64,
    modified_ns: u128,
    digest: Digest,
}

impl FileDigests {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        // A memory that can't be read is made again.
        let known = store.get(&Self::blob()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { store, known: Mutex::new(known.unwrap_or_default()) }
    }

    fn blob() -> BlobName {
        BlobName::join(&["facts", "file-digests.json"])
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn of(&self, path: &Path) -> Result<(u64, Digest), StageError> {
        let io = |error: io::Error| StageError::new(format!("read `{}`", path.display()), error);
        let metadata = path.metadata().map_err(io)?;
        let modified = metadata.modified().map_err(io)?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (bytes, modified_ns) = (metadata.len(), modified.as_nanos());
        let key = path.canonicalize().map_err(io)?.to_string_lossy().into_owned();
        let remembered = self.known().get(&key).filter(|k| k.bytes == bytes && k.modified_ns == modified_ns).cloned();
        if let Some(known) = remembered {
            return Ok((bytes, known.digest));
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(std::fs::File::open(path).map_err(io)?).map_err(io)?;
        let digest = Digest::from(*hasher.finalize().as_bytes());
        self.known().insert(key, Known { bytes, modified_ns, digest });
        Ok((bytes, digest))
    }

    pub(super) fn save(&self) -> Result<(), StageError> {
        let bytes = serde_json::to_vec(&*self.known()).map_err(|e| StageError::new("remember file digests", e))?;
        self.store.put(&Self::blob(), &bytes).map_err(|error| StageError::new("remember file digests", error))
    }
}
