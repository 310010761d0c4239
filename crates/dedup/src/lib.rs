//! Hashes, near-duplicate clusters, splits.
//!
//! A barrier sees one small note per item and decides once per item. Everything here is that decision as a pure
//! function over notes: no I/O, no engine types, and the same answer for any order of the input.
//!
//! - [`phash`]: what a screenshot looks like, in bits.
//! - [`neighbours`]: every pair of hashes within a Hamming radius, exactly.
//! - [`cluster`], [`near`], [`exact`], [`domain`]: which items stand for which others.
//! - [`split`]: train, validation and test without leaks.

pub mod cluster;
pub mod domain;
pub mod exact;
mod hash;
pub mod near;
pub mod neighbours;
pub mod phash;
mod rules;
pub mod split;

pub use cluster::Assignment;
pub use hash::{Hash64, Hash256, ImageHash, ParseHashError};
pub use phash::{Hasher, PhashError, Recipe, VisualPrint};
pub use rules::{BLANK_SCREENSHOT, DOMAIN_CAP, EXACT_DUPLICATE, NEAR_DUPLICATE, RULES};
pub use split::{Split, SplitPolicy};
