//! What a file is, by its first bytes.

use std::fmt;

/// A kind of file that is not a WARC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// LZ4 in the form before its frames.
    OldLz4,
    /// A zip without an archive in it.
    Zip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// A CDX index of archives.
    Cdx,
    /// An HTML document.
    Html,
    /// PDF, or another kind that carries no archive.
    Other,
}

const MAGICS: &[(&[u8], Format)] = &[
    (b"\x02\x21\x4c\x18", Format::OldLz4),
    (b"BZh", Format::Bzip2),
    (b"\xfd7zXZ\0", Format::Xz),
    (b" CDX ", Format::Cdx),
    (b"<!DOCTYPE", Format::Html),
    (b"<!doctype", Format::Html),
    (b"<html", Format::Html),
];

impl Format {
    /// Recognises a file of another kind that can hold no WARC records in the open.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        MAGICS.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, format)| *format)
    }

    /// What to do about it, for a message; empty where there is nothing to say.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::OldLz4 => "is LZ4 of the legacy form, which is not supported; repack it with `lz4`",
            Self::Zip => "is a zip without a WARC or ARC file in it",
            Self::Bzip2 => "is bzip2, which is not supported; repack it with gzip, one member per record",
            Self::Xz => "is xz, which is not supported; repack it with gzip, one member per record",
            Self::Cdx => "is a CDX index, not an archive; name the WARC files that it lists",
            Self::Html => "is an HTML document, not an archive; was an error page downloaded in its place?",
            Self::Other => "is not a WARC file: no record was found in it",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hint())
    }
}
