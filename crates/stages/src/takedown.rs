//! Takedowns: what somebody wants out of a dataset, kept in the store so that no later run brings it back.
//!
//! One blob holds the requests of one command, a JSON line each. A blob is created exclusively under the next free number, so
//! that two commands at a time lose nothing, and none is ever written again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ::dataset::{RowMark, TAKEDOWN};
use engine::StageError;
use item::{ContentHasher, Digest, ItemId, Loss, LossKind, Provenance, Sha256Hex};
use serde::{Deserialize, Serialize};
use store::{BlobName, Store};

/// Folder of the lists in the store.
pub const TAKEDOWNS: &str = "takedowns";
/// Name of the step in books and in `rejects`.
pub(crate) const STAGE: &str = "takedown";

/// By what rows are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TakedownKind {
    /// The whole URL, as in the column `url`.
    Url,
    /// The registrable domain.
    Domain,
    /// The id of a row.
    Id,
    /// SHA-256 of a page's HTML or of its screenshot.
    Hash,
}

impl TakedownKind {
    const ALL: [Self; 4] = [Self::Url, Self::Domain, Self::Id, Self::Hash];

    /// The name, as in lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Domain => "domain",
            Self::Id => "id",
            Self::Hash => "hash",
        }
    }
}

/// What rows are to go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Takedown {
    /// By what they are found.
    pub kind: TakedownKind,
    /// The URL, domain, id or hash.
    pub value: String,
}

impl fmt::Display for Takedown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.value)
    }
}

/// The text says no such thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("understand `{text}`: it is no {what}")]
pub struct TakedownError {
    text: String,
    what: &'static str,
    /// How it is written.
    pub hint: String,
}

impl Takedown {
    /// What the text means as a value of that kind.
    pub fn new(kind: TakedownKind, text: &str) -> Result<Self, TakedownError> {
        let text = text.trim();
        let wrong = |what, hint: &str| TakedownError { text: text.to_owned(), what, hint: hint.to_owned() };
        let value = match kind {
            TakedownKind::Url if text.contains("://") && !text.contains(char::is_whitespace) => text.to_owned(),
            TakedownKind::Url => return Err(wrong("URL", URL_HINT)),
            TakedownKind::Domain => domain(text)?,
            TakedownKind::Id => text.parse::<ItemId>().map_err(|_| wrong("id of a row", ID_HINT))?.to_string(),
            // A SHA-256 has as many digits as our own digests.
            TakedownKind::Hash => text.parse::<Digest>().map_err(|_| wrong("SHA-256", HASH_HINT))?.to_string(),
        };
        Ok(Self { kind, value })
    }
}

const URL_HINT: &str = "write the whole of it, as the column `url` has it: `https://example.org/page`";
const ID_HINT: &str = "an id has 32 hex digits, as the column `id` has it";
const HASH_HINT: &str =
    "a SHA-256 has 64 hex digits, as the columns `html_sha256`, `screenshot_sha256` and `page_html_sha256` have it";

/// Never more than was asked for: a host is not taken for its domain in silence.
fn domain(text: &str) -> Result<String, TakedownError> {
    let wrong = |hint| Err(TakedownError { text: text.to_owned(), what: "registrable domain", hint });
    if text.is_empty() || text.contains(|char: char| char.is_whitespace() || "/:@?#*".contains(char)) {
        return wrong("write it as the column `domain` has it: `example.org`".to_owned());
    }
    let value = item::registrable_domain(text);
    if value != text.trim_end_matches('.').to_ascii_lowercase() {
        return wrong(format!("the domain of that host is `{value}`: say so if all of it is meant, or name URLs"));
    }
    Ok(value)
}

/// A line of a list that somebody wrote: kind and value, `domain example.org`; or a line of a list in a store.
impl FromStr for Takedown {
    type Err = TakedownError;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let wrong = || TakedownError {
            text: line.to_owned(),
            what: "line of a list",
            hint: "a line says `url`, `domain`, `id` or `hash`, and the value: `domain example.org`".to_owned(),
        };
        if line.starts_with('{') {
            let Requested { takedown, .. } = serde_json::from_str(line).map_err(|_| wrong())?;
            return Self::new(takedown.kind, &takedown.value);
        }
        let (kind, value) = line.trim().split_once(char::is_whitespace).ok_or_else(wrong)?;
        let kind = TakedownKind::ALL.into_iter().find(|known| known.name() == kind).ok_or_else(wrong)?;
        Self::new(kind, value)
    }
}

