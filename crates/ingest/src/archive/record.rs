//! One record, and its header.

use bytes::Bytes;
use warc::{RecordType, WarcHeader};

/// One entry of an archive.
#[derive(Debug, Clone, PartialEq)]
pub struct WarcRecord {
    /// Where it starts in the file: bytes, compressed if the file is. A gzip member's start for every record in it.
    pub offset: u64,
    /// Unpacked bytes before it in its gzip member; 0 where each record has a member of its own.
    pub inner_offset: u64,
    /// Bytes in the file, compressed if the file is; 0 when it shares a gzip member with others.
    pub length: u64,
    /// Version as written, such as `1.0`.
    pub version: String,
    /// `WARC-Type`; `Unknown("")` when not said.
    pub record_type: RecordType,
    /// Header fields in order, names as written, folded lines joined.
    pub headers: Vec<(String, String)>,
    /// The bytes after the header.
    pub block: Bytes,
}

impl WarcRecord {
    /// The first field of that name.
    pub fn header(&self, name: &WarcHeader) -> Option<&str> {
        let name = name.to_string();
        self.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(&name)).map(|(_, value)| value.as_str())
    }

    /// The first field of a name that [`WarcHeader`] does not have.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// URI of the capture that a revisit has its payload from (`WARC-Refers-To-Target-URI`).
    pub fn refers_to_uri(&self) -> Option<&str> {
        self.field("WARC-Refers-To-Target-URI").map(bare_uri).filter(|uri| !uri.is_empty())
    }

    /// The fields of that name, in order.
    pub fn all(&self, name: &WarcHeader) -> impl Iterator<Item = &str> {
        let name = name.to_string();
        let fields = self.headers.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(&name));
        fields.map(|(_, value)| value.as_str())
    }

    /// The target URI, without the angle brackets that some writers put around it.
    pub fn uri(&self) -> Option<&str> {
        self.header(&WarcHeader::TargetURI).map(bare_uri).filter(|uri| !uri.is_empty())
    }
}

/// `<uri>` without its brackets: WARC/1.0's grammar asked for them and its examples left them out.
pub(super) fn bare_uri(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')).unwrap_or(text)
}

/// A parsed header, before its block is read.
#[derive(Debug, PartialEq)]
pub(super) struct RecordHeader {
    pub(super) version: String,
    pub(super) fields: Vec<(String, String)>,
}

impl RecordHeader {
    /// Parses what [`header_end`] found. Lines without a colon are ignored, names and values trimmed, bytes that are not
    /// UTF-8 replaced: being strict here would lose pages over fields that nobody reads.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut lines = bytes.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let version = lines.next().map(|line| text(line.get(5..).unwrap_or_default())).unwrap_or_default();
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines {
            let is_folded = line.first().is_some_and(|b| matches!(b, b' ' | b'\t'));
            if is_folded {
                if let Some((_, value)) = fields.last_mut() {
                    let more = text(line);
                    if !value.is_empty() && !more.is_empty() {
                        value.push(' ');
                    }
                    value.push_str(&more);
                }
            } else if let Some(colon) = line.iter().position(|&b| b == b':') {
                fields.push((text(&line[..colon]), text(&line[colon + 1..])));
            }
        }
        Self { version, fields }
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(super) fn uri(&self) -> Option<String> {
        self.field("warc-target-uri").map(bare_uri).filter(|uri| !uri.is_empty()).map(str::to_owned)
    }

    /// `Content-Length`, or what stands in its place.
    pub(super) fn content_length(&self) -> Result<u64, String> {
        let value = self.field("content-length").unwrap_or("missing");
        let is_number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        // A number too large for 64 bits is a length all the same: beyond every cap.
        if is_number { Ok(value.parse().unwrap_or(u64::MAX)) } else { Err(value.chars().take(40).collect()) }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.trim_ascii()).into_owned()
}

/// Whether a record starts here; `None` while there are too few bytes to tell.
pub(super) fn starts_record(bytes: &[u8]) -> bool {
    bytes.len() > 5 && bytes[..5].eq_ignore_ascii_case(b"WARC/") && bytes[5].is_ascii_digit()
}

