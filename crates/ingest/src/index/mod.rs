//! Rows of a crawl's index: which captures there are, and where they lie.
//!
//! An index names every capture of a crawl with its archive, offset and length. Selecting rows first and fetching only
//! their bytes reads a thousandth of a crawl at a thousandth of the cost. [`IndexRow`] is a row of any index,
//! [`CdxjReader`] reads one form of them, [`IndexSelection`] says which are wanted, [`coalesce`] what to fetch, and [`look_up`]
//! finds them in a crawl's own index without reading all of it.

mod cdxj;
mod lookup;
mod range;
mod select;

pub use cdxj::{CdxjReader, IndexError};
pub use lookup::{LookupError, look_up};
pub use range::{ByteRange, RANGE_BYTES_MAX, RANGE_GAP_BYTES, coalesce};
pub use select::IndexSelection;

use serde::{Deserialize, Serialize};

/// A capture, as an index describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IndexRow {
    /// Path of the archive in the crawl.
    pub filename: String,
    /// Where the record starts in it.
    pub offset: u64,
    /// Bytes of the record in it.
    pub length: u64,
    /// Target URI.
    pub url: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// MIME type as sent, lower case.
    pub mime: Option<String>,
    /// MIME type as the index' maker detected it.
    pub mime_detected: Option<String>,
    /// Languages, as codes of three letters in Common Crawl's indexes, the most used first.
    pub languages: Vec<String>,
}