/// A line of a list in the store.
#[derive(Debug, Serialize, Deserialize)]
struct Requested {
    /// When it was asked for (RFC 3339). For people: nothing depends on it.
    time: String,
    #[serde(flatten)]
    takedown: Takedown,
}

/// The list of a run in its store.
#[derive(Debug, Clone)]
pub struct TakedownList {
    store: Arc<dyn Store>,
    run: String,
}

impl TakedownList {
    /// The list of the run of that name.
    pub fn new(store: Arc<dyn Store>, run: &str) -> Self {
        Self { store, run: run.to_owned() }
    }

    /// Everything that was asked for.
    pub fn read(&self) -> Result<Takedowns, StageError> {
        let unreadable = |blob: &BlobName| format!("read the takedowns in `{blob}`");
        let mut all = BTreeSet::new();
        for blob in self.blobs()?.0 {
            let bytes = self.store.get(&blob).map_err(|error| StageError::new(unreadable(&blob), error))?;
            for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                // A line that is passed over would bring rows back.
                let request: Requested =
                    serde_json::from_slice(line).map_err(|error| StageError::new(unreadable(&blob), error))?;
                all.insert(request.takedown);
            }
        }
        Ok(Takedowns::new(all))
    }

    fn blob(&self, number: usize) -> BlobName {
        BlobName::join(&[TAKEDOWNS, &self.run, &format!("{number:05}.jsonl")])
    }

    /// All blobs of the list, and the number of the next one. A store may be behind with what it names, and what is
    /// overlooked would come back; but the numbers have no gaps, so it can be asked for the next.
    fn blobs(&self) -> Result<(BTreeSet<BlobName>, usize), StageError> {
        let failed = |error| StageError::new("list the takedowns", error);
        let listed = self.store.list(&format!("{TAKEDOWNS}/{}", self.run)).map_err(failed)?;
        let mut blobs: BTreeSet<BlobName> = listed.into_iter().map(|blob| blob.name).collect();
        let mut number = 1;
        loop {
            let blob = self.blob(number);
            if !blobs.contains(&blob) && self.store.size(&blob).map_err(failed)?.is_none() {
                return Ok((blobs, number));
            }
            blobs.insert(blob);
            number += 1;
        }
    }

    /// Adds what is not on the list yet, and gives the blob that holds it; `None` where all of it was there.
    pub fn add(&self, asked: &BTreeSet<Takedown>, time: &str) -> Result<Option<BlobName>, StageError> {
        let known = self.read()?.all;
        let mut lines = String::new();
        for takedown in asked.difference(&known) {
            let request = Requested { time: time.to_owned(), takedown: takedown.clone() };
            let line = serde_json::to_string(&request).map_err(|error| StageError::new("write a takedown", error))?;
            lines.push_str(&line);
            lines.push('\n');
        }
        if lines.is_empty() {
            return Ok(None);
        }
        let mut number = self.blobs()?.1;
        loop {
            let blob = self.blob(number);
            let kept = self.store.put_if_absent(&blob, lines.as_bytes());
            if kept.map_err(|error| StageError::new("keep the takedowns", error))? {
                return Ok(Some(blob));
            }
            number += 1;
        }
    }
}

/// What is to stay out of a dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Takedowns {
    all: BTreeSet<Takedown>,
    values: BTreeMap<TakedownKind, BTreeSet<String>>,
}

impl Takedowns {
    /// All of these.
    pub fn new(all: BTreeSet<Takedown>) -> Self {
        let mut values: BTreeMap<TakedownKind, BTreeSet<String>> = BTreeMap::new();
        for Takedown { kind, value } in &all {
            values.entry(*kind).or_default().insert(value.clone());
        }
        Self { all, values }
    }

