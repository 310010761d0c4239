//! Editing a document in its text: a page with the places of its elements, changes of byte ranges, and the words for them.
//!
//! A document is never parsed and written again: all bytes that a change does not name stay as they are, and every change
//! has an exact inverse.

mod blocks;
mod describe;
mod page;
mod patch;
mod say;
mod sheet;

pub use blocks::{Block, apply_blocks, parse_blocks, search_replace, write_blocks};
pub(crate) use page::escape;
pub use page::{Page, Tag};
pub(crate) use patch::pieces;
pub use patch::{Change, Patch, PatchError, unified_diff};
pub(crate) use say::capitalised;
pub use say::{Say, leaks_code, leaks_code_of};
pub(crate) use sheet::declarations;
