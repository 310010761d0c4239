//! A file of answers.
//!
//! ```text
//! magic (8) | answers, one behind the other | index: key (16) offset (8) length (4) check (16), each | footer
//! footer: offset of the index (8) | entries (8) | check of the index (16) | magic (8)      numbers little-endian
//! ```
//!
//! Checks are the first half of a BLAKE3 digest. A file that was cut off has no footer, and so no answers.

use item::Digest;
use store::{BlobInfo, BlobName, Store, StoreError};

use super::Key;
use super::segments::SEGMENT_BYTES;

const MAGIC: &[u8; 8] = b"dbmemo\x00\x01";
const ENTRY_BYTES: usize = 16 + 8 + 4 + 16;
const FOOTER_BYTES: usize = 8 + 8 + 16 + 8;

/// What a file becomes: a little more than the size at which it is published.
const FILE_BYTES: usize = SEGMENT_BYTES + SEGMENT_BYTES / 8;

type Check = [u8; 16];

/// Answers by their keys.
type Answers = Vec<(Key, Vec<u8>)>;

/// Where an answer lies in its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Location {
    offset: u64,
    bytes: u32,
    check: Check,
}

fn check(bytes: &[u8]) -> Check {
    let mut check = [0; 16];
    check.copy_from_slice(&Digest::of(bytes).as_bytes()[..16]);
    check
}

/// Gathers answers.
#[derive(Debug, Default)]
pub(super) struct SegmentBuilder {
    /// The file so far.
    file: Vec<u8>,
    entries: Vec<(Key, Location)>,
}

impl SegmentBuilder {
    /// Adds an answer.
    pub(super) fn push(&mut self, key: Key, answer: &[u8]) {
        if self.file.is_empty() {
            // At once for all that may come: what grows is copied, and each copy is new memory that the system clears first.
            self.file.reserve(FILE_BYTES);
            self.file.extend_from_slice(MAGIC);
        }
        let offset = self.file.len() as u64;
        self.entries.push((key, Location { offset, bytes: answer.len() as u32, check: check(answer) }));
        self.file.extend_from_slice(answer);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of the file so far.
    pub(super) fn bytes(&self) -> usize {
        self.file.len()
    }

    /// The bytes of the file, and what is where in it.
    pub(super) fn finish(self) -> (Vec<u8>, Vec<(Key, Location)>) {
        let Self { mut file, entries } = self;
        if file.is_empty() {
            file.extend_from_slice(MAGIC);
        }
        let mut index = Vec::with_capacity(entries.len() * ENTRY_BYTES);
        for (key, location) in &entries {
            index.extend_from_slice(key);
            index.extend_from_slice(&location.offset.to_le_bytes());
            index.extend_from_slice(&location.bytes.to_le_bytes());
            index.extend_from_slice(&location.check);
        }
        let index_offset = file.len() as u64;
        file.extend_from_slice(&index);
        file.extend_from_slice(&index_offset.to_le_bytes());
        file.extend_from_slice(&(entries.len() as u64).to_le_bytes());
        file.extend_from_slice(&check(&index));
        file.extend_from_slice(MAGIC);
        (file, entries)
    }
}

/// Takes numbers and names off the front of a slice.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }
}

/// What a segment holds; `None` when it is damaged.
pub(super) fn read_index(store: &dyn Store, blob: &BlobInfo) -> Result<Option<Vec<(Key, Location)>>, StoreError> {
    let Some(footer_at) = blob.bytes.checked_sub(FOOTER_BYTES as u64) else { return Ok(None) };
    let footer = match store.get_range(&blob.name, footer_at..blob.bytes) {
        // Another process has put it together with others.
        Err(StoreError::NotFound { .. }) => return Ok(Some(Vec::new())),
        other => other?,
    };
    let Some((index_at, entries, index_check)) = footer_fields(&footer) else { return Ok(None) };
    if index_at > footer_at || (footer_at - index_at) != entries.saturating_mul(ENTRY_BYTES as u64) {
        return Ok(None);
    }
    let index = store.get_range(&blob.name, index_at..footer_at)?;
    let is_whole = check(&index) == index_check;
    Ok(is_whole.then(|| index.chunks_exact(ENTRY_BYTES).filter_map(entry).collect()))
}

/// All answers of a small segment, read at once; but for those that are damaged. None of one that is gone; `None` when it is damaged as
/// a whole.
pub(super) fn read_all(store: &dyn Store, blob: &BlobInfo) -> Result<Option<Answers>, StoreError> {
    let bytes = match store.get(&blob.name) {
        // Another process has put it together with others.
        Err(StoreError::NotFound { .. }) => return Ok(Some(Vec::new())),
        other => other?,
    };
    let answer = |(key, location): (Key, Location)| {
        let start = location.offset as usize;
        let answer = bytes.get(start..start + location.bytes as usize)?;
        (check(answer) == location.check).then(|| (key, answer.to_vec()))
    };
    Ok(index_of(&bytes).map(|entries| entries.into_iter().filter_map(answer).collect()))
}

/// The index of a segment whose bytes are at hand; `None` when it is damaged.
fn index_of(bytes: &[u8]) -> Option<Vec<(Key, Location)>> {
    let (body, footer) = bytes.split_at_checked(bytes.len().checked_sub(FOOTER_BYTES)?)?;
    let (index_at, entries, index_check) = footer_fields(footer)?;
    let index = body.get(index_at as usize..)?;
    let is_whole = index.len() as u64 == entries.saturating_mul(ENTRY_BYTES as u64) && check(index) == index_check;
    is_whole.then(|| index.chunks_exact(ENTRY_BYTES).filter_map(entry).collect())
}

fn footer_fields(footer: &[u8]) -> Option<(u64, u64, Check)> {
    let mut fields = Fields(footer);
    let (offset, entries, check) = (fields.take()?, fields.take()?, fields.take()?);
    let magic: [u8; 8] = fields.take()?;
    (&magic == MAGIC).then_some((u64::from_le_bytes(offset), u64::from_le_bytes(entries), check))
}

fn entry(bytes: &[u8]) -> Option<(Key, Location)> {
    let mut fields = Fields(bytes);
    let key = fields.take()?;
    let offset = u64::from_le_bytes(fields.take()?);
    let bytes = u32::from_le_bytes(fields.take()?);
    Some((key, Location { offset, bytes, check: fields.take()? }))
}

/// The bytes of an answer; `None` when they are gone or damaged.
pub(super) fn read(store: &dyn Store, segment: &BlobName, location: Location) -> Option<Vec<u8>> {
    let range = location.offset..location.offset + u64::from(location.bytes);
    store.get_range(segment, range).ok().filter(|bytes| check(bytes) == location.check)
}
