//! Several runs on one store: disjoint work, one commit a unit, the same dataset.

mod common;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::World;
use engine::{RunEvent, housekeeping};
use store::{BlobInfo, BlobName, LocalPath, Store, StoreError};

const MANY: &[(&str, u64)] = &[("a", 90), ("b", 70), ("c", 110), ("d", 80), ("e", 60), ("f", 100)];

fn quiet() -> Vec<(String, Vec<u8>)> {
    let world = World::new();
    world.run(&world.pipeline(MANY, 1)).expect("a run");
    world.dataset()
}

fn commits(world: &World) -> Vec<(String, String)> {
    let log = world.log.0.lock().expect("log");
    let commit = |event: &RunEvent| match event {
        RunEvent::PartitionCommitted { phase, partition, .. } => Some((phase.clone(), partition.clone())),
        _ => None,
    };
    log.iter().filter_map(commit).collect()
}

#[test]
fn runs_on_one_store_share_the_work() {
    let worlds: Vec<World> = (0..3).map(|_| World::new()).collect();
    let store = Arc::clone(&worlds[0].store);
    std::thread::scope(|scope| {
        for world in &worlds {
            let store = Arc::clone(&store);
            scope.spawn(move || world.run_on(&store, &world.pipeline(MANY, 1)).expect("a run"));
        }
    });
    assert_eq!(worlds[0].dataset(), quiet());
    let reads: usize = worlds.iter().map(|world| world.reads.load(Ordering::SeqCst)).sum();
    assert_eq!(reads, MANY.len(), "each partition is read by one of them");
    let mut times: BTreeMap<_, usize> = BTreeMap::new();
    for unit in worlds.iter().flat_map(commits) {
        *times.entry(unit).or_default() += 1;
    }
    assert!(times.len() > MANY.len() && times.values().all(|&times| times == 1), "{times:?}");
    assert_eq!(housekeeping::held(store.as_ref()).expect("leases"), [], "all leases were given back");
    assert_eq!(housekeeping::unneeded(store.as_ref()).expect("a list"), [], "nobody left anything behind");
}

/// A store in which somebody else commits each unit of the first phase a moment before us.
#[derive(Debug)]
struct Overtaken(Arc<dyn Store>);

impl Store for Overtaken {
    fn put_if_absent(&self, name: &BlobName, bytes: &[u8]) -> Result<bool, StoreError> {
        if name.as_str().starts_with("ledger/first/unit-") {
            let record = String::from_utf8(bytes.to_vec()).expect("json");
            let mut theirs = record.clone();
            for ours in record.split('"').filter(|text| text.starts_with("parts/")) {
                let file = BlobName::new(ours).expect("a name");
                let copy = BlobName::new(ours.replace("/first/", "/first/other-")).expect("a name");
                self.0.put(&copy, &self.0.get(&file)?)?;
                theirs = theirs.replace(ours, copy.as_str());
            }
            self.0.put_if_absent(name, theirs.as_bytes())?;
        }
        self.0.put_if_absent(name, bytes)
    }
    fn get(&self, name: &BlobName) -> Result<Vec<u8>, StoreError> {
        self.0.get(name)
    }
    fn get_range(&self, name: &BlobName, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        self.0.get_range(name, range)
    }
    fn size(&self, name: &BlobName) -> Result<Option<u64>, StoreError> {
        self.0.size(name)
    }
    fn put(&self, name: &BlobName, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.put(name, bytes)
    }
    fn put_file(&self, name: &BlobName, file: &Path) -> Result<(), StoreError> {
        self.0.put_file(name, file)
    }
    fn local_path(&self, name: &BlobName) -> Result<LocalPath, StoreError> {
        self.0.local_path(name)
    }
    fn local_folder(&self, prefix: &str) -> Result<LocalPath, StoreError> {
        self.0.local_folder(prefix)
    }
    fn list(&self, prefix: &str) -> Result<Vec<BlobInfo>, StoreError> {
        self.0.list(prefix)
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
fn who_comes_second_leaves_nothing_behind() {
    let world = World::new();
    let overtaken: Arc<dyn Store> = Arc::new(Overtaken(Arc::clone(&world.store)));
    world.run_on(&overtaken, &world.pipeline(MANY, 1)).expect("a run");
    assert_eq!(world.dataset(), quiet());
    assert!(commits(&world).iter().all(|(phase, _)| phase != "first"), "what others committed is not ours");
    let parts = world.store.list("parts/first").expect("listed");
    let is_theirs = |blob: &BlobInfo| blob.name.as_str().starts_with("parts/first/other-");
    assert!(!parts.is_empty() && parts.iter().all(is_theirs), "our files are gone: {parts:?}");
    assert_eq!(housekeeping::unneeded(world.store.as_ref()).expect("a list"), []);
}
