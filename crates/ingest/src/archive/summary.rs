//! An entry in one line, for people who look into archives.

use warc::{RecordType, WarcHeader};

use super::{Damage, Entry, WarcRecord};
use crate::http::{HttpHead, essence};

/// What an entry is, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntrySummary {
    /// Where it starts in the file.
    pub offset: u64,
    /// Unpacked bytes before it in its gzip member.
    pub inner_offset: u64,
    /// Bytes in the file; 0 when it shares a gzip member.
    pub length: u64,
    /// Record type; `damage` for damage.
    pub kind: String,
    /// Target URI.
    pub uri: Option<String>,
    /// HTTP status of a response.
    pub status: Option<u16>,
    /// MIME type: the HTTP header's of a response, else the record's.
    pub mime: Option<String>,
    /// Bytes of the block.
    pub block_bytes: u64,
    /// `WARC-Record-ID`.
    pub id: Option<String>,
    /// Records of the same fetch (`WARC-Concurrent-To`).
    pub concurrent_to: Vec<String>,
    /// URI of the capture that a revisit has its payload from.
    pub refers_to: Option<String>,
    /// Why the crawler cut the block (`WARC-Truncated`).
    pub truncated: Option<String>,
    /// What is wrong.
    pub damage: Option<String>,
}

impl EntrySummary {
    /// Summarises `entry`.
    pub fn of(entry: &Entry) -> Self {
        match entry {
            Entry::Record(record) => Self::of_record(record),
            Entry::Damage(damage) => Self::of_damage(damage),
        }
    }

    fn of_record(record: &WarcRecord) -> Self {
        let is_http = matches!(record.record_type, RecordType::Response | RecordType::Revisit);
        let head = if is_http { HttpHead::parse(&record.block, usize::MAX).ok() } else { None };
        let mime = match &head {
            Some(head) => head.mime(),
            None => record.header(&WarcHeader::ContentType).and_then(essence),
        };
        let text = |name: &WarcHeader| record.header(name).map(str::to_owned);
        Self {
            offset: record.offset,
            inner_offset: record.inner_offset,
            length: record.length,
            kind: record.record_type.to_string(),
            uri: record.uri().map(str::to_owned),
            status: head.map(|head| head.status),
            mime,
            block_bytes: record.block.len() as u64,
            id: text(&WarcHeader::RecordID),
            concurrent_to: record.all(&WarcHeader::ConcurrentTo).map(str::to_owned).collect(),
            refers_to: record.refers_to_uri().map(str::to_owned),
            truncated: text(&WarcHeader::Truncated),
            damage: None,
        }
    }

    fn of_damage(damage: &Damage) -> Self {
        Self {
            offset: damage.offset,
            inner_offset: damage.inner_offset,
            length: damage.length,
            kind: "damage".to_owned(),
            uri: damage.uri.clone(),
            status: None,
            mime: None,
            block_bytes: 0,
            id: None,
            concurrent_to: Vec::new(),
            refers_to: None,
            truncated: None,
            damage: Some(damage.reason.to_string()),
        }
    }
}
