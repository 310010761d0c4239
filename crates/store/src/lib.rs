//! State: named blobs with atomic publication.
//!
//! A store is a folder or a prefix in S3, with immutable blobs under slash-separated names. Three promises carry the
//! whole design: a blob appears whole or not at all; [`Store::put_if_absent`] lets exactly one of many writers win;
//! and nothing is ever read that was not published. There is no lock, no database and no marker file.

mod at_once;
mod error;
mod local;
mod name;
pub mod s3;

use std::fmt;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub use at_once::at_once;
pub use error::StoreError;
pub use local::LocalStore;
pub use name::{BlobName, InvalidName};
pub use s3::S3Store;

/// Format of the layout, in a folder and in a bucket. A store of another format is refused, never guessed at.
const FORMAT: u32 = 1;
const FORMAT_FILE: &str = "store.json";

fn format_record() -> String {
    format!("{{\"format\":{FORMAT}}}\n")
}

/// A blob in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobInfo {
    /// Its name.
    pub name: BlobName,
    /// Its size.
    pub bytes: u64,
}

/// A file or a folder of this machine where blobs can be read, for as long as this value lives: what lies elsewhere is a
/// copy, which goes away with it.
#[derive(Debug)]
pub struct LocalPath {
    path: PathBuf,
    _copy: Option<TempDir>,
}

impl LocalPath {
    /// What the store has on this machine anyway.
    pub fn in_place(path: PathBuf) -> Self {
        Self { path, _copy: None }
    }

    fn copy(path: PathBuf, folder: TempDir) -> Self {
        Self { path, _copy: Some(folder) }
    }
}

impl AsRef<Path> for LocalPath {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl Deref for LocalPath {
    type Target = Path;
    fn deref(&self) -> &Path {
        &self.path
    }
}

/// Named blobs with atomic publication. Kept small on purpose: an object store has to be able to do all of it.
///
/// What is promised to readers: a blob that was put is read as it was put, at once and by everybody. A listing may be
/// behind: it may lack what was just put, and name what was just deleted.
pub trait Store: fmt::Debug + Send + Sync {
    /// The whole blob.
    fn get(&self, name: &BlobName) -> Result<Vec<u8>, StoreError>;

    /// A range of bytes of a blob; cut off at its end.
    fn get_range(&self, name: &BlobName, range: Range<u64>) -> Result<Vec<u8>, StoreError>;

    /// Size of the blob, `None` when there is none.
    fn size(&self, name: &BlobName) -> Result<Option<u64>, StoreError>;

    /// Publishes bytes under a name, replacing what was there, atomically.
    fn put(&self, name: &BlobName, bytes: &[u8]) -> Result<(), StoreError>;

    /// Publishes bytes under a name that is free; `false` when somebody was first.
    fn put_if_absent(&self, name: &BlobName, bytes: &[u8]) -> Result<bool, StoreError>;

    /// Publishes a finished local file, which is consumed. The file must come from [`Store::scratch`].
    fn put_file(&self, name: &BlobName, file: &Path) -> Result<(), StoreError>;

    /// A file of this machine where the blob's bytes can be read.
    fn local_path(&self, name: &BlobName) -> Result<LocalPath, StoreError>;

    /// A folder of this machine where all blobs whose name starts with the folder `prefix` can be read, under the rest
    /// of their names.
    fn local_folder(&self, prefix: &str) -> Result<LocalPath, StoreError>;

    /// All blobs whose name starts with the folder `prefix`, sorted by name.
    fn list(&self, prefix: &str) -> Result<Vec<BlobInfo>, StoreError>;

    /// Removes a blob; no error when there is none.
    fn delete(&self, name: &BlobName) -> Result<(), StoreError>;

    /// A fresh local folder for unpublished files; it goes away when dropped. No two of a store have the same name.
    fn scratch(&self) -> Result<TempDir, StoreError>;

    /// Where the store is, for people.
    fn location(&self) -> String;
}
