//! The words everyone shares.
//!
//! What flows through a pipeline is an [`Item`]: an identity, a [`Provenance`], measured [`Attributes`] and one body
//! ([`Capture`], [`Page`], [`Snapshot`] or [`Sample`]). A stage answers each item with a [`Verdict`]. Everything here is plain data
//! and pure functions: no I/O, no clock, no configuration.

mod attribute;
mod body;
mod digest;
mod entry;
mod model_score;
mod provenance;
mod triple;
mod verdict;

pub use attribute::{Attributes, Value, name};
pub use body::{
    Body, BodyKind, Capture, CharsetSource, Node, Page, Rect, Snapshot, TypedBody, Viewport, Visibility,
    picture_extension,
};
pub use digest::{ContentHasher, Digest, Sha256Hex};
pub use entry::{Head, Item, ItemId};
pub use model_score::ModelScore;
pub use provenance::{Provenance, registrable_domain};
pub use triple::{Refusal, Sample, Shown, Task, Triple, Wording, Worse};
pub use verdict::{Failure, FailureClass, Kept, Loss, LossKind, Rejection, Rule, Verdict};
