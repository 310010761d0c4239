//! Where items come from.

use std::fmt;
use std::sync::Arc;

use item::{Body, BodyKind, Digest, Failure, Head, Item, Rejection};
use serde::{Deserialize, Serialize};

use crate::{Cancel, Fingerprint, Observer, StageError};

/// What a source may use while it lists and reads.
#[derive(Clone)]
pub struct SourceContext {
    /// Set when the run is to stop; a source that waits for a network looks at it.
    pub cancel: Cancel,
    /// Where to tell of things that happened (a server asks to slow down).
    pub observer: Arc<dyn Observer>,
}

impl fmt::Debug for SourceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceContext").field("cancelled", &self.cancel.is_cancelled()).finish_non_exhaustive()
    }
}

/// A unit of source work, such as one WARC file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Partition {
    /// What people call it.
    pub name: String,
    /// Digest of its content and of everything that its items will say of it. Not of the path it lies at.
    #[schemars(with = "String")]
    pub digest: Digest,
    /// Its size, for progress and for the order of work.
    pub bytes: u64,
}

/// One thing that a source found.
#[derive(Debug)]
pub enum Sourced {
    /// An item for the first stage.
    Item(Box<Item<Body>>),
    /// Something that the source's own rules do not want.
    Rejected(Head, Rejection),
    /// Something that could not be read.
    Failed(Head, Failure),
    /// Something that is no item at all (a `warcinfo` record), counted by kind.
    Aside(String),
}

/// Gives items, partition by partition.
pub trait Source: Send + Sync {
    /// What its items depend on beside the partition's content.
    fn fingerprint(&self) -> Fingerprint;

    /// The body kind that it gives.
    fn gives(&self) -> BodyKind;

    /// All partitions, in a stable order.
    fn partitions(&self, context: &SourceContext) -> Result<Vec<Partition>, StageError>;

    /// Reads one partition from its beginning, handing each thing found to `emit`, which answers whether to go on.
    /// The same partition gives the same things in the same order.
    fn read(
        &self,
        partition: &Partition,
        context: &SourceContext,
        emit: &mut dyn FnMut(Sourced) -> bool,
    ) -> Result<(), StageError>;
}
