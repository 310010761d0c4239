//! Blobs that were fetched or written, kept on this machine while there is room.
//!
//! A file is known by the object's key and version, so it is never out of date. Whoever reads one gets a hard link of his
//! own: the cache may let go of a file at any time, and several processes may share it. When room is short, what was not
//! used for the longest time goes.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use item::ContentHasher;
use tempfile::{Builder, TempDir};

use crate::StoreError;
use crate::error::io_error;

/// Where a store that lies elsewhere keeps copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheConfig {
    /// The folder.
    pub folder: PathBuf,
    /// Bytes that are kept in it. Files that are being read or written come on top.
    pub bytes_max: u64,
}

const BLOBS: &str = "blobs";
const SCRATCH: &str = "tmp";
/// The names of scratch folders become names of attempts, and must not meet those of other machines: 119 bits.
const SCRATCH_NAME_CHARS: usize = 20;
/// A scratch folder that nobody has touched for this long was left by a process that died.
const SCRATCH_AGE_MAX: Duration = Duration::from_hours(72);

#[derive(Debug)]
pub(super) struct Cache {
    blobs: PathBuf,
    scratch: PathBuf,
    bytes_max: u64,
    /// Only one makes room at a time.
    room: Mutex<()>,
    /// What is being fetched: who wants the same waits for it.
    fetching: Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cache {
    pub(super) fn open(config: &CacheConfig) -> Result<Self, StoreError> {
        let [blobs, scratch] = [BLOBS, SCRATCH].map(|name| config.folder.join(name));
        for folder in [&blobs, &scratch] {
            fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        }
        let (room, fetching) = (Mutex::default(), Mutex::default());
        let cache = Self { blobs, scratch, bytes_max: config.bytes_max, room, fetching };
        cache.sweep();
        Ok(cache)
    }

    /// Removes what processes left that died. Others may do the same just now.
    fn sweep(&self) {
        let is_old = |entry: &fs::DirEntry| {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > SCRATCH_AGE_MAX))
        };
        for entry in fs::read_dir(&self.scratch).into_iter().flatten().flatten().filter(is_old) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }

    /// A fresh folder on the same disk.
    pub(super) fn scratch(&self) -> Result<TempDir, StoreError> {
        // Made again when somebody tidied up under us.
        fs::create_dir_all(&self.scratch).map_err(io_error("create", &self.scratch))?;
        let folder = Builder::new().prefix("").rand_bytes(SCRATCH_NAME_CHARS).tempdir_in(&self.scratch);
        folder.map_err(io_error("create a folder in", &self.scratch))
    }

    /// Gives the file of that name at the path `to`, having it fetched if it is not there.
    pub(super) fn link(
        &self,
        name: &str,
        bytes: u64,
        to: &Path,
        fetch: impl FnOnce(&Path) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let kept = self.path(name);
        let turn = Arc::clone(locked(&self.fetching).entry(kept.clone()).or_default());
        let outcome = {
            let _only_one = locked(&turn);
            if use_kept(&kept, bytes, to) { Ok(()) } else { fetch(to).and_then(|()| self.keep(&kept, bytes, to)) }
        };
        let mut fetching = locked(&self.fetching);
        // Nobody else holds it but this table and ourselves.
        if Arc::strong_count(&turn) == 2 {
            fetching.remove(&kept);
        }
        outcome
    }

    /// Takes over a file that was just written as an object.
    pub(super) fn adopt(&self, name: &str, file: &Path) -> Result<(), StoreError> {
        let synced = fs::File::open(file).and_then(|file| file.sync_all().and_then(|()| file.metadata()));
        let bytes = synced.map_err(io_error("flush", file))?.len();
        self.keep(&self.path(name), bytes, file)?;
        fs::remove_file(file).map_err(io_error("remove", file))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.blobs.join(ContentHasher::new("cached blob").add_text(name).finish().to_string())
    }

    /// Keeps a file, if there is room. A cache that can not is no trouble.
    fn keep(&self, kept: &Path, bytes: u64, file: &Path) -> Result<(), StoreError> {
        fs::create_dir_all(&self.blobs).map_err(io_error("create", &self.blobs))?;
        if self.make_room(bytes).unwrap_or(false) {
            drop(fs::hard_link(file, kept));
        }
        Ok(())
    }

    /// Lets go of files until `wanted` more bytes fit; answers whether they do.
    fn make_room(&self, wanted: u64) -> io::Result<bool> {
        let _only_one = locked(&self.room);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.blobs)? {
            let path = entry?.path();
            // Another process may take it away between the two looks.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            files.push((metadata.modified()?, path, metadata.len()));
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, _, bytes)| bytes).sum();
        for (_, path, bytes) in files {
            if total.saturating_add(wanted) <= self.bytes_max {
                break;
            }
            drop(fs::remove_file(&path));
            total -= bytes;
        }
        Ok(total.saturating_add(wanted) <= self.bytes_max)
    }
}

