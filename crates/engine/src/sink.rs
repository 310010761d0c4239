//! Where items end.

use std::path::{Path, PathBuf};

use item::{Body, BodyKind, Item, Loss};

use crate::{Books, Fingerprint, StageBooks, StageError};

/// A finished file that waits to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkFile {
    /// Where it lies now.
    pub staged: PathBuf,
    /// Its name inside the dataset's folder; contains a digest of its content, so it never changes.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// What a sink made.
#[derive(Debug, Clone)]
pub struct SinkOutput {
    /// Files of the dataset.
    pub files: Vec<SinkFile>,
    /// The manifest that makes them a dataset; published last.
    pub manifest: Vec<u8>,
    /// Rows of the main subset.
    pub rows: u64,
    /// Its own books, where it refused items.
    pub books: Option<StageBooks>,
}

/// What a sink is told of the run beside its items.
#[derive(Debug)]
pub struct SinkInput<'a> {
    /// Name of the dataset.
    pub name: &'a str,
    /// Everything that shaped it, from the source to the sink.
    pub fingerprints: &'a [Fingerprint],
    /// The books of all phases and barriers.
    pub books: &'a Books,
}

/// Turns items into the files of a dataset. The bytes depend on the set of items alone, not on the order of arrival.
pub trait Sink: Send + Sync {
    /// What its files depend on beside the items.
    fn fingerprint(&self) -> Fingerprint;

    /// The body kind that it takes.
    fn takes(&self) -> BodyKind;

    /// Starts a dataset in a local folder of its own.
    fn begin(&self, staging: &Path) -> Result<Box<dyn SinkWriter + '_>, StageError>;
}

/// A dataset that is being written.
pub trait SinkWriter: Send {
    /// Takes an item.
    fn add(&mut self, item: Item<Body>) -> Result<(), StageError>;

    /// Takes a loss, for the `rejects` subset.
    fn add_loss(&mut self, loss: Loss) -> Result<(), StageError>;

    /// Ends the dataset.
    fn finish(self: Box<Self>, input: SinkInput<'_>) -> Result<SinkOutput, StageError>;
}