    /// Nothing is to stay out.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The digest of what is asked for, whenever and in whatever order it was.
    pub(crate) fn digest(&self) -> Digest {
        let mut hasher = ContentHasher::new("takedowns");
        for Takedown { kind, value } in &self.all {
            hasher.add_text(kind.name()).add_text(value);
        }
        hasher.finish()
    }

    /// By what a row is found, if it is.
    fn finds(&self, mark: &RowMark) -> Option<TakedownKind> {
        let has = |kind, value: &str| self.values.get(&kind).is_some_and(|values| values.contains(value));
        TakedownKind::ALL.into_iter().find(|&kind| match kind {
            TakedownKind::Url => has(kind, &mark.url),
            TakedownKind::Domain => has(kind, &mark.domain),
            TakedownKind::Id => has(kind, &mark.id.to_string()),
            TakedownKind::Hash => {
                has(kind, &mark.html_sha256) || mark.screenshot_sha256.as_ref().is_some_and(|hash| has(kind, hash))
            }
        })
    }
}

/// A row that has to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken<T> {
    /// Its id.
    pub id: ItemId,
    /// By what it was found, for people.
    pub why: String,
    /// What was noted of it.
    pub note: T,
}

/// Looks at rows in any order, and says in the end which of them have to go: those that are found, and what was made of them.
///
/// By URL and domain each row is found alone. By id and hash it is the page that is found, so what could be of such a page (its
/// components by its screenshot, triples by its HTML) has to wait until all rows were seen.
#[derive(Debug)]
pub struct Sieve<'a, T> {
    takedowns: &'a Takedowns,
    taken: Vec<Taken<T>>,
    /// Of the pages that were found by id or hash: how they were found, by HTML and screenshot.
    found: BTreeMap<Sha256Hex, TakedownKind>,
    waiting: Vec<(RowMark, T)>,
}

impl<'a, T> Sieve<'a, T> {
    /// Nothing was seen yet.
    pub fn new(takedowns: &'a Takedowns) -> Self {
        Self { takedowns, taken: Vec::new(), found: BTreeMap::new(), waiting: Vec::new() }
    }

    /// Looks at a row.
    pub fn see(&mut self, mark: RowMark, note: T) {
        match self.takedowns.finds(&mark) {
            Some(kind) => {
                if matches!(kind, TakedownKind::Id | TakedownKind::Hash) {
                    self.remember(&mark, kind);
                }
                self.taken.push(Taken { id: mark.id, why: format!("by {}", kind.name()), note });
            }
            None if self.could_follow(&mark) => self.waiting.push((mark, note)),
            None => {}
        }
    }

    /// Triples are of one page only; what was made of that page beside them stays.
    fn remember(&mut self, mark: &RowMark, kind: TakedownKind) {
        if let Some(screenshot) = &mark.screenshot_sha256 {
            self.found.insert(mark.html_sha256.clone(), kind);
            self.found.insert(screenshot.clone(), kind);
        }
    }

    fn could_follow(&self, mark: &RowMark) -> bool {
        let by_page = [TakedownKind::Id, TakedownKind::Hash];
        let is_made_of_another = mark.screenshot_sha256.is_none() || mark.part_of.is_some();
        is_made_of_another && by_page.iter().any(|kind| self.takedowns.values.contains_key(kind))
    }

    /// The rows that have to go.
    pub fn finish(mut self) -> Vec<Taken<T>> {
        // Components first: triples are made of them, too.
        let (components, triples): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|(mark, _)| mark.part_of.is_some());
        for (mark, note) in components.into_iter().chain(triples) {
            let page = mark.part_of.as_ref().unwrap_or(&mark.html_sha256);
            let Some(kind) = self.found.get(page).copied() else { continue };
            self.remember(&mark, kind);
            self.taken.push(Taken { id: mark.id, why: format!("its page by {}", kind.name()), note });
        }
        self.taken
    }
}

impl Taken<Provenance> {
    /// The row of `rejects` that stands for it.
    pub(crate) fn into_loss(self) -> Loss {
        Loss {
            id: self.id,
            provenance: self.note,
            stage: STAGE.to_owned(),
            kind: LossKind::Rejected,
            rule: TAKEDOWN.name.to_owned(),
            detail: self.why,
        }
    }
}