/// Links a kept file; whether there was one. One of another size was cut off by a disk that lost its power.
fn use_kept(kept: &Path, bytes: u64, to: &Path) -> bool {
    match fs::metadata(kept) {
        Ok(metadata) if metadata.len() == bytes => {}
        Ok(_) => {
            drop(fs::remove_file(kept));
            return false;
        }
        Err(_) => return false,
    }
    if fs::hard_link(kept, to).is_err() {
        return false;
    }
    // For the order in which files go; a disk that does not note it loses the order only.
    drop(fs::File::open(to).and_then(|file| file.set_modified(SystemTime::now())));
    true
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn cache(bytes_max: u64) -> (TempDir, Cache) {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(&CacheConfig { folder: folder.path().to_owned(), bytes_max }).expect("a cache");
        (folder, cache)
    }

    fn read(cache: &Cache, name: &str, fetched: &AtomicUsize) -> Vec<u8> {
        let scratch = cache.scratch().expect("a folder");
        let to = scratch.path().join("file");
        let fetch = |to: &Path| {
            fetched.fetch_add(1, Ordering::SeqCst);
            fs::write(to, name.as_bytes()).map_err(io_error("write", to))
        };
        cache.link(name, name.len() as u64, &to, fetch).expect("a file");
        fs::read(&to).expect("a file")
    }

    #[test]
    fn a_blob_is_fetched_once() {
        let (_folder, cache) = cache(1000);
        let fetched = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(read(&cache, "one", &fetched), b"one"));
            }
        });
        assert_eq!(fetched.load(Ordering::SeqCst), 1);
        assert!(locked(&cache.fetching).is_empty(), "nobody waits any more");
        read(&cache, "two", &fetched);
        assert_eq!(fetched.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn what_does_not_fit_goes_and_is_still_read() {
        let (_folder, cache) = cache(5);
        let fetched = AtomicUsize::new(0);
        let scratch = cache.scratch().expect("a folder");
        let held = scratch.path().join("held");
        cache.link("one", 3, &held, |to| fs::write(to, b"one").map_err(io_error("write", to))).expect("a file");
        assert_eq!(read(&cache, "four", &fetched), b"four");
        assert_eq!(fs::read(&held).expect("a link of our own"), b"one");
        assert_eq!(read(&cache, "larger than all", &fetched), b"larger than all");
        assert_eq!(fs::read_dir(&cache.blobs).expect("a folder").count(), 0, "all room was asked for");
    }

    #[test]
    fn a_file_that_was_cut_off_is_fetched_again() {
        let (_folder, cache) = cache(1000);
        let fetched = AtomicUsize::new(0);
        read(&cache, "one", &fetched);
        fs::write(cache.path("one"), b"o").expect("written");
        assert_eq!(read(&cache, "one", &fetched), b"one");
        assert_eq!(fetched.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_written_file_is_taken_over() {
        let (_folder, cache) = cache(1000);
        let scratch = cache.scratch().expect("a folder");
        let file = scratch.path().join("file");
        fs::write(&file, b"one").expect("written");
        cache.adopt("one", &file).expect("kept");
        assert!(!file.exists());
        let fetched = AtomicUsize::new(0);
        assert_eq!(read(&cache, "one", &fetched), b"one");
        assert_eq!(fetched.load(Ordering::SeqCst), 0);
    }
}
