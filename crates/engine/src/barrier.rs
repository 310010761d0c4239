//! Decisions that need all items: duplicates, caps, splits.

use std::collections::BTreeMap;

use item::{Attributes, ItemId, Rejection};

use crate::{Fingerprint, StageError};

/// What a barrier sees of an item: never the body.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// Identity.
    pub id: ItemId,
    /// Registrable domain of the page.
    pub domain: String,
    /// The attributes that the barrier reads.
    pub attributes: Attributes,
}

/// What a barrier says of an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Goes on, with more attributes.
    Keep(Attributes),
    /// Not wanted.
    Reject(Rejection),
}

/// What a barrier says of all items.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decided {
    /// One decision per note, in the same order.
    pub decisions: Vec<Decision>,
    /// What else there is to say, by kind: work that a bound left undone. It goes into the books.
    pub aside: BTreeMap<&'static str, u64>,
}

impl From<Vec<Decision>> for Decided {
    fn from(decisions: Vec<Decision>) -> Self {
        Self { decisions, aside: BTreeMap::new() }
    }
}

/// Sees one note per item, says one decision per item.
pub trait Barrier: Send + Sync {
    /// Its name: the table in the pipeline file, the column in the books.
    fn name(&self) -> &'static str;

    /// What its decisions depend on beside the notes.
    fn fingerprint(&self) -> Fingerprint;

    /// Names of the attributes that it reads.
    fn reads(&self) -> &'static [&'static str];

    /// One decision per note, in the same order. The notes come sorted by id, so arrival can make no difference.
    fn decide(&self, notes: &[Note]) -> Result<Decided, StageError>;
}
