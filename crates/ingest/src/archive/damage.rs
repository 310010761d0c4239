//! What was lost, where and why.

use std::fmt;

use super::Format;

/// A place in an archive where a record could not be read. Everything beside it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where in the file: bytes, compressed if the file is.
    pub offset: u64,
    /// Unpacked bytes between `offset` and the place, where that lies inside a packed member; else 0.
    pub inner_offset: u64,
    /// Bytes of the file until reading went on; 0 where it went on inside the same packed member.
    pub length: u64,
    /// What is wrong.
    pub reason: DamageReason,
    /// Target URI of the record, where that much could be read.
    pub uri: Option<String>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}", self.offset)?;
        if self.inner_offset > 0 {
            write!(f, " (and {} unpacked bytes)", self.inner_offset)?;
        }
        if self.length > 0 {
            write!(f, ", {} bytes long", self.length)?;
        }
        write!(f, ": {}", self.reason)?;
        self.uri.as_ref().map_or(Ok(()), |uri| write!(f, " (record of {uri})"))
    }
}

/// What is wrong with a place in an archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DamageReason {
    /// The whole file is something else.
    #[error("the file {0}")]
    NotWarc(Format),
    /// No record starts here.
    #[error("bytes that are not a WARC record")]
    Garbage,
    /// The header does not end, or the file ends in it.
    #[error("the record's header does not end within {bytes} bytes")]
    HeaderEndless {
        /// Bytes that were searched.
        bytes: usize,
    },
    /// No usable `Content-Length`.
    #[error("the record's Content-Length is `{value}`, so its end is not known")]
    NoLength {
        /// What stands there; `missing` when nothing does.
        value: String,
    },
    /// `Content-Length` and what follows contradict each other.
    #[error("the record's Content-Length is {says}, but the next record or the end comes after {found} bytes")]
    TooLong {
        /// The header's number.
        says: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The block goes on behind its end.
    #[error("the record's Content-Length is {says}, but its block goes on behind that")]
    TooShort {
        /// The header's number.
        says: u64,
    },
    /// The block is larger than the cap.
    #[error("the record's block has {bytes} bytes, the most is {limit}; raise the limit to read it")]
    Oversize {
        /// The header's number.
        bytes: u64,
        /// The cap.
        limit: u64,
    },
    /// The file ends inside a record or packed member.
    #[error("the file ends in the middle of it; was the download complete?")]
    Cut,
    /// The file ends inside a packed member, behind the last whole record.
    #[error("the file ends before the packed member does; its last record is whole")]
    CutAfterRecord,
    /// The compressed data is broken.
    #[error("the {packing} data is broken: {message}")]
    Packing {
        /// The packing: `gzip` or `Zstandard`.
        packing: &'static str,
        /// What the decompressor says.
        message: String,
    },
    /// A packed member unpacks to too much.
    #[error("the packed member unpacks to more than {ratio} times its size, as a decompression bomb does")]
    Bomb {
        /// The cap.
        ratio: u64,
    },
    /// Too many damaged places.
    #[error("the file has more than {limit} damaged places; the rest was given up")]
    GivenUp {
        /// The cap.
        limit: u64,
    },
}
