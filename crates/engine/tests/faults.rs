//! The store gives way at every single operation, and the dataset comes out the same.

mod common;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::World;
use store::{BlobInfo, BlobName, LocalPath, Store, StoreError};

const SMALL: &[(&str, u64)] = &[("a", 50), ("b", 30)];

/// A store whose disk goes away at the n-th operation and stays away.
#[derive(Debug)]
struct Failing {
    inner: Arc<dyn Store>,
    left: AtomicU64,
}

impl Failing {
    fn operation(&self) -> Result<(), StoreError> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        let gone = || StoreError::Io {
            operation: "reach",
            path: PathBuf::from("the disk"),
            source: io::Error::other("it is gone"),
        };
        left.map(drop).map_err(|_| gone())
    }
}

impl Store for Failing {
    fn get(&self, name: &BlobName) -> Result<Vec<u8>, StoreError> {
        self.operation()?;
        self.inner.get(name)
    }
    fn get_range(&self, name: &BlobName, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        self.operation()?;
        self.inner.get_range(name, range)
    }
    fn size(&self, name: &BlobName) -> Result<Option<u64>, StoreError> {
        self.operation()?;
        self.inner.size(name)
    }
    fn put(&self, name: &BlobName, bytes: &[u8]) -> Result<(), StoreError> {
        self.operation()?;
        self.inner.put(name, bytes)
    }
    fn put_if_absent(&self, name: &BlobName, bytes: &[u8]) -> Result<bool, StoreError> {
        self.operation()?;
        self.inner.put_if_absent(name, bytes)
    }
    fn put_file(&self, name: &BlobName, file: &Path) -> Result<(), StoreError> {
        self.operation()?;
        self.inner.put_file(name, file)
    }
    fn local_path(&self, name: &BlobName) -> Result<LocalPath, StoreError> {
        self.operation()?;
        self.inner.local_path(name)
    }
    fn local_folder(&self, prefix: &str) -> Result<LocalPath, StoreError> {
        self.operation()?;
        self.inner.local_folder(prefix)
    }
    fn list(&self, prefix: &str) -> Result<Vec<BlobInfo>, StoreError> {
        self.operation()?;
        self.inner.list(prefix)
    }
    fn delete(&self, name: &BlobName) -> Result<(), StoreError> {
        self.operation()?;
        self.inner.delete(name)
    }
    fn scratch(&self) -> Result<tempfile::TempDir, StoreError> {
        self.operation()?;
        self.inner.scratch()
    }
    fn location(&self) -> String {
        self.inner.location()
    }
}

/// Runs with a store that gives way after so many operations, then with a healthy one; whether the first run survived.
fn survives(operations: u64, expected: &[(String, Vec<u8>)]) -> bool {
    let mut world = World::new();
    let healthy = Arc::clone(&world.store);
    world.store = Arc::new(Failing { inner: Arc::clone(&healthy), left: AtomicU64::new(operations) });
    let survived = world.run(&world.pipeline(SMALL, 1)).is_ok();
    world.store = healthy;
    world.run(&world.pipeline(SMALL, 1)).unwrap_or_else(|error| panic!("after operation {operations}: {error}"));
    assert!(world.dataset() == expected, "after operation {operations}");
    survived
}

#[test]
fn whichever_operation_fails_the_next_run_mends_it() {
    /// Most of the time goes into flushing files to the disk, so more threads than cores are worth while.
    const THREADS: u64 = 8;
    let quiet = World::new();
    quiet.run(&quiet.pipeline(SMALL, 1)).expect("a run");
    let expected = quiet.dataset();
    let first_survivor = &|thread: u64| {
        let mut operations = (1 + thread..2000).step_by(THREADS as usize);
        operations.find(|&operations| survives(operations, &expected)).expect("it survives at some point")
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || first_survivor(thread))).collect();
        for thread in threads {
            let operations = thread.join().expect("no panic");
            assert!(operations > 30, "the store was hardly used: {operations}");
        }
    });
}
