//! State: named blobs with atomic publication.
//!
//! A store is a folder (later: an S3 prefix) of immutable blobs under slash-separated names. Three promises carry the
//! whole design: a blob appears whole or not at all; [`Store::put_if_absent`] lets exactly one of many writers win;
//! and nothing is ever read that was not published. There is no lock, no database and no marker file.

mod local;
mod name;

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

pub use local::LocalStore;
pub use name::{BlobName, InvalidName};

/// Trouble with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such blob.
    #[error("find `{name}` in the store")]
    NotFound {
        /// The blob.
        name: BlobName,
    },
    /// The operating system refused.
    #[error("{operation} `{path}`")]
    Io {
        /// What was tried: `write`, `read`, …
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The whole store went away under us: somebody removed the folder, or its disk was taken off.
    #[error("find the store in `{path}`: it was removed while it was in use")]
    Gone {
        /// The store's folder.
        path: PathBuf,
    },
    /// The folder is no store of ours, or of a format that this program does not know.
    #[error("`{path}` is not a databuild store of format {expected}: {found}")]
    Format {
        /// The store's folder.
        path: PathBuf,
        /// The format that we write.
        expected: u32,
        /// What was found in its place.
        found: String,
    },
}

/// A blob in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobInfo {
    /// Its name.
    pub name: BlobName,
    /// Its size.
    pub bytes: u64,
}

/// Named blobs with atomic publication. Kept small on purpose: an object store has to be able to do all of it.
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
    fn put_file(&self, name: &BlobName, file: &std::path::Path) -> Result<(), StoreError>;

    /// A local path where the blob's bytes can be read.
    fn local_path(&self, name: &BlobName) -> Result<PathBuf, StoreError>;

    /// All blobs whose name starts with the folder `prefix`, sorted by name.
    fn list(&self, prefix: &str) -> Result<Vec<BlobInfo>, StoreError>;

    /// Removes a blob; no error when there is none.
    fn delete(&self, name: &BlobName) -> Result<(), StoreError>;

    /// A fresh local folder for unpublished files; it goes away when dropped.
    fn scratch(&self) -> Result<tempfile::TempDir, StoreError>;

    /// Where the store is, for people.
    fn location(&self) -> String;
}
