//! ARC files, the Internet Archive's format before WARC: a line of fields, a block, a line feed.
//!
//! `URL IP-address Archive-date Content-type Archive-length`, and in version 2 five more fields between type and length.
//! URLs have spaces in them often enough that a line is read from its end. Its fields are given WARC's names, so that
//! nobody behind the reader has to know that there was an ARC.

use super::record::RecordHeader;
use crate::capture::rfc3339;

/// A longer line is no header: URLs of some KiB are found, longer ones are not.
pub(super) const LINE_BYTES_MAX: usize = 8 * 1024;
/// The first record of a file, which describes it.
const FILE_DESCRIPTION: &[u8] = b"filedesc://";
/// Type of that record, as other readers call it.
pub(super) const HEADER_TYPE: &str = "arc_header";

pub(super) fn starts_record(bytes: &[u8]) -> bool {
    bytes.starts_with(FILE_DESCRIPTION) || (has_scheme(bytes) && line(bytes).is_some_and(|l| Fields::of(l).is_some()))
}

pub(super) fn find_record(bytes: &[u8]) -> Option<usize> {
    let line_starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', bytes).map(|end| end + 1));
    line_starts.filter(|start| *start < bytes.len()).find(|start| starts_record(&bytes[*start..]))
}

pub(super) fn header_end(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', bytes).map(|end| end + 1)
}

pub(super) fn parse(header: &[u8], behind: &[u8]) -> RecordHeader {
    let is_description = header.starts_with(FILE_DESCRIPTION);
    let text = String::from_utf8_lossy(header.trim_ascii());
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut push = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
    let words: Vec<&str> = text.split(' ').collect();
    let said_length = words.last().copied().unwrap_or_default();
    if is_description {
        push("WARC-Type", HEADER_TYPE);
        push("WARC-Filename", words.first().and_then(|word| word.strip_prefix("filedesc://")).unwrap_or_default());
        push("Content-Type", "text/plain");
        let is_number = !said_length.is_empty() && said_length.bytes().all(|b| b.is_ascii_digit());
        // Writers that did not know the length of their own description still end it with a blank line.
        let length = if is_number { said_length.to_owned() } else { description_bytes(behind).to_string() };
        push("Content-Length", &length);
    } else if let Some(found) = Fields::of(header.trim_ascii_end()) {
        push("WARC-Type", "response");
        push("WARC-Target-URI", &found.url);
        push("WARC-Date", &rfc3339(found.date.get(..14).unwrap_or(&found.date)).unwrap_or(found.date));
        push("WARC-IP-Address", &found.address);
        let is_http = found.url.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"));
        let content_type = if is_http { "application/http; msgtype=response" } else { &found.content_type };
        push("Content-Type", content_type);
        push("Content-Length", said_length);
    }
    RecordHeader { version: "ARC".to_owned(), fields }
}

/// The version block of a description: up to the blank line behind its two lines.
fn description_bytes(behind: &[u8]) -> usize {
    let mut at = 0;
    for line in behind.split_inclusive(|b| *b == b'\n') {
        if line.trim_ascii().is_empty() || starts_record(line) {
            break;
        }
        at += line.len();
    }
    at
}

fn line(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = &bytes[..bytes.len().min(LINE_BYTES_MAX)];
    memchr::memchr(b'\n', bytes).map(|end| bytes[..end].trim_ascii_end())
}

/// Whether `bytes` start with `letters:`, as URLs do.
fn has_scheme(bytes: &[u8]) -> bool {
    const SCHEME_BYTES_MAX: usize = 16;
    let letters = bytes.iter().take(SCHEME_BYTES_MAX).take_while(|b| b.is_ascii_alphanumeric()).count();
    letters > 1 && bytes.get(letters) == Some(&b':')
}

struct Fields {
    url: String,
    address: String,
    date: String,
    content_type: String,
}

impl Fields {
    /// The fields of a header line; the place of the date tells the version.
    fn of(line: &[u8]) -> Option<Self> {
        let words: Vec<&[u8]> = line.split(|b| *b == b' ').collect();
        // Behind the date come the type and the length, or those and five more.
        let date = [3, 8].into_iter().find_map(|from_end| {
            let at = words.len().checked_sub(from_end)?;
            (at >= 2 && is_date(words[at])).then_some(at)
        })?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(Self {
            url: text(&words[..date - 1].join(&b' ')),
            address: text(words[date - 1]),
            date: text(words[date]),
            content_type: text(words[date + 1]),
        })
    }
}

/// 14 digits by the book; 8 to 18 are found.
fn is_date(word: &[u8]) -> bool {
    (8..=18).contains(&word.len()) && word.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_warc_fields() {
        let check = |line: &str, url: &str, date: &str, content_type: &str, length: Result<u64, &str>| {
            assert!(starts_record(line.as_bytes()), "{line}");
            let header = parse(line.as_bytes(), b"");
            assert_eq!(header.uri().as_deref(), Some(url), "{line}");
            assert_eq!(header.field("warc-date"), Some(date), "{line}");
            assert_eq!(header.field("content-type"), Some(content_type), "{line}");
            assert_eq!(header.content_length(), length.map_err(str::to_owned), "{line}");
        };
        let http = "application/http; msgtype=response";
        check(
            "http://a.example/ 1.2.3.4 20080430204825 text/html 12\n",
            "http://a.example/",
            "2008-04-30T20:48:25Z",
            http,
            Ok(12),
        );
        check(
            "http://a.example/a b c 1.2.3.4 20080430204825 text/html 12\r\n",
            "http://a.example/a b c",
            "2008-04-30T20:48:25Z",
            http,
            Ok(12),
        );
        check(
            "dns:a.example 1.2.3.4 20080430204825 text/dns 56\n",
            "dns:a.example",
            "2008-04-30T20:48:25Z",
            "text/dns",
            Ok(56),
        );
        let second = "http://a.example/ 1.2.3.4 20080430204825 text/html 200 ABC - 99 x.arc.gz 12\n";
        check(second, "http://a.example/", "2008-04-30T20:48:25Z", http, Ok(12));
        check(
            "http://a.example/ 1.2.3.4 201404010000000000 text/html -1\n",
            "http://a.example/",
            "2014-04-01T00:00:00Z",
            http,
            Err("-1"),
        );
    }

    #[test]
    fn other_lines_are_no_records() {
        let check = |text: &str| assert!(!starts_record(text.as_bytes()), "{text}");
        check("HTTP/1.1 200 OK\n");
        check("http://a.example/ is a page of 20080430\n");
        check("Date: Wed, 30 Apr 2008 20:48:25 GMT\n");
        check("http://a.example/ 1.2.3.4 20080430204825 text/html 12"); // no end in sight
        check("");
    }

    #[test]
    fn a_description_without_length_ends_with_its_blank_line() {
        let behind = b"1 0 X\nURL IP-address Archive-date Content-type Archive-length\n\nhttp://a.example/";
        assert_eq!(parse(b"filedesc://x - - - -1\n", behind).content_length(), Ok(62));
        assert_eq!(parse(b"filedesc://x - - - 76\n", behind).content_length(), Ok(76));
    }
}
