//! Which request a response answers.
//!
//! Crawlers write a fetch as several records: the request, the response, and what they say of it. `WARC-Concurrent-To`
//! names the other one where they keep to the standard; else a request and a response of one URI and one date that stand
//! close together are taken as a pair.

use std::collections::VecDeque;

use warc::{RecordType, WarcHeader};

use super::WarcRecord;

/// Records without a partner that are remembered: crawlers with many connections write some of other fetches in between.
const OPEN_MAX: usize = 256;

/// Pairs the requests and responses of an archive, record by record.
#[derive(Debug, Default)]
pub struct Exchanges {
    open: VecDeque<Half>,
}

#[derive(Debug)]
struct Half {
    is_request: bool,
    offset: u64,
    inner_offset: u64,
    id: Option<String>,
    concurrent_to: Vec<String>,
    uri: String,
    date: Option<String>,
}

impl Exchanges {
    /// The partner of `record` among the records before it, as its offset and its unpacked bytes behind that.
    pub fn partner(&mut self, record: &WarcRecord) -> Option<(u64, u64)> {
        let half = Half::of(record)?;
        let named = self.open.iter().rposition(|open| open.is_request != half.is_request && open.is_named_with(&half));
        let alike = || self.open.iter().rposition(|open| open.is_request != half.is_request && open.is_like(&half));
        if let Some(found) = named.or_else(alike).and_then(|at| self.open.remove(at)) {
            return Some((found.offset, found.inner_offset));
        }
        if self.open.len() == OPEN_MAX {
            self.open.pop_front();
        }
        self.open.push_back(half);
        None
    }
}

impl Half {
    fn of(record: &WarcRecord) -> Option<Self> {
        let is_request = match record.record_type {
            RecordType::Request => true,
            RecordType::Response | RecordType::Revisit => false,
            _ => return None,
        };
        Some(Self {
            is_request,
            offset: record.offset,
            inner_offset: record.inner_offset,
            id: record.header(&WarcHeader::RecordID).map(str::to_owned),
            concurrent_to: record.all(&WarcHeader::ConcurrentTo).map(str::to_owned).collect(),
            uri: record.uri()?.to_owned(),
            date: record.header(&WarcHeader::Date).map(str::to_owned),
        })
    }

    fn is_named_with(&self, other: &Self) -> bool {
        let names = |from: &Self, to: &Self| to.id.as_ref().is_some_and(|id| from.concurrent_to.contains(id));
        names(self, other) || names(other, self)
    }

    fn is_like(&self, other: &Self) -> bool {
        self.uri == other.uri && self.date == other.date
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: u64, kind: RecordType, uri: &str, id: &str, concurrent_to: &str) -> WarcRecord {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        WarcRecord {
            offset,
            inner_offset: 0,
            length: 0,
            version: "1.0".to_owned(),
            record_type: kind,
            headers: vec![
                field("WARC-Target-URI", uri),
                field("WARC-Record-ID", id),
                field("WARC-Concurrent-To", concurrent_to),
            ],
            block: bytes::Bytes::new(),
        }
    }

    #[test]
    fn pairs_by_name_or_by_likeness() {
        let mut exchanges = Exchanges::default();
        let mut check = |record: WarcRecord, expected: Option<u64>| {
            let found = exchanges.partner(&record).map(|(offset, _)| offset);
            assert_eq!(found, expected, "{record:?}");
        };
        check(record(1, RecordType::Request, "u", "a", ""), None);
        check(record(2, RecordType::Request, "u", "b", ""), None);
        check(record(3, RecordType::Response, "u", "c", "a"), Some(1));
        check(record(4, RecordType::Metadata, "u", "m", "c"), None);
        check(record(5, RecordType::Response, "u", "d", ""), Some(2));
        check(record(6, RecordType::Revisit, "v", "e", ""), None);
        check(record(7, RecordType::Response, "v", "f", ""), None);
        check(record(8, RecordType::Request, "v", "g", "e"), Some(6));
    }
}
