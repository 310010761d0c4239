//! The source: WARC files on this machine.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use engine::{Fingerprint, Partition, Source, Sourced, StageError};
use ingest::{ArchiveReader, CaptureOutcome, CapturePolicy, CaptureReader, Limits};
use item::{Body, BodyKind, ContentHasher, Digest, Item};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{BlobName, Store};

/// Bumped when the same WARC file would give other captures.
const VERSION: u32 = 1;

/// `[source]`: which WARC files are read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SourceConfig {
    /// WARC files: paths and glob patterns, relative to the pipeline file.
    pub warcs: Vec<String>,
    /// The crawl that they belong to, such as `CC-MAIN-2024-51`; goes into the `crawl` column.
    pub crawl: String,
}

/// Reads captures from WARC files. A partition is a file.
pub struct WarcSource {
    policy: CapturePolicy,
    limits: Limits,
    files: Vec<PathBuf>,
    digests: FileDigests,
}

impl std::fmt::Debug for WarcSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WarcSource").field("files", &self.files).finish_non_exhaustive()
    }
}

impl WarcSource {
    /// Finds the files. `base` is the folder that relative paths start from; `store` remembers digests of files.
    pub fn new(config: &SourceConfig, base: &Path, store: Arc<dyn Store>) -> Result<Self, StageError> {
        let policy = CapturePolicy { crawl: config.crawl.clone() };
        let files = find_files(&config.warcs, base)?;
        Ok(Self { policy, limits: Limits::default(), files, digests: FileDigests::new(store) })
    }

    fn partition(&self, path: &Path) -> Result<Partition, StageError> {
        let (bytes, content) = self.digests.of(path)?;
        let name = file_name(path);
        // The name goes into rows, so a file of another name is another partition; the folder makes no difference.
        let digest = ContentHasher::new("warc").add_text(&name).add_digest(&content).finish();
        Ok(Partition { name, digest, bytes })
    }
}

impl Source for WarcSource {
    fn fingerprint(&self) -> Fingerprint {
        let settings = serde_json::json!({ "crawl": self.policy.crawl, "limits": self.limits });
        Fingerprint { name: "source".into(), version: VERSION, settings }
    }

    fn gives(&self) -> BodyKind {
        BodyKind::Capture
    }

    fn partitions(&self) -> Result<Vec<Partition>, StageError> {
        let partitions: Result<Vec<_>, _> = self.files.par_iter().map(|file| self.partition(file)).collect();
        let mut partitions = partitions?;
        self.digests.save()?;
        // By name and content: the order in which the user lists files must not matter.
        partitions.sort_by(|a, b| (&a.name, &a.digest).cmp(&(&b.name, &b.digest)));
        partitions.dedup_by(|a, b| a.digest == b.digest);
        Ok(partitions)
    }

    fn read(&self, partition: &Partition, emit: &mut dyn FnMut(Sourced) -> bool) -> Result<(), StageError> {
        let doing = || format!("read WARC file `{}`", partition.name);
        let same_name = self.files.iter().filter(|file| file_name(file) == partition.name);
        let mut found = None;
        for file in same_name {
            if self.partition(file)?.digest == partition.digest {
                found = Some(file);
            }
        }
        let path = found.ok_or_else(|| StageError::plain(format!("{}: it changed under the run", doing())))?;
        let archive = ArchiveReader::open(path, self.limits).map_err(|error| StageError::new(doing(), error))?;
        for outcome in CaptureReader::new(archive, self.policy.clone()) {
            let sourced = match outcome.map_err(|error| StageError::new(doing(), error))? {
                CaptureOutcome::Capture(item) => {
                    Sourced::Item(Box::new(Item { head: item.head, body: Body::Capture(item.body) }))
                }
                CaptureOutcome::Rejected(head, rejection) => Sourced::Rejected(*head, rejection),
                CaptureOutcome::Failed(head, failure) => Sourced::Failed(*head, failure),
                CaptureOutcome::Skipped(kind) => Sourced::Aside(kind),
            };
            if !emit(sourced) {
                break;
            }
        }
        Ok(())
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

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
struct FileDigests {
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
    fn new(store: Arc<dyn Store>) -> Self {
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

    fn of(&self, path: &Path) -> Result<(u64, Digest), StageError> {
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

    fn save(&self) -> Result<(), StageError> {
        let bytes = serde_json::to_vec(&*self.known()).map_err(|e| StageError::new("remember file digests", e))?;
        self.store.put(&Self::blob(), &bytes).map_err(|error| StageError::new("remember file digests", error))
    }
}
