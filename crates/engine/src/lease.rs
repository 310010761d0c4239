//! Who works on what, so that several processes on one store do disjoint work.
//!
//! A lease saves work and nothing else: what makes a result one is the exclusive create of its record. So a lease may be
//! lost, or held twice for a moment, and the dataset is the same.
//!
//! It needs of a store what an object store can do. The n-th holder of a piece of work creates a blob whose name ends with
//! n, its *fence*, exclusively, and is the only one that ever writes to it. It shows that it is alive by counting up. Whoever
//! finds that count unchanged for the lease's term, by a clock of its own, creates the blob of the next fence: no two
//! machines have to agree on the time. Where the holder was a process of the same machine that is no more, nobody waits.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use store::{BlobName, Store};

use crate::flow::blocking;
use crate::{EngineError, ledger};

/// Top folder of all leases in the store.
pub(crate) const FOLDER: &str = "leases";

/// A holder counts up so many times in a term: it may miss one and is still believed.
const BEATS_PER_TERM: u32 = 3;
/// The first and the longest wait between two looks at work that somebody else holds.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A run, told apart from all others on all machines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The machine since its last start, and the process namespace on it; `None` where the system does not say.
    machine: Option<String>,
    /// The process.
    pub pid: u32,
    /// When the process began, in ticks of the machine: process ids come round again.
    began: Option<u64>,
    /// Number of the run in the process.
    run: u64,
}

/// Runs of this process that go on.
static GOING_ON: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
static RUNS: AtomicU64 = AtomicU64::new(0);

fn going_on() -> MutexGuard<'static, BTreeSet<u64>> {
    GOING_ON.lock().unwrap_or_else(PoisonError::into_inner)
}

fn machine() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

/// When a process began; `None` when there is no such process, or it has ended and waits for its parent to notice.
fn began(pid: u32) -> Option<u64> {
    /// Fields of the line behind the program's name: the state is the first, the beginning this one.
    const BEGAN: usize = 19;
    let line = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
    let has_ended = matches!(fields.first(), Some(&("Z" | "X")));
    if has_ended { None } else { fields.get(BEGAN)?.parse().ok() }
}

impl Owner {
    fn this(run: u64) -> Self {
        let pid = std::process::id();
        Self { machine: machine(), pid, began: began(pid), run }
    }

    /// Whether the run is over for sure. A process on another machine may be alive for all that we know.
    pub fn is_gone(&self) -> bool {
        let here = Self::this(self.run);
        if self.machine.is_none() || self.machine != here.machine {
            return false;
        }
        let is_ours = (self.pid, self.began) == (here.pid, here.began);
        if is_ours { !going_on().contains(&self.run) } else { began(self.pid) != self.began }
    }
}

/// What a lease says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRecord {
    /// Who holds it.
    pub owner: Owner,
    /// How many have held it so far.
    pub fence: u64,
    /// Counted up while the holder is alive.
    pub beat: u64,
    /// The holder is given up when it has not counted up for so long.
    pub term_ms: u64,
    /// When it was last counted up, by the holder's clock; for people.
    pub renewed_at: String,
}

/// The run's name on the door: leases of a run that has none there are nobody's.
#[derive(Debug)]
struct Tenant(Owner);

impl Tenant {
    fn new() -> Self {
        let run = RUNS.fetch_add(1, Ordering::SeqCst);
        going_on().insert(run);
        Self(Owner::this(run))
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        going_on().remove(&self.0.run);
    }
}

/// The leases that one run takes.
#[derive(Debug, Clone)]
pub(crate) struct Leases {
    store: Arc<dyn Store>,
    tenant: Arc<Tenant>,
    term: Duration,
    /// What others held when we last looked, and since when it has said the same.
    seen: Arc<Mutex<HashMap<BlobName, (LeaseRecord, Instant)>>>,
}

fn folder(kind: &str) -> String {
    format!("{FOLDER}/{kind}")
}

fn blob(kind: &str, what: &str, fence: u64) -> BlobName {
    BlobName::join(&[FOLDER, kind, &format!("{what}.{fence:010}.json")])
}

impl Leases {
    pub(crate) fn new(store: &Arc<dyn Store>, term: Duration) -> Self {
        Self { store: Arc::clone(store), tenant: Arc::new(Tenant::new()), term, seen: Arc::default() }
    }

