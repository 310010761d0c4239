//! An HTTP answer as a crawler saw it: status line, headers, body, and the codings on the way.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

/// How long a chunk of a chunked body is: short enough that a small page has several.
const CHUNK_BYTES: usize = 1500;

/// How a body travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coding {
    /// As it is, with its length.
    #[default]
    Plain,
    /// `Content-Encoding: gzip`. Stored rather than deflated: the record's bytes, and with them its digests, must
    /// not depend on the machine that made them.
    Gzip,
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// One HTTP answer to a GET of `url`.
#[derive(Debug, Clone)]
pub struct Response {
    pub(crate) url: String,
    pub(crate) date: Option<String>,
    status: u16,
    content_type: Option<String>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    coding: Coding,
}

impl Response {
    /// Status 200, `text/html; charset=utf-8`, an empty body.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            date: None,
            status: 200,
            content_type: Some("text/html; charset=utf-8".to_owned()),
            headers: Vec::new(),
            body: Vec::new(),
            coding: Coding::Plain,
        }
    }

    /// The status code; its phrase follows.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The `Content-Type` header; an empty text leaves it out.
    pub fn content_type(mut self, value: &str) -> Self {
        self.content_type = (!value.is_empty()).then(|| value.to_owned());
        self
    }

    /// One more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The body before any coding.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// How the body travels.
    pub fn coding(mut self, coding: Coding) -> Self {
        self.coding = coding;
        self
    }

    /// When it was fetched, as in `WARC-Date`; without it a date that follows from the URL.
    pub fn date(mut self, date: &str) -> Self {
        self.date = Some(date.to_owned());
        self
    }

    /// The HTTP message, and how many of its bytes are the head.
    pub(crate) fn into_message(self) -> (Vec<u8>, usize) {
        let (body, length_header) = match self.coding {
            Coding::Plain => {
                let header = format!("Content-Length: {}\r\n", self.body.len());
                (self.body, header)
            }
            Coding::Gzip => {
                let body = gzip(&self.body, Compression::none());
                let header = format!("Content-Encoding: gzip\r\nContent-Length: {}\r\n", body.len());
                (body, header)
            }
            Coding::Chunked => (chunked(&self.body), "Transfer-Encoding: chunked\r\n".to_owned()),
        };
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, phrase(self.status));
        if let Some(content_type) = &self.content_type {
            push_header(&mut head, "Content-Type", content_type);
        }
        for (name, value) in &self.headers {
            push_header(&mut head, name, value);
        }
        head += &length_header;
        head += "\r\n";
        let head_bytes = head.len();
        let mut message = head.into_bytes();
        message.extend(body);
        (message, head_bytes)
    }
}

/// Adds a header line, of HTTP or of WARC: they look alike.
pub(crate) fn push_header(head: &mut String, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        head.push_str(part);
    }
}

/// One gzip member with a fixed header: no name, no time, and no trace of the operating system.
pub(crate) fn gzip(bytes: &[u8], level: Compression) -> Vec<u8> {
    let builder = flate2::GzBuilder::new().mtime(0).operating_system(255);
    let mut encoder: GzEncoder<Vec<u8>> = builder.write(Vec::new(), level);
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 64);
    for chunk in body.chunks(CHUNK_BYTES) {
        out.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        out.extend(chunk);
        out.extend(b"\r\n");
    }
    out.extend(b"0\r\n\r\n");
    out
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        403 => "Forbidden",
        404 => "Not Found",
        410 => "Gone",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Unknown",
    }
}
