//! What barriers know beside the items of the run: published rows, and what benchmarks hold.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use dedup::leak::{Lists, Suspect};
use dedup::list::{ListError, Published};
use engine::{Decision, StageError};
use item::{Digest, ItemId, Rejection};

/// What the books say of pairs that were not compared, because too many pages share a piece of text.
pub(crate) const LEFT_OUT: &str = "pairs left out";

/// Read once, used by both barriers.
#[derive(Debug, Default)]
pub struct Known {
    /// Published rows, by id.
    pub(crate) published: Vec<Published>,
    ids: HashSet<ItemId>,
    html: HashMap<String, ItemId>,
    /// The edition that was published last; 0 where none was.
    last_edition: u32,
    lists: Lists,
    /// Digest of the index.
    pub(crate) index: Option<Digest>,
    /// Digests of all files: what decisions depend on.
    pub(crate) digests: Vec<Digest>,
}

impl Known {
    /// Reads the index (none if the text is empty) and the lists; paths are relative to `base`.
    pub fn read(index: &str, lists: &[String], base: &Path) -> Result<Self, StageError> {
        let mut known = Self::default();
        if !index.is_empty() {
            let path = base.join(index);
            let file = known.open(&path)?;
            known.index = known.digests.last().copied();
            known.published = dedup::list::read_index(file).map_err(|error| unreadable(&path, error))?;
            known.last_edition = known.published.iter().map(|row| row.edition).max().unwrap_or_default();
            known.ids = known.published.iter().map(|row| row.id).collect();
            known.html = known.published.iter().map(|row| (row.html_sha256.clone(), row.id)).collect();
        }
        for list in lists {
            let path = base.join(list);
            let file = known.open(&path)?;
            known.lists.read(file).map_err(|error| unreadable(&path, error))?;
        }
        Ok(known)
    }

    /// Opens a file and notes its digest.
    fn open(&mut self, path: &Path) -> Result<BufReader<File>, StageError> {
        let error = |error: std::io::Error| unreadable(path, ListError::Read(error));
        let mut hasher = blake3::Hasher::new();
        std::io::copy(&mut File::open(path).map_err(error)?, &mut hasher).map_err(error)?;
        self.digests.push(Digest::from(*hasher.finalize().as_bytes()));
        Ok(BufReader::new(File::open(path).map_err(error)?))
    }

    /// The published row of an item.
    pub(crate) fn row(&self, id: &ItemId) -> Option<&Published> {
        // They are sorted by id.
        self.published.binary_search_by_key(id, |row| row.id).ok().map(|at| &self.published[at])
    }

    /// The edition of a row of `pages`: the one it was published with, or the next.
    pub(crate) fn edition_of_page(&self, id: &ItemId) -> u32 {
        self.row(id).map_or(self.next_edition(), |row| row.edition)
    }

    /// The edition of what was made of a page: that of the published page with this HTML, or the next.
    pub(crate) fn edition_of_triple(&self, page_html_sha256: &str) -> u32 {
        let page = self.html.get(page_html_sha256).and_then(|id| self.row(id));
        page.map_or(self.next_edition(), |row| row.edition)
    }

    fn next_edition(&self) -> u32 {
        self.last_edition.saturating_add(1)
    }

    /// Whether the item is a published row.
    pub(crate) fn is_published(&self, id: &ItemId) -> bool {
        self.ids.contains(id)
    }

    /// The published row, other than this item, with that very page.
    pub(crate) fn same_page(&self, id: &ItemId, html_sha256: &str) -> Option<ItemId> {
        self.html.get(html_sha256).copied().filter(|other| other != id && !self.is_published(id))
    }

    /// A rejection for each suspect that a benchmark holds.
    pub(crate) fn leaks(&self, suspects: &[Suspect<'_>]) -> Vec<Option<Rejection>> {
        let rejection = |hit: dedup::leak::Hit| Rejection { rule: hit.rule, detail: hit.detail };
        if self.lists.is_empty() {
            return vec![None; suspects.len()];
        }
        self.lists.check(suspects).into_iter().map(|hit| hit.map(rejection)).collect()
    }
}

/// Refuses what has no decision yet.
pub(crate) fn refuse(slot: &mut Option<Decision>, rejection: Option<Rejection>) {
    if let (None, Some(rejection)) = (&slot, rejection) {
        *slot = Some(Decision::Reject(rejection));
    }
}

fn unreadable(path: &Path, error: ListError) -> StageError {
    StageError::new(format!("read `{}`", path.display()), error)
}