    /// Takes the lease of a piece of work; `None` while somebody else holds it.
    pub(crate) fn take(&self, kind: &str, what: &str) -> Result<Option<Lease>, EngineError> {
        let prefix = format!("{FOLDER}/{kind}/{what}.");
        let held = self.store.list(&folder(kind))?;
        let last = held.into_iter().rfind(|blob| blob.name.as_str().starts_with(&prefix));
        let fence = match last {
            None => 1,
            Some(last) => match ledger::read::<LeaseRecord>(self.store.as_ref(), &last.name)? {
                Some(record) if self.is_over(&last.name, &record) => record.fence + 1,
                _ => return Ok(None),
            },
        };
        let name = blob(kind, what, fence);
        let record = LeaseRecord {
            owner: self.tenant.0.clone(),
            fence,
            beat: 0,
            term_ms: self.term.as_millis() as u64,
            renewed_at: jiff::Timestamp::now().to_string(),
        };
        if !self.store.put_if_absent(&name, &ledger::to_json(&name, &record)?)? {
            return Ok(None);
        }
        let (kind, what) = (kind.to_owned(), what.to_owned());
        let (store, tenant) = (Arc::clone(&self.store), Arc::clone(&self.tenant));
        Ok(Some(Lease { store, _tenant: tenant, kind, what, name, record: Mutex::new(record), term: self.term }))
    }

    fn is_over(&self, name: &BlobName, record: &LeaseRecord) -> bool {
        if record.owner.is_gone() {
            return true;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, since) = seen.entry(name.clone()).or_insert_with(|| (record.clone(), Instant::now()));
        if last != record {
            (*last, *since) = (record.clone(), Instant::now());
        }
        since.elapsed() >= Duration::from_millis(record.term_ms)
    }
}

/// A piece of work that is ours; given back when dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    store: Arc<dyn Store>,
    _tenant: Arc<Tenant>,
    kind: String,
    what: String,
    name: BlobName,
    record: Mutex<LeaseRecord>,
    term: Duration,
}

impl Lease {
    /// Whether nobody has taken it from us.
    pub(crate) fn is_held(&self) -> Result<bool, EngineError> {
        let fence = self.record.lock().unwrap_or_else(PoisonError::into_inner).fence;
        let next = blob(&self.kind, &self.what, fence + 1);
        Ok(self.store.size(&self.name)?.is_some() && self.store.size(&next)?.is_none())
    }

    /// Counts up; whether it is still ours.
    fn renew(&self) -> Result<bool, EngineError> {
        if !self.is_held()? {
            return Ok(false);
        }
        let record = {
            let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
            record.beat += 1;
            record.renewed_at = jiff::Timestamp::now().to_string();
            record.clone()
        };
        self.store.put(&self.name, &ledger::to_json(&self.name, &record)?)?;
        Ok(true)
    }

