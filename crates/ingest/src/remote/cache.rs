//! Archives that were fetched, kept on disk while there is room.
//!
//! A file is known by its URL and version, so another version is another file. What is read for the first time is written
//! on the side, and counts only when all of it has come. When room is short, what was not used for the longest time goes.
//! The cache is a convenience: trouble with its disk costs the file, never the run.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use item::ContentHasher;

use super::{RemoteFile, RemoteReader};

/// Ending of a whole file.
const WHOLE: &str = "archive";
/// Ending of a file that is being fetched.
const PART: &str = "part";
/// Bytes written between two looks at the room that is left.
const ROOM_BYTES: u64 = 16 << 20;
/// A part that nobody has written to for this long was left by a process that died.
const PART_AGE_MAX: Duration = Duration::from_hours(24);

/// A folder of archives with a bound on its size. Several processes may share it; the bound then holds as well as they
/// see each other's files.
#[derive(Debug)]
pub struct DiskCache {
    folder: PathBuf,
    bytes_max: u64,
    parts: AtomicU64,
    /// Only one makes room at a time.
    room: Mutex<()>,
}

impl DiskCache {
    /// Opens the cache in `folder`, which is made if it is not there.
    pub fn open(folder: impl Into<PathBuf>, bytes_max: u64) -> io::Result<Self> {
        let cache = Self { folder: folder.into(), bytes_max, parts: AtomicU64::new(0), room: Mutex::default() };
        fs::create_dir_all(&cache.folder)?;
        for kept in cache.list(PART)? {
            if kept.used.elapsed().is_ok_and(|age| age > PART_AGE_MAX) {
                drop(fs::remove_file(&kept.path));
            }
        }
        cache.make_room(0)?;
        Ok(cache)
    }

    /// The bytes of a remote file: from the disk if they are there, else from `fetch`, and then kept.
    pub fn read(self: &Arc<Self>, file: &RemoteFile, fetch: RemoteReader) -> Box<dyn Read + Send> {
        let path = self.path(file);
        if let Ok(kept) = File::open(&path) {
            // For the order in which files go; a disk that does not note it loses the order only.
            drop(kept.set_modified(SystemTime::now()));
            return Box::new(kept);
        }
        let part = self.folder.join(format!(
            "{}-{}-{}.{PART}",
            path.file_stem().unwrap_or_default().to_string_lossy(),
            std::process::id(),
            self.parts.fetch_add(1, Ordering::Relaxed)
        ));
        let out = File::create_new(&part).ok();
        let keep = out.map(|out| Keep { cache: Arc::clone(self), out, part, path, expected: file.bytes, written: 0 });
        Box::new(Keeping { fetch, keep })
    }

    fn path(&self, file: &RemoteFile) -> PathBuf {
        let version = file.version.as_deref().unwrap_or_default();
        let digest = ContentHasher::new("cached archive").add_text(&file.url).add_text(version).finish();
        self.folder.join(format!("{digest}.{WHOLE}"))
    }

    fn list(&self, ending: &str) -> io::Result<Vec<Kept>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            // Another process may take it away between the two looks.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            if path.extension().is_some_and(|extension| extension == ending) {
                found.push(Kept { bytes: metadata.len(), used: metadata.modified()?, path });
            }
        }
        Ok(found)
    }

    /// Lets go of files until `wanted` more bytes fit; answers whether they do.
    fn make_room(&self, wanted: u64) -> io::Result<bool> {
        let _only_one = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        let parts: u64 = self.list(PART)?.iter().map(|kept| kept.bytes).sum();
        let mut whole = self.list(WHOLE)?;
        whole.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
        let mut total = parts + whole.iter().map(|kept| kept.bytes).sum::<u64>();
        for kept in whole {
            if total.saturating_add(wanted) <= self.bytes_max {
                break;
            }
            // Whoever reads it at the moment goes on reading it.
            fs::remove_file(&kept.path)?;
            total -= kept.bytes;
        }
        Ok(total.saturating_add(wanted) <= self.bytes_max)
    }
}

struct Kept {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// Reads from the network and keeps what comes.
struct Keeping {
    fetch: RemoteReader,
    keep: Option<Keep>,
}

/// A file on its way into the cache.
struct Keep {
    cache: Arc<DiskCache>,
    out: File,
    part: PathBuf,
    path: PathBuf,
    expected: Option<u64>,
    written: u64,
}

impl Read for Keeping {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fetch.read(buffer)?;
        if let Some(keep) = self.keep.take().filter(|_| !buffer.is_empty()) {
            self.keep = if count == 0 { keep.finish() } else { keep.add(&buffer[..count]) };
        }
        Ok(count)
    }
}

impl Keep {
    /// Writes what came; `None` when the cache can not take it.
    fn add(mut self, bytes: &[u8]) -> Option<Self> {
        let is_due = self.written / ROOM_BYTES != (self.written + bytes.len() as u64) / ROOM_BYTES || self.written == 0;
        if is_due {
            // Of a file whose size is not known the next step has to fit, and in the end all of it.
            let step = ROOM_BYTES.min(self.cache.bytes_max);
            let wanted = self.expected.map_or(step, |expected| expected.saturating_sub(self.written));
            if !self.cache.make_room(wanted).unwrap_or(false) {
                return None;
            }
        }
        self.out.write_all(bytes).ok()?;
        self.written += bytes.len() as u64;
        Some(self)
    }

    /// All has come: from now on it counts.
    fn finish(self) -> Option<Self> {
        let is_whole = self.expected.is_none_or(|expected| expected == self.written);
        if is_whole && self.out.sync_all().is_ok() && self.cache.make_room(0).unwrap_or(false) {
            drop(fs::rename(&self.part, &self.path));
        }
        None
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        // Gone already where it was renamed.
        remove(&self.part);
    }
}

fn remove(path: &Path) {
    drop(fs::remove_file(path));
}
