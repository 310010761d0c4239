//! Answers that cost much, remembered item by item.
//!
//! A unit's result is all or nothing. What Chrome or a model said of a single item is kept beside that, so that a crash in
//! the middle of a unit loses seconds, and a filter that changes upstream renders nothing again. An answer is found by
//! *who* was asked (the stage's fingerprint) and *what* (the digest of the body). Failures are not remembered: they are
//! tried again.
//!
//! Answers are gathered into [`segment`]s, which are published every few seconds. They are an optimisation of the
//! ledger, never a part of it: a segment that is lost or damaged costs the work again, nothing else.

mod record;
mod segment;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use item::{Body, ContentHasher, Digest, Item, Verdict};
use store::{BlobName, Store, StoreError};

use crate::flow::blocking;
use crate::{DynStage, EngineError, Fingerprint, Observer, RunEvent};
use segment::{Location, SegmentBuilder};

/// The longest that an answer waits for its publication: what a crash can lose.
const FLUSH_EVERY: Duration = Duration::from_secs(5);
/// A segment is published when it has grown to this, whatever its age. Some 20 to 60 screenshots.
const SEGMENT_BYTES: usize = 32 << 20;
/// A folder with more segments under [`SEGMENT_BYTES`] than this is tidied up when a run opens it.
const SMALL_SEGMENTS_MAX: usize = 64;

/// Top folder of all segments in the store.
pub(crate) const FOLDER: &str = "memo";

/// Who was asked what: the first half of a digest is plenty to tell answers apart.
pub(crate) type Key = [u8; 16];

/// The folder of a stage's answers.
pub(crate) fn folder(fingerprint: &Fingerprint) -> String {
    format!("{FOLDER}/{}/{}", fingerprint.name, fingerprint.digest().short())
}

/// The key of the answer to one body.
pub(crate) fn key(fingerprint: &Digest, body: &Digest) -> Key {
    let digest = ContentHasher::new("memo").add_digest(fingerprint).add_digest(body).finish();
    let mut key = [0; 16];
    key.copy_from_slice(&digest.as_bytes()[..16]);
    key
}

/// The answers of all stages of a run that remember.
#[derive(Clone, Default)]
pub(crate) struct Memo {
    stages: Arc<HashMap<&'static str, Arc<StageMemo>>>,
}

impl Memo {
    /// Opens what the store remembers of those of `stages` that remember.
    pub(crate) fn open(
        stages: &[Arc<dyn DynStage>],
        store: &Arc<dyn Store>,
        observer: &dyn Observer,
    ) -> Result<Self, StoreError> {
        let remembering = stages.iter().filter(|stage| stage.remembered());
        let open = |stage: &Arc<dyn DynStage>| Ok((stage.name(), Arc::new(StageMemo::open(stage, store, observer)?)));
        Ok(Self { stages: Arc::new(remembering.map(open).collect::<Result<_, StoreError>>()?) })
    }

    /// The memory of a stage, if it has one.
    pub(crate) fn of(&self, stage: &str) -> Option<Arc<StageMemo>> {
        self.stages.get(stage).map(Arc::clone)
    }

    /// Publishes what waits for it.
    fn flush(&self) -> Result<(), StoreError> {
        self.stages.values().try_for_each(|stage| stage.flush())
    }

    /// Does the work of a phase, and publishes what is remembered of it now and then, and at its end, whatever that is.
    pub(crate) async fn flushing<T>(
        &self,
        work: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        let flush = || {
            let memo = self.clone();
            blocking(move || memo.flush())
        };
        let mut ticks = tokio::time::interval(FLUSH_EVERY);
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => {
                    let flushed = flush().await;
                    let done = done?;
                    flushed?;
                    return Ok(done);
                }
                _ = ticks.tick() => flush().await?,
            }
        }
    }
}

/// What one stage has answered.
pub(crate) struct StageMemo {
    store: Arc<dyn Store>,
    stage: Arc<dyn DynStage>,
    fingerprint: Digest,
    folder: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    segments: Vec<BlobName>,
    index: HashMap<Key, Found>,
    pending: SegmentBuilder,
    oldest: Option<Instant>,
}

/// Where an answer is.
#[derive(Debug, Clone, Copy)]
struct Found {
    segment: u32,
    location: Location,
}

/// A batch, with the answers that are known already.
pub(crate) struct Recalled {
    pub(crate) items: Vec<Item<Body>>,
    pub(crate) keys: Vec<Key>,
    pub(crate) verdicts: Vec<Option<Verdict<Body>>>,
}

