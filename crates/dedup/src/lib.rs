//! Hashes, near-duplicate clusters, splits.
//!
//! A barrier sees one small note per item and decides once per item. Everything here is that decision as a pure
//! function over notes: no engine types, no I/O but the partitions of [`neighbours::Files`], and the same answer for any
//! order of the input.
//!
//! - [`phash`], [`look`]: what a screenshot looks like, in bits and in a few hundred bytes.
//! - [`sketch`], [`text`]: what a page is made of, and what it says.
//! - [`neighbours`]: every pair of hashes within a Hamming radius, exactly, in memory or in files.
//! - [`cluster`], [`near`], [`page`], [`exact`], [`domain`]: which items stand for which others.
//! - [`leak`], [`list`]: what benchmarks hold, and what is published already.
//! - [`split`]: train, validation and test without leaks.

pub mod cluster;
pub mod domain;
pub mod exact;
mod hash;
pub mod leak;
pub mod list;
pub mod look;
mod luma;
pub mod near;
pub mod neighbours;
pub mod page;
pub mod phash;
mod rules;
mod scan;
pub mod sketch;
pub mod split;
pub mod text;

pub use cluster::Assignment;
pub use hash::{Hash64, Hash256, ImageHash, ParseHashError};
pub use look::Look;
pub use phash::{Hasher, PhashError, Recipe, Sight, VisualPrint};
pub use rules::{
    BENCHMARK_DOM, BENCHMARK_DOMAIN, BENCHMARK_IMAGE, BENCHMARK_TEXT, BENCHMARK_VIEWPORT, BLANK_SCREENSHOT, DOMAIN_CAP,
    EXACT_DUPLICATE, NEAR_DUPLICATE, NEAR_DUPLICATE_PAGE, RULES, SPLIT_CONFLICT, THEME_CAP,
};
pub use sketch::PageSketch;
pub use split::{Split, SplitPolicy};
pub use text::TextSketch;
