//! Records to captures, each with an outcome.
//!
//! Every response, and every damaged place, gets exactly one outcome, so that the books of a run add up. What is no
//! response of a web server (requests, metadata, revisits, DNS answers) is skipped and named.

mod date;
mod sample;
mod signals;
mod xhtml;

use bytes::Bytes;
use item::{
    Attributes, Capture, Digest, Failure, FailureClass, Head, Item, ItemId, Provenance, Rejection, Rule, name,
    registrable_domain,
};
use url::Url;
use warc::{RecordType, WarcHeader};

pub use date::rfc3339;
pub use sample::{NOT_SAMPLED, Sample};
pub use signals::{ROBOTS_NOAI, ROBOTS_NOIMAGEAI, ROBOTS_NOINDEX, SignalPolicy, TDM_RESERVED};

use signals::Signals;

use crate::Limits;
use crate::archive::{ArchiveReader, Damage, Entry, ReadError, WarcRecord};
use crate::charset::{self, Hints};
use crate::digest::{self, Verdict};
use crate::http::{self, HttpError, HttpResponse, MimeKind, sniff};

/// The server did not answer 200.
pub const ERROR_STATUS: Rule =
    Rule { name: "error-status", meaning: "The HTTP status is not 200: an error page, a redirect or a part." };
/// The payload is something else than a page.
pub const NOT_HTML: Rule = Rule {
    name: "not-html",
    meaning: "The MIME type is neither `text/html` nor `application/xhtml+xml`, or the bytes are an image, font or PDF.",
};
/// There is nothing.
pub const EMPTY_PAYLOAD: Rule =
    Rule { name: "empty-payload", meaning: "The payload is empty or nothing but white space." };
/// The payload is not what the crawler wrote.
pub const BAD_DIGEST: Rule = Rule {
    name: "bad-digest",
    meaning: "Digests are verified, and the record's bytes do not have the digest that its header names.",
};
/// Browsers show an error in its place.
pub const BROKEN_XHTML: Rule = Rule {
    name: "broken-xhtml",
    meaning: "The MIME type is `application/xhtml+xml`, and the document is not well-formed: browsers show an error instead of it.",
};
/// All rules of this crate.
pub const RULES: &[Rule] = &[
    ERROR_STATUS,
    NOT_HTML,
    EMPTY_PAYLOAD,
    BROKEN_XHTML,
    TDM_RESERVED,
    ROBOTS_NOAI,
    ROBOTS_NOIMAGEAI,
    ROBOTS_NOINDEX,
    BAD_DIGEST,
];

/// What captures are made under.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CapturePolicy {
    /// Crawl that the archive belongs to, such as `CC-MAIN-2024-51`; empty when not named.
    pub crawl: String,
    /// Which responses are taken at all.
    pub sample: Sample,
    /// Which of the page's signals reject it.
    pub signals: SignalPolicy,
    /// Whether the digests in record headers are compared with the bytes.
    pub verify_digests: bool,
}

/// What came of an entry.
#[derive(Debug, Clone, PartialEq)]
pub enum CaptureOutcome {
    /// A page.
    Capture(Box<Item<Capture>>),
    /// A response that we do not want.
    Rejected(Box<Head>, Rejection),
    /// A response that could not be read, or a damaged place of the archive.
    Failed(Box<Head>, Failure),
    /// No response of a web server: the record type.
    Skipped(String),
}

/// An iterator over the outcomes of an archive's entries, in the order of the file.
#[derive(Debug)]
pub struct CaptureReader {
    archive: ArchiveReader,
    maker: CaptureMaker,
}

impl CaptureReader {
    /// Makes captures of what `archive` gives.
    pub fn new(archive: ArchiveReader, policy: CapturePolicy) -> Self {
        let maker = CaptureMaker { archive: archive.name().to_owned(), limits: *archive.limits(), policy };
        Self { archive, maker }
    }

    /// How far the file was read: for progress.
    pub fn bytes_read(&self) -> u64 {
        self.archive.bytes_read()
    }
}

impl Iterator for CaptureReader {
    type Item = Result<CaptureOutcome, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.archive.next()?.map(|entry| self.maker.outcome(entry)))
    }
}

/// Makes captures of entries, one by one: what threads share that read one archive.
#[derive(Debug, Clone)]
pub struct CaptureMaker {
    /// Name of the archive in messages and provenance.
    pub archive: String,
    /// The caps on HTTP messages.
    pub limits: Limits,
    /// What captures are made under.
    pub policy: CapturePolicy,
}

impl CaptureMaker {
    /// The outcome of one entry.
    pub fn outcome(&self, entry: Entry) -> CaptureOutcome {
        let record = match entry {
            Entry::Damage(damage) => return self.damaged(damage),
            Entry::Record(record) => record,
        };
        let is_http = |record: &WarcRecord| {
            let says_http = record.header(&WarcHeader::ContentType).is_some_and(|t| t.starts_with("application/http"));
            says_http || http::is_response(&record.block)
        };
        if record.record_type != RecordType::Response || !is_http(&record) {
            return CaptureOutcome::Skipped(record.record_type.to_string());
        }
        self.response(&record)
    }

