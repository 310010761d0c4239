//! Trouble with a store.

use std::io;
use std::path::{Path, PathBuf};

use crate::BlobName;
use crate::s3::S3Error;

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
        source: io::Error,
    },
    /// The server refused, or did not answer.
    #[error("{operation} `{address}`")]
    Remote {
        /// What was tried: `write`, `read`, …
        operation: &'static str,
        /// The object, or the prefix.
        address: String,
        /// Why not.
        #[source]
        source: S3Error,
    },
    /// The whole store went away under us: somebody removed the folder, or its disk was taken off.
    #[error("find the store in `{path}`: it was removed while it was in use")]
    Gone {
        /// The store's folder.
        path: PathBuf,
    },
    /// The place is no store of ours, or of a format that this program does not know.
    #[error("`{place}` is not a databuild store of format {expected}: {found}")]
    Format {
        /// The store's folder or prefix.
        place: String,
        /// The format that we write.
        expected: u32,
        /// What was found in its place.
        found: String,
    },
}

impl StoreError {
    /// What a user may try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Remote { source, .. } => source.hint(),
            _ => None,
        }
    }
}

pub(crate) fn io_error(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { operation, path, source }
}
