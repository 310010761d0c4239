//! The segments of one folder: answers by key, published every few seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use item::Digest;
use store::{BlobName, Store, StoreError, at_once};

use super::segment::{self, Location, SegmentBuilder};
use super::{FLUSH_EVERY, Key};

/// A segment is published when it has grown to this, whatever its age. Some 20 to 60 screenshots.
pub(super) const SEGMENT_BYTES: usize = 32 << 20;
/// A folder with more segments under [`SEGMENT_BYTES`] than this is tidied up when a run opens it.
pub(super) const SMALL_SEGMENTS_MAX: usize = 64;

/// Indexes that are read at the same time: a store on a network answers many questions as quickly as one.
const LOOKS_AT_ONCE: usize = 16;

/// Answers by key.
pub(super) struct Segments {
    store: Arc<dyn Store>,
    folder: String,
    state: Mutex<State>,
}

struct State {
    segments: Vec<BlobName>,
    index: HashMap<Key, Found>,
    pending: SegmentBuilder,
    /// When something was published last: an answer that took longer than the interval is published at once.
    flushed: Instant,
}

/// Where an answer is.
#[derive(Debug, Clone, Copy)]
struct Found {
    segment: u32,
    location: Location,
}

impl Segments {
    /// Opens a folder. Segments that are damaged are deleted, and named in the answer.
    pub(super) fn open(store: &Arc<dyn Store>, folder: &str) -> Result<(Self, Vec<BlobName>), StoreError> {
        compact(store.as_ref(), folder)?;
        let (segments, index, pending) = (Vec::new(), HashMap::new(), SegmentBuilder::default());
        let mut state = State { segments, index, pending, flushed: Instant::now() };
        let mut damaged = Vec::new();
        let blobs = store.list(folder)?;
        let indexes = at_once(&blobs, LOOKS_AT_ONCE, |blob| segment::read_index(store.as_ref(), blob))?;
        for (blob, entries) in blobs.into_iter().zip(indexes) {
            if let Some(entries) = entries {
                state.add(Published { name: blob.name, entries });
            } else {
                store.delete(&blob.name)?;
                damaged.push(blob.name);
            }
        }
        let segments = Self { store: Arc::clone(store), folder: folder.to_owned(), state: Mutex::new(state) };
        Ok((segments, damaged))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn knows(&self, key: &Key) -> bool {
        self.state().index.contains_key(key)
    }

    /// The answer of a key that was published. One that is gone or damaged is forgotten.
    pub(super) fn get(&self, key: &Key) -> Option<Vec<u8>> {
        let (segment, location) = {
            let state = self.state();
            let found = state.index.get(key)?;
            (state.segments[found.segment as usize].clone(), found.location)
        };
        let answer = segment::read(self.store.as_ref(), &segment, location);
        if answer.is_none() {
            self.forget(key);
        }
        answer
    }

    pub(super) fn forget(&self, key: &Key) {
        self.state().index.remove(key);
    }

    /// Keeps an answer, and publishes what waits when that is due.
    pub(super) fn put(&self, key: Key, answer: &[u8]) -> Result<(), StoreError> {
        let mut state = self.state();
        state.pending.push(key, answer);
        let is_due = state.pending.bytes() >= SEGMENT_BYTES || state.flushed.elapsed() >= FLUSH_EVERY;
        drop(state);
        if is_due { self.flush() } else { Ok(()) }
    }

    /// Publishes what waits for it.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        let pending = {
            let mut state = self.state();
            state.flushed = Instant::now();
            std::mem::take(&mut state.pending)
        };
        if let Some(published) = publish(self.store.as_ref(), &self.folder, pending)? {
            self.state().add(published);
        }
        Ok(())
    }
}

impl State {
    fn add(&mut self, published: Published) {
        let segment = self.segments.len() as u32;
        self.segments.push(published.name);
        self.index.extend(published.entries.into_iter().map(|(key, location)| (key, Found { segment, location })));
    }
}

/// A segment that is in the store.
pub(super) struct Published {
    name: BlobName,
    entries: Vec<(Key, Location)>,
}

/// Publishes a segment under the digest of its bytes; nothing for an empty one.
pub(super) fn publish(
    store: &dyn Store,
    folder: &str,
    segment: SegmentBuilder,
) -> Result<Option<Published>, StoreError> {
    if segment.is_empty() {
        return Ok(None);
    }
    let (bytes, entries) = segment.finish();
    let file = format!("{}.segment", Digest::of(&bytes).short());
    let name = BlobName::join(&folder.split('/').chain([file.as_str()]).collect::<Vec<_>>());
    store.put(&name, &bytes)?;
    Ok(Some(Published { name, entries }))
}

/// Puts many small segments together into a few large ones. Readers that have the small ones open find them gone, and ask
/// again.
pub(super) fn compact(store: &dyn Store, folder: &str) -> Result<(), StoreError> {
    let small: Vec<_> = store.list(folder)?.into_iter().filter(|blob| blob.bytes < SEGMENT_BYTES as u64).collect();
    if small.len() <= SMALL_SEGMENTS_MAX {
        return Ok(());
    }
    let mut builder = SegmentBuilder::default();
    let mut read = Vec::new();
    for blob in small {
        // One that is damaged stays: whoever opens it tells the user.
        let Some(answers) = segment::read_all(store, &blob)? else { continue };
        read.push(blob.name);
        for (key, answer) in answers {
            builder.push(key, &answer);
        }
        if builder.bytes() >= SEGMENT_BYTES {
            publish(store, folder, std::mem::take(&mut builder))?;
        }
    }
    publish(store, folder, builder)?;
    // After the large ones are there: a crash in between leaves both, and both say the same.
    read.iter().try_for_each(|name| store.delete(name))
}