    fn response(&self, record: &WarcRecord) -> CaptureOutcome {
        let mut head = self.head(record);
        let message =
            |text: &dyn std::fmt::Display| format!("record at byte {} of `{}`: {text}", record.offset, self.archive);
        if head.provenance.url.is_empty() {
            let message = message(&"it has no WARC-Target-URI");
            return CaptureOutcome::Failed(Box::new(head), Failure { class: FailureClass::Decode, message });
        }
        let http = match HttpResponse::parse(&record.block, &self.limits) {
            Ok(http) => http,
            Err(error) => {
                let class = match error {
                    HttpError::NoStatusLine { .. } => FailureClass::Decode,
                    HttpError::HeaderTooLong { .. } | HttpError::PayloadTooLarge { .. } => FailureClass::Limit,
                };
                return CaptureOutcome::Failed(Box::new(head), Failure { class, message: message(&error) });
            }
        };
        head.id = ItemId::of_capture(&head.provenance.url, &head.provenance.fetched_at, &Digest::of(&http.payload));
        if !self.policy.sample.takes(&head.id) {
            return CaptureOutcome::Skipped(NOT_SAMPLED.to_owned());
        }

        if self.policy.verify_digests
            && let Verdict::Different { field, said, found } = digest::verify(record)
        {
            let detail = format!("{field} is {said}, the bytes have {found}");
            return CaptureOutcome::Rejected(Box::new(head), Rejection { rule: BAD_DIGEST, detail });
        }
        let said_mime = http.head.mime().filter(|mime| !http::is_unknown(mime));
        let mime = said_mime.unwrap_or_else(|| sniff(&http.payload).mime().to_owned());
        if let Some(rejection) = reject(http.head.status, &mime, &http.payload) {
            return CaptureOutcome::Rejected(Box::new(head), rejection);
        }

        let hints = Hints {
            http: http.head.charset(),
            is_xhtml: mime == XHTML,
            tld: head.provenance.domain.rsplit('.').next(),
        };
        let charset = charset::determine(&http.payload, hints);
        head.attributes.set(name::CHARSET, charset.encoding.name());
        head.attributes.set(name::CHARSET_SOURCE, charset.source.name());
        let mut html = charset::decode(&http.payload, charset);
        if mime == XHTML {
            match xhtml::to_html(&html) {
                Ok(written) => html = written,
                Err(detail) => {
                    return CaptureOutcome::Rejected(Box::new(head), Rejection { rule: BROKEN_XHTML, detail });
                }
            }
        }
        let signals = Signals::of(&http.head, &html);
        signals.write(&mut head.attributes);
        if let Some(rejection) = signals.reject(self.policy.signals) {
            return CaptureOutcome::Rejected(Box::new(head), rejection);
        }
        let body = Capture {
            status: http.head.status,
            mime,
            charset: charset.encoding.name().to_owned(),
            charset_source: charset.source,
            html,
            truncated: http.truncated || record.header(&WarcHeader::Truncated).is_some(),
            headers: http.head.headers,
        };
        CaptureOutcome::Capture(Box::new(Item { head, body }))
    }

    /// Envelope of a record; its id is that of the place until the payload is known.
    fn head(&self, record: &WarcRecord) -> Head {
        let url = record.uri().unwrap_or_default().to_owned();
        let provenance = Provenance {
            domain: domain_of(&url),
            url,
            crawl: self.policy.crawl.clone(),
            warc_filename: self.archive.clone(),
            warc_record_offset: record.offset,
            warc_record_length: record.length,
            fetched_at: record.header(&WarcHeader::Date).and_then(rfc3339).unwrap_or_default(),
        };
        let id = self.id_of_place(record.offset, record.inner_offset);
        Head { id, provenance, attributes: Attributes::new() }
    }

    fn damaged(&self, damage: Damage) -> CaptureOutcome {
        let message = format!("archive `{}` is damaged {damage}", self.archive);
        let url = damage.uri.unwrap_or_default();
        let provenance = Provenance {
            domain: domain_of(&url),
            url,
            crawl: self.policy.crawl.clone(),
            warc_filename: self.archive.clone(),
            warc_record_offset: damage.offset,
            warc_record_length: damage.length,
            fetched_at: String::new(),
        };
        let id = self.id_of_place(damage.offset, damage.inner_offset);
        let head = Head { id, provenance, attributes: Attributes::new() };
        CaptureOutcome::Failed(Box::new(head), Failure { class: FailureClass::Damaged, message })
    }

    /// Places inside one gzip member share its offset and need ids of their own.
    fn id_of_place(&self, offset: u64, inner_offset: u64) -> ItemId {
        let id = ItemId::of_place(&self.archive, offset);
        if inner_offset == 0 { id } else { id.child(inner_offset as usize) }
    }
}

const HTML: &str = "text/html";
const XHTML: &str = "application/xhtml+xml";

fn reject(status: u16, mime: &str, payload: &Bytes) -> Option<Rejection> {
    if status != 200 {
        return Some(Rejection { rule: ERROR_STATUS, detail: format!("status {status}") });
    }
    if is_blank(payload) {
        return Some(Rejection { rule: EMPTY_PAYLOAD, detail: format!("{} bytes", payload.len()) });
    }
    if mime != HTML && mime != XHTML {
        return Some(Rejection { rule: NOT_HTML, detail: format!("type {mime}") });
    }
    if http::is_binary_by_magic(payload) {
        let detail = format!("type {mime}, but it starts like {}", MimeKind::Binary.mime());
        return Some(Rejection { rule: NOT_HTML, detail });
    }
    None
}

fn is_blank(payload: &[u8]) -> bool {
    payload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(payload).trim_ascii().is_empty()
}

fn domain_of(url: &str) -> String {
    Url::parse(url).ok().and_then(|url| url.host_str().map(registrable_domain)).unwrap_or_default()
}
