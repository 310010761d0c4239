//! What can go wrong while a dataset is published.

use std::path::{Path, PathBuf};

/// Trouble with a publication. Each message fits after "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The file system said no.
    #[error("{action} {}", path.display())]
    Io {
        /// What was tried: `read`, `copy`, `write`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file of the dataset is not what its manifest says.
    #[error("publish {}: it has {found} bytes, its manifest says {expected}", path.display())]
    Changed {
        /// Which file.
        path: PathBuf,
        /// Bytes it has.
        found: u64,
        /// Bytes that the manifest says.
        expected: u64,
    },
    /// The Hub refused, or could not be reached.
    #[error("{action}")]
    Hub {
        /// What was tried.
        action: String,
        /// Why not.
        source: HubError,
    },
    /// S3 refused, or could not be reached.
    #[error("{action} `{object}`")]
    Bucket {
        /// What was tried: `read`, `write`, `delete`.
        action: &'static str,
        /// On what.
        object: String,
        /// Why not.
        source: HubError,
    },
    /// What stands at the target is not what was published.
    #[error("find `{name}` at the target as it was published: {problem}")]
    Differs {
        /// Which file.
        name: String,
        /// What is different.
        problem: String,
    },
}

/// Why a request gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The server refuses, and would do so again.
    #[error("the server answered {status}: {message}")]
    Status {
        /// HTTP status.
        status: u16,
        /// What the server said.
        message: String,
    },
    /// The server did not answer, or stumbled, as often as it was asked.
    #[error("given up after {attempts} attempts: {reason}")]
    GivenUp {
        /// Requests that were made.
        attempts: usize,
        /// What the last one came to.
        reason: String,
    },
    /// The server answered something that makes no sense.
    #[error("the answer cannot be understood: {0}")]
    Answer(String),
    /// Somebody else goes on writing to the same revision.
    #[error("the revision moved {0} times while this was written to it")]
    Moving(usize),
    /// The server wants to have a large file inside a commit.
    #[error(
        "the server wants `{name}` ({bytes} bytes) inside the commit, not as a large file: look at its `.gitattributes`"
    )]
    Inline {
        /// Which file.
        name: String,
        /// Its size.
        bytes: u64,
    },
    /// The address cannot be used.
    #[error("`{0}` is no usable address")]
    Address(String),
    /// Files shall go by Xet, and cannot.
    #[error("files cannot go by Xet: {0}")]
    NoXet(&'static str),
    /// Xet failed in a way that another attempt does not mend.
    #[error("Xet: {0}")]
    Xet(String),
    /// A file has other bytes than it was published with.
    #[error("{} changed while it was sent", .0.display())]
    Changed(PathBuf),
    /// A file could not be read while it was sent.
    #[error("read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl PublishError {
    /// The HTTP status that ended it, where there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Hub { source: HubError::Status { status, .. }, .. }
            | Self::Bucket { source: HubError::Status { status, .. }, .. } => Some(*status),
            _ => None,
        }
    }

    /// What to try, for people.
    pub fn hint(&self) -> Option<&'static str> {
        match self.status()? {
            401 => Some("the token is missing or no longer good: set HF_TOKEN, or log in with `hf auth login`"),
            403 => Some("the token may not write there: it needs the role `write`, and you a seat in the organisation"),
            404 => Some("the dataset or the revision does not exist, or the token may not see it"),
            _ => None,
        }
    }
}

pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> PublishError + use<> {
    let path = path.to_owned();
    move |source| PublishError::Io { action, path, source }
}
