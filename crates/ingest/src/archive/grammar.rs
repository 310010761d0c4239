//! What records look like: WARC, or its predecessor ARC.
//!
//! The reader asks a grammar where records start and what their headers say; all else (packing, damage, caps) is the
//! same for both. Which one a file has is told by its first record.

use super::arc;
use super::record::{self, RecordHeader};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grammar {
    Warc,
    Arc,
}

impl Grammar {
    /// The grammar of a file that starts with `bytes`; WARC where they say nothing.
    pub(super) fn of(bytes: &[u8]) -> Self {
        if arc::starts_record(bytes) { Self::Arc } else { Self::Warc }
    }

    /// Whether a record starts here.
    pub(super) fn starts_record(self, bytes: &[u8]) -> bool {
        match self {
            Self::Warc => record::starts_record(bytes),
            Self::Arc => arc::starts_record(bytes),
        }
    }

    /// Where in damaged bytes the next record starts.
    pub(super) fn find_record(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Warc => record::find_record(bytes),
            Self::Arc => arc::find_record(bytes),
        }
    }

    /// Where in bytes from the middle of something a record can start at the earliest: the end of a line looks like a whole
    /// line where lines are all there is.
    pub(super) fn next_start(self, bytes: &[u8]) -> usize {
        match self {
            Self::Warc => 0,
            Self::Arc => memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1),
        }
    }

    /// Bytes that [`Self::find_record`] needs from a record's start to know it.
    pub(super) const fn find_bytes(self) -> usize {
        match self {
            Self::Warc => record::FIND_RECORD_BYTES,
            Self::Arc => arc::LINE_BYTES_MAX,
        }
    }

    /// Where the header that starts `bytes` ends.
    pub(super) fn header_end(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Warc => record::header_end(bytes),
            Self::Arc => arc::header_end(bytes),
        }
    }

    /// Parses what [`Self::header_end`] found; `behind` are the bytes after it, as many as are at hand.
    pub(super) fn parse(self, header: &[u8], behind: &[u8]) -> RecordHeader {
        match self {
            Self::Warc => RecordHeader::parse(header),
            Self::Arc => arc::parse(header, behind),
        }
    }

    /// Line ends behind a block that belong to the record: two CRLF, or one LF.
    pub(super) const fn tail_bytes(self) -> u64 {
        match self {
            Self::Warc => 4,
            Self::Arc => 1,
        }
    }

    /// Line feeds behind a block after which it is taken as ended, whatever follows.
    pub(super) const fn tail_lines(self) -> usize {
        match self {
            Self::Warc => 2,
            Self::Arc => 1,
        }
    }

    /// Bytes of a record's start that are no start of another record: where a damaged header is left behind.
    pub(super) const fn start_bytes(self) -> usize {
        match self {
            Self::Warc => "WARC/".len(),
            Self::Arc => 1,
        }
    }
}
