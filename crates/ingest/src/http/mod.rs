//! The HTTP response inside a record's block: status, headers, payload.
//!
//! Servers and crawlers write what they like, and a page is worth more than a conforming header. So the header is split
//! by hand and leniently, and every coding that does not hold what it says is taken as not applied.

mod chunked;
mod coding;
mod mime;

use bytes::Bytes;

pub use mime::{MimeKind, essence, sniff};
pub(crate) use mime::{is_binary_by_magic, is_unknown};

use crate::Limits;

/// The block is not a usable HTTP response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// It starts with something else.
    #[error("the block does not start with an HTTP status line but with `{start}`")]
    NoStatusLine {
        /// Its first characters.
        start: String,
    },
    /// The header does not end.
    #[error("the HTTP header is longer than {limit} bytes")]
    HeaderTooLong {
        /// The cap.
        limit: usize,
    },
    /// The payload unpacks to too much.
    #[error("the payload is larger than {limit} bytes")]
    PayloadTooLarge {
        /// The cap.
        limit: u64,
    },
}

/// Status line and header fields of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpHead {
    /// Status code.
    pub status: u16,
    /// Header fields in order, names as sent.
    pub headers: Vec<(String, String)>,
    /// Bytes before the body.
    pub bytes: usize,
}

/// A response with its transfer and content codings undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// Status line and header fields.
    pub head: HttpHead,
    /// The payload.
    pub payload: Bytes,
    /// A coding ended before its end: the payload is only its start.
    pub truncated: bool,
}

impl HttpResponse {
    /// Parses `block` and undoes its codings.
    pub fn parse(block: &Bytes, limits: &Limits) -> Result<Self, HttpError> {
        let head = HttpHead::parse(block, limits.http_header_bytes_max)?;
        let body = block.slice(head.bytes..);
        let payload = coding::undo(&head, body, limits.payload_bytes_max)?;
        Ok(Self { head, payload: payload.bytes, truncated: payload.truncated })
    }
}

impl HttpHead {
    /// Parses the header that starts `block`. Interim responses (`100 Continue`) before the answer are passed over.
    pub fn parse(block: &[u8], bytes_max: usize) -> Result<Self, HttpError> {
        let mut start = 0;
        loop {
            let head = Self::parse_one(&block[start..], bytes_max)?;
            let next = start + head.bytes;
            let is_interim = (100..200).contains(&head.status) && head.status != 101;
            if !is_interim || !block[next..].starts_with(b"HTTP/") {
                return Ok(Self { bytes: next, ..head });
            }
            start = next;
        }
    }

    fn parse_one(block: &[u8], bytes_max: usize) -> Result<Self, HttpError> {
        let status = status_line(block).ok_or_else(|| HttpError::NoStatusLine { start: first_characters(block) })?;
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut at = line_end(block, 0);
        while at < block.len() {
            let next = line_end(block, at);
            if next > bytes_max {
                return Err(HttpError::HeaderTooLong { limit: bytes_max });
            }
            let line = block[at..next].trim_ascii_end();
            let is_folded = block[at] == b' ' || block[at] == b'\t';
            at = next;
            if line.is_empty() {
                break;
            }
            if is_folded {
                if let Some((_, value)) = headers.last_mut() {
                    value.push(' ');
                    value.push_str(&text(line));
                }
            } else if let Some(colon) = line.iter().position(|b| *b == b':') {
                headers.push((text(&line[..colon]), text(&line[colon + 1..])));
            }
        }
        Ok(Self { status, headers, bytes: at })
    }

    /// Values of the fields of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// MIME type of the last `Content-Type` that is one, without parameters, lower case.
    pub fn mime(&self) -> Option<String> {
        self.all("content-type").rev().find_map(essence)
    }

    /// The `charset` parameter of `Content-Type`.
    pub fn charset(&self) -> Option<&str> {
        self.all("content-type").rev().find_map(mime::charset)
    }
}

/// The body with its chunks undone; `None` when it has none.
pub(crate) fn undo_chunks(head: &HttpHead, body: &[u8]) -> Option<Vec<u8>> {
    let is_chunked = head.all("transfer-encoding").any(|value| value.to_ascii_lowercase().contains("chunked"));
    chunked::undo(body).filter(|_| is_chunked).map(|(bytes, _)| bytes)
}

/// Whether `block` starts like an HTTP response.
pub fn is_response(block: &[u8]) -> bool {
    status_line(block).is_some()
}

/// The status of `HTTP/1.1 200 OK`, `HTTP/2 200`, `ICY 200 OK`, and of what else calls itself some kind of HTTP.
fn status_line(block: &[u8]) -> Option<u16> {
    let line = &block[..line_end(block, 0).min(1024)];
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let protocol = words.next()?;
    if !protocol.starts_with(b"HTTP") && protocol != b"ICY" {
        return None;
    }
    let code = words.next()?;
    let digits = std::str::from_utf8(code.get(..3)?).ok()?;
    digits.parse().ok().filter(|status| (100..1000).contains(status))
}

/// Where the line that holds `at` ends, its line feed included.
fn line_end(block: &[u8], at: usize) -> usize {
    block[at..].iter().position(|b| *b == b'\n').map_or(block.len(), |end| at + end + 1)
}

/// Header bytes as text: UTF-8 where they are, else Latin-1, which is what HTTP once said.
fn text(bytes: &[u8]) -> String {
    let bytes = bytes.trim_ascii();
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|b| char::from(*b)).collect(), str::to_owned)
}

fn first_characters(block: &[u8]) -> String {
    let start = &block[..block.len().min(40)];
    String::from_utf8_lossy(start).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines_are_read_leniently() {
        let check = |line: &str, expected: Option<u16>| {
            let status = HttpHead::parse(format!("{line}\r\nA: b\r\n\r\nbody").as_bytes(), 1024).ok().map(|h| h.status);
            assert_eq!(status, expected, "{line:?}");
        };
        check("HTTP/1.1 200 OK", Some(200));
        check("HTTP/1.0 404", Some(404));
        check("HTTP/2 200", Some(200));
        check("ICY 200 OK", Some(200));
        check("HTTPX/1.1 200 OK", Some(200));
        check("HTTP/1.1  301  Moved", Some(301));
        check("HTTP/1.1 OK", None);
        check("<html>", None);
        check("", None);
    }

    #[test]
    fn headers_are_split_leniently() {
        let check = |input: &[u8], name: &str, expected: &[&str], body: &[u8]| {
            let head = HttpHead::parse(input, 1024).expect("a response");
            assert_eq!(head.all(name).collect::<Vec<_>>(), expected);
            assert_eq!(&input[head.bytes..], body);
        };
        check(b"HTTP/1.1 200 OK\r\nA: 1\r\na:2\r\n\r\nx", "A", &["1", "2"], b"x");
        check(b"HTTP/1.1 200 OK\nA: 1\n\nx\n\ny", "A", &["1"], b"x\n\ny");
        check(b"HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\nno colon\r\nB: 2\r\n\r\n", "A", &["1 folded"], b"");
        check(b"HTTP/1.1 200 OK\r\nA: caf\xe9\r\n\r\n", "A", &["caf\u{e9}"], b"");
        check(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\n\r\nx", "A", &["1"], b"x");
        check(b"HTTP/1.1 204 No Content\r\nA: 1", "A", &["1"], b"");
        let endless = [&b"HTTP/1.1 200 OK\r\n"[..], &b"A: b\r\n".repeat(1000)].concat();
        assert_eq!(HttpHead::parse(&endless, 1024), Err(HttpError::HeaderTooLong { limit: 1024 }));
    }
}