impl StageMemo {
    fn open(stage: &Arc<dyn DynStage>, store: &Arc<dyn Store>, observer: &dyn Observer) -> Result<Self, StoreError> {
        let fingerprint = stage.fingerprint();
        let folder = folder(&fingerprint);
        compact(store.as_ref(), &folder)?;
        let mut state = State::default();
        for blob in store.list(&folder)? {
            if let Some(entries) = segment::read_index(store.as_ref(), &blob)? {
                state.add(Published { name: blob.name, entries });
            } else {
                observer.event(&RunEvent::Noted {
                    message: format!("`{}` is damaged: the answers in it are asked for again", blob.name),
                });
                store.delete(&blob.name)?;
            }
        }
        let fingerprint = fingerprint.digest();
        Ok(Self { store: Arc::clone(store), stage: Arc::clone(stage), fingerprint, folder, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the answer to a body of this digest is known.
    pub(crate) fn knows(&self, body: &Digest) -> bool {
        self.state().index.contains_key(&key(&self.fingerprint, body))
    }

    /// Looks up the answers to a batch.
    pub(crate) fn recall(&self, items: Vec<Item<Body>>) -> Recalled {
        let keys: Vec<Key> = items.iter().map(|item| key(&self.fingerprint, &item.body.digest())).collect();
        let verdicts = keys.iter().map(|key| self.recall_one(key)).collect();
        Recalled { items, keys, verdicts }
    }

    fn recall_one(&self, key: &Key) -> Option<Verdict<Body>> {
        let (segment, location) = {
            let state = self.state();
            let found = state.index.get(key)?;
            (state.segments[found.segment as usize].clone(), found.location)
        };
        let answer = segment::read(self.store.as_ref(), &segment, location);
        let verdict = answer.and_then(|bytes| record::decode(&bytes, self.stage.rules()));
        if verdict.is_none() {
            // Gone, damaged, or of a rule that is no more: it will be asked for, and remembered, again.
            self.state().index.remove(key);
        }
        verdict
    }

    /// Remembers the answers that are no failures.
    pub(crate) fn remember(&self, answers: &[(Key, &Verdict<Body>)]) -> Result<(), StoreError> {
        for (key, verdict) in answers {
            let Some(bytes) = record::encode(verdict) else { continue };
            let mut state = self.state();
            state.oldest.get_or_insert_with(Instant::now);
            state.pending.push(*key, &bytes);
            let is_due =
                state.pending.bytes() >= SEGMENT_BYTES || state.oldest.is_some_and(|at| at.elapsed() >= FLUSH_EVERY);
            drop(state);
            if is_due {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreError> {
        let pending = {
            let mut state = self.state();
            state.oldest = None;
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
struct Published {
    name: BlobName,
    entries: Vec<(Key, Location)>,
}

/// Publishes a segment under the digest of its bytes; nothing for an empty one.
fn publish(store: &dyn Store, folder: &str, segment: SegmentBuilder) -> Result<Option<Published>, StoreError> {
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
pub(crate) fn compact(store: &dyn Store, folder: &str) -> Result<(), StoreError> {
    let small: Vec<_> = store.list(folder)?.into_iter().filter(|blob| blob.bytes < SEGMENT_BYTES as u64).collect();
    if small.len() <= SMALL_SEGMENTS_MAX {
        return Ok(());
    }
    let mut builder = SegmentBuilder::default();
    for blob in &small {
        for (key, location) in segment::read_index(store, blob)?.unwrap_or_default() {
            let Some(bytes) = segment::read(store, &blob.name, location) else { continue };
            builder.push(key, &bytes);
        }
        if builder.bytes() >= SEGMENT_BYTES {
            publish(store, folder, std::mem::take(&mut builder))?;
        }
    }
    publish(store, folder, builder)?;
    // After the large ones are there: a crash in between leaves both, and both say the same.
    small.iter().try_for_each(|blob| store.delete(&blob.name))
}

/// Every segment of the store in which something is damaged, and how much.
pub(crate) fn damaged(store: &dyn Store) -> Result<Vec<(BlobName, String)>, StoreError> {
    let mut found = Vec::new();
    for blob in store.list(FOLDER)? {
        let Some(entries) = segment::read_index(store, &blob)? else {
            found.push((blob.name, "the segment is cut off or damaged".to_owned()));
            continue;
        };
        let broken = entries.iter().filter(|(_, at)| segment::read(store, &blob.name, *at).is_none()).count();
        if broken > 0 {
            found.push((blob.name, format!("{broken} of {} answers are damaged", entries.len())));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