    /// Does work while the lease is ours; `None` when it was lost before the work was done.
    pub(crate) async fn holding<T>(
        self: &Arc<Self>,
        work: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<Option<T>, EngineError> {
        tokio::select! {
            done = work => done.map(Some),
            () = self.until_lost() => Ok(None),
        }
    }

    async fn until_lost(self: &Arc<Self>) {
        let mut renewed = Instant::now();
        loop {
            tokio::time::sleep(self.term / BEATS_PER_TERM).await;
            let lease = Arc::clone(self);
            match blocking(move || lease.renew()).await {
                Ok(true) => renewed = Instant::now(),
                // A store that does not answer for a moment takes no lease away.
                Err(_) if renewed.elapsed() < self.term => {}
                Ok(false) | Err(_) => return,
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let fence = self.record.lock().unwrap_or_else(PoisonError::into_inner).fence;
        // With those that were given up before it. What can not be removed now is nobody's once this run is over.
        for fence in (1..=fence).rev() {
            if self.store.delete(&blob(&self.kind, &self.what, fence)).is_err() {
                return;
            }
        }
    }
}

/// Waits between looks at work that others do, longer each time.
#[derive(Debug)]
pub(crate) struct Patience(Duration);

impl Default for Patience {
    fn default() -> Self {
        Self(LOOK_AGAIN.0)
    }
}

impl Patience {
    /// How long to wait now.
    pub(crate) fn current(&self) -> Duration {
        self.0
    }

    /// It was in vain: wait longer the next time.
    pub(crate) fn grow(&mut self) {
        self.0 = (self.0 * 2).min(LOOK_AGAIN.1);
    }
}

/// A piece of work that somebody does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The phase or barrier, or `sink`.
    pub kind: String,
    /// Key of the unit, or name of the dataset.
    pub what: String,
    /// Who does it, and since when.
    pub lease: LeaseRecord,
    /// The holder is gone for sure.
    pub is_gone: bool,
}

/// All leases in the store.
pub(crate) fn all(store: &dyn Store) -> Result<Vec<Held>, EngineError> {
    let mut found = Vec::new();
    for blob in store.list(FOLDER)? {
        let Some(lease) = ledger::read::<LeaseRecord>(store, &blob.name)? else { continue };
        let mut parts = blob.name.as_str().split('/').skip(1);
        let (Some(kind), Some(file)) = (parts.next(), parts.next()) else { continue };
        let what = file.trim_end_matches(".json").rsplit_once('.').map_or(file, |(what, _)| what);
        let is_gone = lease.owner.is_gone();
        found.push(Held { kind: kind.to_owned(), what: what.to_owned(), lease, is_gone });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use store::LocalStore;

    use super::*;

    fn store() -> (tempfile::TempDir, Arc<dyn Store>) {
        let folder = tempfile::tempdir().expect("a folder");
        let store: Arc<dyn Store> = Arc::new(LocalStore::open(folder.path()).expect("a store"));
        (folder, store)
    }

    const LONG: Duration = Duration::from_hours(1);

    fn fence(lease: &Lease) -> u64 {
        lease.record.lock().expect("no panic").fence
    }

    #[test]
    fn one_of_two_holds_it_and_gives_it_back() {
        let (_folder, store) = store();
        let (one, two) = (Leases::new(&store, LONG), Leases::new(&store, LONG));
        let lease = one.take("render", "unit").expect("a store").expect("free");
        assert!(two.take("render", "unit").expect("a store").is_none());
        assert!(two.take("render", "other").expect("a store").is_some());
        assert!(lease.renew().expect("a store"));
        drop(lease);
        assert!(two.take("render", "unit").expect("a store").is_some());
        assert!(store.list(FOLDER).expect("listed").is_empty(), "nothing is left behind");
    }

    #[test]
    fn a_silent_holder_loses_it_for_good() {
        let (_folder, store) = store();
        let (silent, next) = (Leases::new(&store, Duration::ZERO), Leases::new(&store, LONG));
        let lost = silent.take("render", "unit").expect("a store").expect("free");
        let taken = next.take("render", "unit").expect("a store").expect("its term is over");
        assert_eq!((fence(&lost), fence(&taken)), (1, 2));
        assert!(!lost.is_held().expect("a store") && !lost.renew().expect("a store"));
        assert!(taken.renew().expect("a store"));
        drop(lost);
        assert!(taken.is_held().expect("a store"), "who lost it takes nothing away");
    }

    #[test]
    fn whoever_counts_up_keeps_it() {
        let (_folder, store) = store();
        let (holder, other) = (Leases::new(&store, Duration::from_millis(1)), Leases::new(&store, LONG));
        let lease = holder.take("render", "unit").expect("a store").expect("free");
        for _ in 0..3 {
            // The first look starts the clock; each count starts it again, however late it comes.
            assert!(other.take("render", "unit").expect("a store").is_none());
            std::thread::sleep(Duration::from_millis(5));
            assert!(lease.renew().expect("a store"));
        }
    }

    #[test]
    fn nobody_waits_for_the_dead() {
        let (_folder, store) = store();
        let mut child = std::process::Command::new("true").spawn().expect("a process");
        let owner = Owner { machine: machine(), pid: child.id(), began: Some(0), run: 0 };
        child.wait().expect("it ends");
        let record = |owner| LeaseRecord { owner, fence: 1, beat: 0, term_ms: 3_600_000, renewed_at: String::new() };
        let elsewhere = Owner { machine: Some("elsewhere".into()), ..owner.clone() };
        for (what, owner, is_free) in [("here", owner, true), ("there", elsewhere, false)] {
            let name = blob("render", what, 1);
            store.put(&name, &ledger::to_json(&name, &record(owner)).expect("json")).expect("written");
            let taken = Leases::new(&store, LONG).take("render", what).expect("a store");
            assert_eq!(taken.is_some(), is_free, "{what}");
        }
    }
}
