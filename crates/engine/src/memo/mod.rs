//! Answers that cost much, remembered item by item.
//!
//! A unit's result is all or nothing. What Chrome or a model said of a single item is kept beside that, so that a crash in
//! the middle of a unit loses seconds, and a filter that changes upstream renders nothing again. An answer is found by
//! *who* was asked (the stage's fingerprint) and *what* (the digest of the body, and what the stage reads of the head). Failures are not remembered: they are
//! tried again.
//!
//! Answers are gathered into [`segment`]s, which are published every few seconds. They are an optimisation of the
//! ledger, never a part of it: a segment that is lost or damaged costs the work again, nothing else.

mod answers;
mod record;
mod segment;
mod segments;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use item::{Body, ContentHasher, Digest, Item, Verdict};
use store::{BlobName, Store, StoreError};

use crate::flow::blocking;
use crate::{DynStage, EngineError, Fingerprint, Observer, RunEvent};
pub use answers::Answers;
use segments::Segments;
#[cfg(test)]
use segments::{SMALL_SEGMENTS_MAX, compact, publish};

/// The longest that an answer waits for its publication: what a crash can lose.
const FLUSH_EVERY: Duration = Duration::from_secs(5);
/// Top folder of all segments in the store.
pub(crate) const FOLDER: &str = "memo";

/// Who was asked what: the first half of a digest is plenty to tell answers apart.
pub(crate) type Key = [u8; 16];

/// The folder of a stage's answers.
pub(crate) fn folder(fingerprint: &Fingerprint) -> String {
    format!("{FOLDER}/{}/{}", fingerprint.name, fingerprint.digest().short())
}

/// The key of the answer to one body, with what else the answer depends on.
pub(crate) fn key(fingerprint: &Digest, body: &Digest, beside: &[String]) -> Key {
    let mut hasher = ContentHasher::new("memo");
    hasher.add_digest(fingerprint).add_digest(body);
    for text in beside {
        hasher.add_text(text);
    }
    half(&hasher.finish())
}

/// The first half of a digest.
fn half(digest: &Digest) -> Key {
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
    stage: Arc<dyn DynStage>,
    fingerprint: Digest,
    segments: Segments,
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
        let (segments, damaged) = Segments::open(store, &folder(&fingerprint))?;
        for name in damaged {
            let message = format!("`{name}` is damaged: the answers in it are asked for again");
            observer.event(&RunEvent::Noted { message });
        }
        Ok(Self { stage: Arc::clone(stage), fingerprint: fingerprint.digest(), segments })
    }

    /// Whether the answer to a body of this digest is known, of a stage whose answers depend on nothing else.
    pub(crate) fn knows(&self, body: &Digest) -> bool {
        self.segments.knows(&key(&self.fingerprint, body, &[]))
    }

    /// Looks up the answers to a batch.
    pub(crate) fn recall(&self, items: Vec<Item<Body>>) -> Recalled {
        let key_of =
            |item: &Item<Body>| key(&self.fingerprint, &item.body.digest(), &self.stage.depends_on(&item.head));
        let keys: Vec<Key> = items.iter().map(key_of).collect();
        let verdicts = keys.iter().map(|key| self.recall_one(key)).collect();
        Recalled { items, keys, verdicts }
    }

    fn recall_one(&self, key: &Key) -> Option<Verdict<Body>> {
        let bytes = self.segments.get(key)?;
        let verdict = record::decode(&bytes, self.stage.rules());
        if verdict.is_none() {
            // Of a rule that is no more: it will be asked for, and remembered, again.
            self.segments.forget(key);
        }
        verdict
    }

    /// Remembers the answers that are worth it.
    pub(crate) fn remember(&self, answers: &[(Key, &Verdict<Body>)]) -> Result<(), StoreError> {
        for (key, verdict) in answers {
            if let Some(bytes) = record::encode(verdict) {
                self.segments.put(*key, &bytes)?;
            }
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.segments.flush()
    }
}

/// Every segment of the store in which something is damaged, and how much.
pub(crate) fn damaged(store: &dyn Store) -> Result<Vec<(BlobName, String)>, StoreError> {
    let mut found = Vec::new();
    for blob in [store.list(FOLDER)?, store.list(answers::FOLDER)?].concat() {
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
