//! A committed dataset to where people fetch it: the Hugging Face Hub, a bucket of S3, or a folder.
//!
//! What stands there in the end is decided before the first byte goes: names, sizes and digests of all files are a
//! [`Publication`]. Whatever the target has already is not sent again, so a publication that was cut off is taken up by
//! running it again.

mod digest;
mod error;
mod event;
mod hub;
mod patience;
mod publication;
mod shelf;
mod target;
mod transfer;

pub use error::{HubError, PublishError};
pub use event::{Event, Observer};
pub use hub::{HUB, Hub, HubOptions, MakeCard, Place, Token};
pub use patience::Patience;
pub use publication::{Publication, PublishedFile, Source};
pub use shelf::{BucketShelf, FolderShelf, S3Access, Shelf, publish_to_shelf};
pub use target::{Target, TargetError};
pub use transfer::{Transfer, TransferError, Way};

/// What a publication did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Files of the publication.
    pub files: usize,
    /// Files that were sent.
    pub sent: usize,
    /// Bytes of the files that were sent.
    pub sent_bytes: u64,
    /// Bytes of large files that went over the wire: fewer, where the target has parts of them.
    pub wire_bytes: u64,
    /// Files of an earlier publication that were removed.
    pub removed: usize,
    /// Commits that were made, oldest first; none outside of the Hub.
    pub commits: Vec<String>,
    /// The pull request that the commits stand in, if it was left open.
    pub pull_request: Option<u64>,
}
