//! What a URL gave, from archives of assets.
//!
//! The index holds places, not bytes: one pass notes where each response lies, and each use reads one record again. It
//! never changes once built, so that threads share it without locks. A revisit stands for the record that it refers to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use item::{ContentHasher, Digest};
use warc::{RecordType, WarcHeader};

use crate::Limits;
use crate::archive::{ArchiveReader, Entry, OpenError, ReadError, WarcRecord};
use crate::capture::rfc3339;
use crate::http::{HttpResponse, essence, sniff};

/// The assets could not be indexed or read.
#[derive(Debug, thiserror::Error)]
pub enum AssetError {
    /// An archive can not be opened.
    #[error("open an archive of assets")]
    Open(#[from] OpenError),
    /// Reading failed.
    #[error("read an archive of assets")]
    Read(#[from] ReadError),
    /// The record is not where it was.
    #[error("find `{url}` in `{path}` again: the file has changed since it was indexed")]
    Changed {
        /// What was asked for.
        url: String,
        /// Where it was.
        path: PathBuf,
    },
}

/// What a URL gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// The URL as archived.
    pub url: String,
    /// MIME type without parameters, lower case.
    pub mime: String,
    /// The payload, its codings undone.
    pub bytes: Bytes,
}

/// Where the assets of some archives lie, by URL.
#[derive(Debug)]
pub struct AssetIndex {
    paths: Vec<PathBuf>,
    places: BTreeMap<String, Place>,
    limits: Limits,
    damage: Vec<String>,
}

#[derive(Debug, Clone)]
struct Place {
    path: usize,
    offset: u64,
    inner_offset: u64,
    fetched_at: String,
    payload: Digest,
}

/// A capture whose payload stands in another record.
struct Revisit {
    url: String,
    fetched_at: String,
    payload: Option<String>,
    refers_to: Option<String>,
}

impl Revisit {
    fn of(record: &WarcRecord) -> Option<Self> {
        Some(Self {
            url: record.uri()?.to_owned(),
            fetched_at: record.header(&WarcHeader::Date).and_then(rfc3339).unwrap_or_default(),
            payload: record.header(&WarcHeader::PayloadDigest).map(str::to_owned),
            refers_to: record.refers_to_uri().map(str::to_owned),
        })
    }
}

impl AssetIndex {
    /// Reads the archives once and notes their assets. Of several captures of one URL the latest counts, whatever the
    /// order of the files. Damage costs assets, not the index; see [`Self::damage`].
    pub fn build(paths: &[impl AsRef<Path>], limits: Limits) -> Result<Self, AssetError> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
        let mut index = Self { places: BTreeMap::new(), limits, damage: Vec::new(), paths };
        let mut revisits = Vec::new();
        let mut payloads = BTreeMap::new();
        for path in 0..index.paths.len() {
            let reader = ArchiveReader::open(&index.paths[path], limits)?;
            let name = reader.name().to_owned();
            for entry in reader {
                match entry? {
                    Entry::Record(record) if record.record_type == RecordType::Revisit => {
                        revisits.extend(Revisit::of(&record));
                    }
                    Entry::Record(record) => index.add(path, &record, &mut payloads),
                    Entry::Damage(damage) => index.damage.push(format!("`{name}` is damaged {damage}")),
                }
            }
        }
        index.add_revisits(revisits, &payloads);
        Ok(index)
    }

    fn add(&mut self, path: usize, record: &WarcRecord, payloads: &mut BTreeMap<String, Place>) {
        let Some(asset) = read_asset(record, &self.limits) else { return };
        let place = Place {
            path,
            offset: record.offset,
            inner_offset: record.inner_offset,
            fetched_at: record.header(&WarcHeader::Date).and_then(rfc3339).unwrap_or_default(),
            payload: Digest::of(&asset.bytes),
        };
        if let Some(digest) = record.header(&WarcHeader::PayloadDigest) {
            payloads.entry(digest.to_owned()).or_insert_with(|| place.clone());
        }
        self.put(asset.url, place);
    }

    fn put(&mut self, url: String, place: Place) {
        let rank = |place: &Place| (place.fetched_at.clone(), place.payload);
        let is_better = self.places.get(&url).is_none_or(|known| rank(&place) > rank(known));
        if is_better {
            self.places.insert(url, place);
        }
    }

    /// Takes revisits as captures of what they refer to: by the digest of the payload, else by URI.
    fn add_revisits(&mut self, revisits: Vec<Revisit>, payloads: &BTreeMap<String, Place>) {
        let found = |revisit: Revisit| {
            let by_payload = revisit.payload.as_ref().and_then(|digest| payloads.get(digest));
            let by_uri = revisit.refers_to.as_ref().and_then(|uri| self.places.get(uri));
            let place = by_payload.or(by_uri)?;
            Some((revisit.url, Place { fetched_at: revisit.fetched_at, ..place.clone() }))
        };
        let found: Vec<_> = revisits.into_iter().filter_map(found).collect();
        for (url, place) in found {
            self.put(url, place);
        }
    }

    /// What `url` gave; a fragment is ignored where it was not archived with one.
    pub fn get(&self, url: &str) -> Result<Option<Asset>, AssetError> {
        let without_fragment = url.split('#').next().unwrap_or(url);
        let Some(place) = self.places.get(url).or_else(|| self.places.get(without_fragment)) else {
            return Ok(None);
        };
        let path = &self.paths[place.path];
        for entry in ArchiveReader::open_at(path, place.offset, self.limits)? {
            let Entry::Record(record) = entry? else { continue };
            if (record.offset, record.inner_offset) == (place.offset, place.inner_offset) {
                let asset = read_asset(&record, &self.limits).filter(|a| Digest::of(&a.bytes) == place.payload);
                return asset.map(Some).ok_or_else(|| self.changed(url, path));
            }
            if record.offset > place.offset {
                break;
            }
        }
        Err(self.changed(url, path))
    }

    fn changed(&self, url: &str, path: &Path) -> AssetError {
        debug_assert!(self.paths.iter().any(|p| p == path), "a path of this index");
        AssetError::Changed { url: url.to_owned(), path: path.to_owned() }
    }

    /// Identity of what the index can answer: URLs and payloads, not files.
    pub fn digest(&self) -> Digest {
        let mut hasher = ContentHasher::new("assets");
        for (url, place) in &self.places {
            hasher.add_text(url).add_digest(&place.payload);
        }
        hasher.finish()
    }

    /// The URLs, sorted.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// Number of URLs.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is no asset.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// What was damaged in the archives, one message each.
    pub fn damage(&self) -> &[String] {
        &self.damage
    }
}

/// The asset in a record: a response with status 200, or a resource.
fn read_asset(record: &WarcRecord, limits: &Limits) -> Option<Asset> {
    let url = record.uri()?.to_owned();
    let (said_mime, bytes) = match record.record_type {
        RecordType::Response => {
            let http = HttpResponse::parse(&record.block, limits).ok()?;
            if http.head.status != 200 || http.truncated {
                return None;
            }
            (http.head.mime(), http.payload)
        }
        RecordType::Resource => (record.header(&WarcHeader::ContentType).and_then(essence), record.block.clone()),
        _ => return None,
    };
    let mime = said_mime.unwrap_or_else(|| sniff(&bytes).mime().to_owned());
    Some(Asset { url, mime, bytes })
}
