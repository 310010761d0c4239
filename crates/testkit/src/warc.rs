//! WARC files for tests: gzip per record or plain, with the records a crawler writes around a response.
//!
//! Ids, dates and addresses follow from the URL and the record's place, so equal calls give equal bytes.
//!
//! ```
//! use testkit::{response::Response, warc::WarcBuilder};
//! let archive = WarcBuilder::new()
//!     .page("https://a.example/", "<h1>Hello</h1>")
//!     .response(Response::new("https://a.example/gone").status(404))
//!     .build_gz();
//! assert_eq!(archive[..2], [0x1f, 0x8b]);
//! ```

use crate::response::{Response, gzip, push_header};
use crate::seed::{Seed, hash16, hex};
use flate2::Compression;
use sha2::{Digest, Sha256};

/// The records of one WARC file, in order.
#[derive(Debug, Clone, Default)]
pub struct WarcBuilder {
    records: Vec<Record>,
    with_neighbours: bool,
}

#[derive(Debug, Clone)]
struct Record {
    bytes: Vec<u8>,
    /// How much of the record is written, in thousandths of its (compressed) bytes.
    kept_permille: usize,
    /// Not a record at all: written as it is, never compressed.
    raw: bool,
}

impl WarcBuilder {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// From here on each response stands between a request and a metadata record, as Common Crawl writes them.
    pub fn with_requests(mut self) -> Self {
        self.with_neighbours = true;
        self
    }

    /// A `warcinfo` record with these fields.
    pub fn warcinfo(self, file_name: &str, fields: &[(&str, &str)]) -> Self {
        let id = self.id("warcinfo", file_name);
        let date = date_of("warcinfo");
        let mut body = String::new();
        for (name, value) in fields {
            push_header(&mut body, name, value);
        }
        self.record(
            &[
                ("WARC-Type", "warcinfo"),
                ("WARC-Record-ID", &id),
                ("WARC-Date", &date),
                ("WARC-Filename", file_name),
                ("Content-Type", "application/warc-fields"),
            ],
            body.as_bytes(),
        )
    }

    /// A page in UTF-8 that was answered with status 200.
    pub fn page(self, url: &str, html: &str) -> Self {
        self.response(Response::new(url).body(html))
    }

    /// A response record, with its neighbours if [`with_requests`](Self::with_requests) was called.
    pub fn response(mut self, response: Response) -> Self {
        let url = response.url.clone();
        let url = url.as_str();
        let date = response.date.clone().unwrap_or_else(|| date_of(url));
        let address = address_of(url);
        let id = self.id("response", url);
        if self.with_neighbours {
            let request_id = self.id("request", url);
            self = self.record(
                &[
                    ("WARC-Type", "request"),
                    ("WARC-Record-ID", &request_id),
                    ("WARC-Date", &date),
                    ("WARC-Target-URI", url),
                    ("WARC-IP-Address", &address),
                    ("WARC-Concurrent-To", &id),
                    ("Content-Type", "application/http; msgtype=request"),
                ],
                request_message(url).as_bytes(),
            );
        }
        let (message, head_bytes) = response.into_message();
        let payload_digest = digest(&message[head_bytes..]);
        let block_digest = digest(&message);
        self = self.record(
            &[
                ("WARC-Type", "response"),
                ("WARC-Record-ID", &id),
                ("WARC-Date", &date),
                ("WARC-Target-URI", url),
                ("WARC-IP-Address", &address),
                ("WARC-Payload-Digest", &payload_digest),
                ("WARC-Block-Digest", &block_digest),
                ("Content-Type", "application/http; msgtype=response"),
            ],
            &message,
        );
        if self.with_neighbours {
            let metadata_id = self.id("metadata", url);
            let fetch_ms = 40 + Seed::of(url).below(900);
            self = self.record(
                &[
                    ("WARC-Type", "metadata"),
                    ("WARC-Record-ID", &metadata_id),
                    ("WARC-Date", &date),
                    ("WARC-Target-URI", url),
                    ("WARC-Concurrent-To", &id),
                    ("Content-Type", "application/warc-fields"),
                ],
                format!("fetchTimeMs: {fetch_ms}\r\n").as_bytes(),
            );
        }
        self
    }

    /// Any record: its headers (`Content-Length` is added last) and its block.
    pub fn record(mut self, headers: &[(&str, &str)], block: &[u8]) -> Self {
        let mut head = "WARC/1.0\r\n".to_owned();
        for (name, value) in headers {
            push_header(&mut head, name, value);
        }
        push_header(&mut head, "Content-Length", &block.len().to_string());
        head += "\r\n";
        let mut bytes = head.into_bytes();
        bytes.extend(block);
        bytes.extend(b"\r\n\r\n");
        self.records.push(Record { bytes, kept_permille: 1000, raw: false });
        self
    }

    /// Bytes that are no record, written as they are.
    pub fn raw(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.records.push(Record { bytes: bytes.into(), kept_permille: 1000, raw: true });
        self
    }