#[cfg(test)]
mod tests {
    use ::dataset::Subset;
    use store::{BlobInfo, LocalPath, LocalStore, StoreError};

    use super::*;

    #[test]
    fn values_are_what_columns_hold() {
        let check = |line: &str, expected: Result<&str, &str>| {
            let read = line.parse::<Takedown>().map(|takedown| takedown.to_string());
            let read = read.map_err(|error| error.hint);
            match (&read, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(hint), Err(expected)) => assert!(hint.contains(expected), "{line}: {hint}"),
                _ => panic!("{line}: {read:?}"),
            }
        };
        let (id, hash) = ("0AF1".repeat(8), "0AF1".repeat(16));
        check("url https://a.org/x?y=1", Ok("url https://a.org/x?y=1"));
        check("url a.org/x", Err("`https://example.org/page`"));
        check("domain Example.co.uk.", Ok("domain example.co.uk"));
        check("domain www.example.co.uk", Err("`example.co.uk`"));
        check("domain https://a.org", Err("`example.org`"));
        check(&format!("id\t{id}"), Ok(&format!("id {}", id.to_lowercase())));
        check("id 12", Err("32 hex digits"));
        check(&format!("hash {hash}"), Ok(&format!("hash {}", hash.to_lowercase())));
        check(&format!("hash sha256:{hash}"), Err("64 hex digits"));
        check(&format!("hash {id}"), Err("64 hex digits"));
        check("page https://a.org/", Err("`domain example.org`"));
        check(r#"{"time":"2026-01-01T00:00:00Z","kind":"domain","value":"a.org"}"#, Ok("domain a.org"));
    }

    fn mark(number: u64, subset: Subset, html: &str) -> RowMark {
        let is_page = subset == Subset::Pages;
        RowMark {
            subset,
            id: ItemId::of_place("row", number),
            url: format!("https://a.org/{number}"),
            domain: "a.org".into(),
            html_sha256: html.repeat(64),
            screenshot_sha256: is_page.then(|| format!("{number:064}")),
            part_of: None,
        }
    }

    /// Numbers of the rows that go: two pages, a component of the first with a triple, a triple of each page.
    fn gone(kind: TakedownKind, value: &str) -> Vec<u64> {
        let takedowns = Takedowns::new(BTreeSet::from([Takedown { kind, value: value.to_owned() }]));
        let component =
            RowMark { part_of: mark(0, Subset::Pages, "a").screenshot_sha256, ..mark(2, Subset::Pages, "c") };
        let mut rows = [
            mark(0, Subset::Pages, "a"),
            mark(1, Subset::Pages, "b"),
            component,
            mark(3, Subset::Edit, "a"),
            mark(4, Subset::Polish, "b"),
            mark(5, Subset::Edit, "c"),
        ];
        let mut answers = Vec::new();
        for _ in 0..2 {
            rows.reverse();
            let mut sieve = Sieve::new(&takedowns);
            let number = |row: &RowMark| row.url.rsplit('/').next().and_then(|number| number.parse().ok());
            for row in &rows {
                sieve.see(row.clone(), number(row).unwrap_or(u64::MAX));
            }
            let mut numbers: Vec<u64> = sieve.finish().into_iter().map(|taken| taken.note).collect();
            numbers.sort_unstable();
            answers.push(numbers);
        }
        assert_eq!(answers[0], answers[1], "the order of rows matters");
        answers.swap_remove(0)
    }

    #[test]
    fn what_was_made_of_a_page_goes_with_it() {
        let check = |kind, value: &str, expected: &[u64]| assert_eq!(gone(kind, value), expected, "{kind:?} {value}");
        let id = |number| ItemId::of_place("row", number).to_string();
        check(TakedownKind::Url, "https://a.org/1", &[1]);
        check(TakedownKind::Domain, "a.org", &[0, 1, 2, 3, 4, 5]);
        check(TakedownKind::Domain, "b.org", &[]);
        check(TakedownKind::Id, &id(0), &[0, 2, 3, 5]);
        check(TakedownKind::Id, &id(1), &[1, 4]);
        check(TakedownKind::Id, &id(2), &[2, 5]);
        check(TakedownKind::Id, &id(3), &[3]);
        check(TakedownKind::Hash, &"b".repeat(64), &[1, 4]);
        check(TakedownKind::Hash, &format!("{:064}", 0), &[0, 2, 3, 5]);
    }

