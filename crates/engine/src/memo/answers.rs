//! Answers to single questions, for stages that ask many of them about one item: what a model said stays, whatever becomes of the item.

use std::sync::Arc;

use item::{ContentHasher, Digest};
use store::{Store, StoreError};

use super::segments::Segments;
use super::{Key, half};

/// Top folder of such answers in the store. Nobody clears it up: they are what costs most to get again.
pub(crate) const FOLDER: &str = "answers";

/// Answers by the digest of the question, kept in the store.
pub struct Answers(Segments);

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}

fn key(question: &Digest) -> Key {
    half(&ContentHasher::new("answers").add_digest(question).finish())
}

impl Answers {
    /// Opens those of whoever answers, by a short name for files. What is damaged is asked for again.
    pub fn open(store: &Arc<dyn Store>, who: &str) -> Result<Self, StoreError> {
        Ok(Self(Segments::open(store, &format!("{FOLDER}/{who}"))?.0))
    }

    /// What was answered.
    pub fn get(&self, question: &Digest) -> Option<Vec<u8>> {
        self.0.get(&key(question))
    }

    /// Keeps an answer. It is on the disk a few seconds later at most, and at once when answers take longer than that.
    pub fn put(&self, question: &Digest, answer: &[u8]) -> Result<(), StoreError> {
        self.0.put(key(question), answer)
    }

    /// Puts everything on the disk.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use store::LocalStore;

    use super::*;

    #[test]
    fn answers_outlive_whoever_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let store: Arc<dyn Store> = Arc::new(LocalStore::open(folder.path()).expect("a store"));
        let question = Digest::of(b"why");
        let answers = Answers::open(&store, "m").expect("opens");
        assert_eq!(answers.get(&question), None);
        answers.put(&question, b"because").expect("room");
        answers.flush().expect("room");
        assert_eq!(answers.get(&question).as_deref(), Some(&b"because"[..]));
        let again = Answers::open(&store, "m").expect("opens");
        assert_eq!(again.get(&question).as_deref(), Some(&b"because"[..]));
        assert_eq!(Answers::open(&store, "n").expect("opens").get(&question), None, "another model");
    }
}