/// Where the header that starts `bytes` ends: behind its blank line. Lines end in CRLF or LF.
pub(super) fn header_end(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'\n', &bytes[from..]) {
        let next = from + at + 1;
        match &bytes[next..] {
            [b'\n', ..] => return Some(next + 1),
            [b'\r', b'\n', ..] => return Some(next + 2),
            _ => from = next,
        }
    }
    None
}

/// Where in damaged bytes the next record starts: a version line and a header line behind it. Wants more than a version,
/// because pages write about WARC, and never less than [`starts_record`]: a place that is found and not read is found again.
pub(super) fn find_record(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&bytes[from..], b"WARC/") {
        let start = from + at;
        if is_version_and_field(&bytes[start..]) {
            return Some(start);
        }
        from = start + 5;
    }
    None
}

/// Bytes that [`find_record`] needs from a record's start to know it.
pub(super) const FIND_RECORD_BYTES: usize = 64;

fn is_version_and_field(bytes: &[u8]) -> bool {
    let bytes = &bytes[..bytes.len().min(FIND_RECORD_BYTES)];
    let Some(line_end) = bytes.iter().position(|&b| b == b'\n') else { return false };
    let version = bytes[5..line_end].trim_ascii_end();
    let is_version = (3..=5).contains(&version.len())
        && version[0].is_ascii_digit()
        && version.contains(&b'.')
        && version.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    let name: Vec<u8> = bytes[line_end + 1..].iter().copied().take_while(|b| *b != b':').collect();
    let is_field = !name.is_empty()
        && line_end + 1 + name.len() < bytes.len()
        && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    is_version && is_field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_leniently() {
        let check = |input: &str, name: &str, expected: Option<&str>| {
            let header = RecordHeader::parse(input.as_bytes());
            assert_eq!(header.field(name), expected, "{input:?}");
        };
        check("WARC/1.0\r\nWARC-Type: response\r\n\r\n", "warc-type", Some("response"));
        check("WARC/1.0\nwarc-type:\tresponse \n\n", "WARC-Type", Some("response"));
        check("WARC/1.0\r\nA: one\r\n  two\r\n\tthree\r\n\r\n", "a", Some("one two three"));
        check("WARC/1.0\r\nA:\r\n two\r\n\r\n", "a", Some("two"));
        check("WARC/1.0\r\n folded first\r\nno colon\r\nA: x\r\n\r\n", "a", Some("x"));
        assert_eq!(RecordHeader::parse(b"WARC/0.18\r\n\r\n").version, "0.18");
    }

    #[test]
    fn the_blank_line_ends_the_header() {
        let check = |input: &str, expected: Option<usize>| {
            assert_eq!(header_end(input.as_bytes()), expected, "{input:?}");
        };
        check("WARC/1.0\r\nA: b\r\n\r\nx", Some(18));
        check("WARC/1.0\nA: b\n\nx", Some(15));
        check("WARC/1.0\r\nA: b\r\n\r", None);
        check("", None);
    }

    #[test]
    fn lengths_are_numbers_or_nothing() {
        let check = |value: &str, expected: Result<u64, &str>| {
            let header = RecordHeader::parse(format!("WARC/1.0\r\nContent-Length: {value}\r\n\r\n").as_bytes());
            assert_eq!(header.content_length(), expected.map_err(str::to_owned), "{value:?}");
        };
        check("12", Ok(12));
        check("99999999999999999999999", Ok(u64::MAX));
        check("-1", Err("-1"));
        check("", Err(""));
        check("1e3", Err("1e3"));
    }

    #[test]
    fn records_are_found_by_version_and_field() {
        let check = |input: &str, expected: Option<usize>| assert_eq!(find_record(input.as_bytes()), expected);
        check("junk WARC/1.0\r\nWARC-Type: x\r\n", Some(5));
        check("the WARC/1.0 format; WARC/1.1\nContent-Length: 3\n", Some(21));
        check("WARC/1.0\r\n<p>no: field</p>", None);
        check("WARC/1.0\r\nWARC-Type", None);
        check("WARC/.01\r\nWARC-Type: x\r\n", None);
    }
}