    #[test]
    fn a_list_only_grows() {
        let folder = tempfile::tempdir().expect("a folder");
        let store: Arc<dyn Store> = Arc::new(LocalStore::open(folder.path().join("store")).expect("a store"));
        let list = TakedownList::new(Arc::clone(&store), "demo");
        assert!(list.read().expect("no list").is_empty());
        let asked = |lines: &[&str]| -> BTreeSet<Takedown> {
            lines.iter().map(|line| line.parse().expect("a takedown")).collect()
        };
        let add = |lines: &[&str], time| list.add(&asked(lines), time).expect("room").map(|blob| blob.to_string());
        assert_eq!(add(&["domain a.org"], "1").as_deref(), Some("takedowns/demo/00001.jsonl"));
        let first = list.read().expect("own list").digest();
        assert_eq!(add(&["domain a.org"], "2"), None);
        assert_eq!(add(&["domain a.org", "domain b.org"], "3").as_deref(), Some("takedowns/demo/00002.jsonl"));
        let both = list.read().expect("own list");
        assert_eq!(both, Takedowns::new(asked(&["domain b.org", "domain a.org"])));
        assert_ne!(both.digest(), first);
        let other = TakedownList::new(store, "other");
        assert!(other.read().expect("no list").is_empty(), "each run has its own");
    }

    /// A store that has not heard yet of anything that was put into it, as its lists go.
    #[derive(Debug)]
    struct Behind(LocalStore);

    impl Store for Behind {
        fn list(&self, _: &str) -> Result<Vec<BlobInfo>, StoreError> {
            Ok(Vec::new())
        }
        fn get(&self, name: &BlobName) -> Result<Vec<u8>, StoreError> {
            self.0.get(name)
        }
        fn get_range(&self, name: &BlobName, range: std::ops::Range<u64>) -> Result<Vec<u8>, StoreError> {
            self.0.get_range(name, range)
        }
        fn size(&self, name: &BlobName) -> Result<Option<u64>, StoreError> {
            self.0.size(name)
        }
        fn put(&self, name: &BlobName, bytes: &[u8]) -> Result<(), StoreError> {
            self.0.put(name, bytes)
        }
        fn put_if_absent(&self, name: &BlobName, bytes: &[u8]) -> Result<bool, StoreError> {
            self.0.put_if_absent(name, bytes)
        }
        fn put_file(&self, name: &BlobName, file: &std::path::Path) -> Result<(), StoreError> {
            self.0.put_file(name, file)
        }
        fn local_path(&self, name: &BlobName) -> Result<LocalPath, StoreError> {
            self.0.local_path(name)
        }
        fn local_folder(&self, prefix: &str) -> Result<LocalPath, StoreError> {
            self.0.local_folder(prefix)
        }
        fn delete(&self, name: &BlobName) -> Result<(), StoreError> {
            self.0.delete(name)
        }
        fn scratch(&self) -> Result<tempfile::TempDir, StoreError> {
            self.0.scratch()
        }
        fn location(&self) -> String {
            self.0.location()
        }
    }

    #[test]
    fn a_store_that_is_behind_with_its_lists_brings_nothing_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(Behind(LocalStore::open(folder.path().join("store")).expect("a store")));
        let list = TakedownList::new(store, "demo");
        let all: BTreeSet<Takedown> =
            ["domain a.org", "domain b.org"].iter().map(|line| line.parse().expect("a takedown")).collect();
        for takedown in &all {
            list.add(&BTreeSet::from([takedown.clone()]), "1").expect("room").expect("it is new");
        }
        assert_eq!(list.read().expect("own list"), Takedowns::new(all));
    }
}
