//! How items rest between phases: a port, since only one crate of the house knows the file format.

use std::ops::Range;
use std::path::Path;

use item::{Body, BodyKind, Head, Item, Loss};

/// A rest file could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct RestError {
    doing: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl RestError {
    /// What was tried (fits after "failed to …"), and why it did not work.
    pub fn new(doing: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { doing: doing.into(), source: source.into() }
    }
}

/// Items of a rest file in bounded batches.
pub type ItemReader = Box<dyn Iterator<Item = Result<Vec<Item<Body>>, RestError>> + Send>;
/// Heads of a rest file in bounded batches.
pub type HeadReader = Box<dyn Iterator<Item = Result<Vec<Head>, RestError>> + Send>;
/// Losses of a rest file in bounded batches.
pub type LossReader = Box<dyn Iterator<Item = Result<Vec<Loss>, RestError>> + Send>;

/// A rest file that is being written.
pub trait ItemWriter: Send {
    /// Appends items.
    fn write(&mut self, items: &[Item<Body>]) -> Result<(), RestError>;
    /// Ends the file.
    fn finish(self: Box<Self>) -> Result<(), RestError>;
}

/// The file format of rest files.
pub trait RestFormat: Send + Sync {
    /// File name extension, without the dot.
    fn extension(&self) -> &'static str;
    /// Starts a file of items of one kind.
    fn create_items(&self, path: &Path, kind: BodyKind) -> Result<Box<dyn ItemWriter>, RestError>;
    /// Reads the items of some rows.
    fn read_items(&self, path: &Path, rows: Range<u64>) -> Result<ItemReader, RestError>;
    /// Reads all heads, leaving the bodies where they are.
    fn read_heads(&self, path: &Path) -> Result<HeadReader, RestError>;
    /// Writes all losses of a partition.
    fn write_losses(&self, path: &Path, losses: &[Loss]) -> Result<(), RestError>;
    /// Reads all losses.
    fn read_losses(&self, path: &Path) -> Result<LossReader, RestError>;
}