    /// Damages the last response or record: only the first `kept_permille` thousandths of its bytes are written
    /// (of its compressed bytes by [`build_gz`](Self::build_gz)). What comes after it is whole.
    ///
    /// # Panics
    /// Where there is no record yet.
    pub fn cut_last(mut self, kept_permille: usize) -> Self {
        let is_response = |record: &&mut Record| record.bytes.starts_with(b"WARC/1.0\r\nWARC-Type: response");
        let last_response = self.records.iter_mut().rev().take(2).find(is_response);
        let record = match last_response {
            Some(record) => record,
            None => self.records.last_mut().expect("cut_last needs a record to cut"),
        };
        record.kept_permille = kept_permille;
        self
    }

    /// The file without compression.
    pub fn build(&self) -> Vec<u8> {
        self.records.iter().flat_map(|record| record.kept(record.bytes.clone())).collect()
    }

    /// The file with one gzip member a record.
    pub fn build_gz(&self) -> Vec<u8> {
        let member =
            |record: &Record| if record.raw { record.bytes.clone() } else { gzip(&record.bytes, Compression::best()) };
        self.records.iter().flat_map(|record| record.kept(member(record))).collect()
    }

    /// The records as they are before compression and damage, to compare an archive with.
    pub fn plain_records(&self) -> impl Iterator<Item = &[u8]> {
        self.records.iter().map(|record| record.bytes.as_slice())
    }

    /// A record id that no other record of the file has.
    fn id(&self, kind: &str, name: &str) -> String {
        let mut bytes = hash16(&[kind, name, &self.records.len().to_string()]);
        // Version 8 ("made by the application") and the variant bits of RFC 9562.
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = hex(&bytes);
        format!("<urn:uuid:{}-{}-{}-{}-{}>", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

impl Record {
    fn kept(&self, mut written: Vec<u8>) -> Vec<u8> {
        written.truncate(written.len() * self.kept_permille / 1000);
        written
    }
}

fn request_message(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, path.to_owned()));
    format!(
        "GET /{path} HTTP/1.1\r\nUser-Agent: databuild-sample/1.0\r\nAccept: text/html,application/xhtml+xml,*/*;q=0.8\r\n\
         Accept-Encoding: gzip\r\nHost: {host}\r\nConnection: keep-alive\r\n\r\n"
    )
}

/// A second of two days in December 2024, by name.
fn date_of(name: &str) -> String {
    let second = Seed::of(name).below(2 * 24 * 3600);
    let (day, second) = (4 + second / 86_400, second % 86_400);
    format!("2024-12-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// An address of a documentation network (RFC 5737), one a host.
fn address_of(url: &str) -> String {
    let host = url.split('/').nth(2).unwrap_or(url);
    format!("203.0.113.{}", 1 + Seed::of(host).below(254))
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::Coding;

    fn plain(builder: &WarcBuilder) -> String {
        String::from_utf8(builder.build()).unwrap()
    }

    #[test]
    fn a_page_is_one_response_record_with_true_lengths() {
        let text = plain(&WarcBuilder::new().page("https://a.example/x", "<p>hi"));
        let (head, block) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("WARC/1.0\r\nWARC-Type: response\r\n"), "{head}");
        let block = block.strip_suffix("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", block.len())), "{head}");
        assert!(block.ends_with("Content-Length: 5\r\n\r\n<p>hi"), "{block}");
    }

    #[test]
    fn neighbours_point_at_their_response() {
        let text = plain(&WarcBuilder::new().with_requests().page("https://a.example/x?y=1", "hi"));
        let types: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("WARC-Type: ")).collect();
        assert_eq!(types, ["request", "response", "metadata"]);
        assert_eq!(text.matches("WARC-Concurrent-To").count(), 2);
        assert!(text.contains("GET /x?y=1 HTTP/1.1\r\n"), "{text}");
    }

    #[test]
    fn equal_calls_give_equal_bytes_and_ids_differ() {
        let build = || WarcBuilder::new().page("https://a.example/", "hi").page("https://a.example/", "hi");
        assert_eq!(build().build_gz(), build().build_gz());
        let text = plain(&build());
        let ids: Vec<_> = text.lines().filter(|line| line.starts_with("WARC-Record-ID")).collect();
        assert_ne!(ids[0], ids[1]);
    }

    #[test]
    fn a_cut_response_leaves_its_neighbours_whole() {
        let whole =
            WarcBuilder::new().with_requests().page("https://a.example/", "hi").page("https://b.example/", "ho");
        let cut = WarcBuilder::new().with_requests().page("https://a.example/", "hi").cut_last(500);
        let cut = cut.page("https://b.example/", "ho");
        assert!(cut.build().len() < whole.build().len());
        assert_eq!(plain(&cut).matches("WARC-Type: request").count(), 2);
        assert_eq!(plain(&cut).matches("WARC-Type: metadata").count(), 2);
    }

    #[test]
    fn chunked_bodies_end_with_the_empty_chunk() {
        let body = "x".repeat(2000);
        let text =
            plain(&WarcBuilder::new().response(Response::new("https://a.example/").body(body).coding(Coding::Chunked)));
        assert!(text.contains("\r\n5dc\r\n") && text.contains("\r\n1f4\r\n"), "{text}");
        assert!(text.ends_with("\r\n0\r\n\r\n\r\n\r\n"));
    }
}
