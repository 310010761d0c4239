//! A store in a folder.
//!
//! A blob is first written under `tmp/` of the same folder, flushed to disk, then renamed (or, for exclusive creation,
//! hard-linked) to its name: readers see all of it or nothing, and a killed process leaves only files in `tmp/`.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempDir};

use crate::error::io_error;
use crate::{BlobInfo, BlobName, FORMAT, FORMAT_FILE, LocalPath, Store, StoreError, format_record};

const SCRATCH: &str = "tmp";

/// A folder on a local disk.
#[derive(Debug)]
pub struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    /// Opens the store in `root`, making the folder when it is not there.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let root = root.into();
        fs::create_dir_all(root.join(SCRATCH)).map_err(io_error("create", &root))?;
        let root = root.canonicalize().map_err(io_error("find", &root))?;
        let store = Self { root };
        store.check_format()?;
        Ok(store)
    }

    fn check_format(&self) -> Result<(), StoreError> {
        let path = self.root.join(FORMAT_FILE);
        let expected = format_record();
        match fs::read_to_string(&path) {
            Ok(found) if found == expected => Ok(()),
            Ok(found) => Err(self.of_another_format(found)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let temp = self.staged(&path, expected.as_bytes())?;
                // Two first processes may race here; both write the same bytes.
                temp.persist(&path).map_err(|e| StoreError::Io { operation: "create", path, source: e.error })?;
                Ok(())
            }
            Err(source) => Err(StoreError::Io { operation: "read", path, source }),
        }
    }

    fn of_another_format(&self, found: String) -> StoreError {
        StoreError::Format { place: self.location(), expected: FORMAT, found }
    }

    fn path(&self, name: &BlobName) -> PathBuf {
        self.root.join(name.as_str())
    }

    /// Bytes on the disk that are to become `path`. Trouble names that, which people know, and not the temporary file.
    fn staged(&self, path: &Path, bytes: &[u8]) -> Result<NamedTempFile, StoreError> {
        let scratch = self.scratch_root()?;
        // Like any file that the user makes: the umask decides who may read it.
        let everyone = fs::Permissions::from_mode(0o666);
        let write = || {
            let mut temp = Builder::new().permissions(everyone).tempfile_in(&scratch)?;
            temp.write_all(bytes)?;
            temp.as_file().sync_all()?;
            Ok(temp)
        };
        write().map_err(io_error("write", path))
    }

    fn scratch_root(&self) -> Result<PathBuf, StoreError> {
        let scratch = self.root.join(SCRATCH);
        // Made again when somebody tidied up under us.
        fs::create_dir_all(&scratch).map_err(io_error("create", &scratch))?;
        Ok(scratch)
    }

    /// A store that is no more is not made anew in passing: what it held is lost, and whoever runs has to know.
    fn check_there(&self) -> Result<(), StoreError> {
        let is_there = self.root.join(FORMAT_FILE).exists();
        if is_there { Ok(()) } else { Err(StoreError::Gone { path: self.root.clone() }) }
    }

    /// A blob that is not there, or the whole store.
    fn not_found(&self, name: &BlobName) -> StoreError {
        self.check_there().err().unwrap_or_else(|| StoreError::NotFound { name: name.clone() })
    }

    fn prepared(&self, name: &BlobName) -> Result<PathBuf, StoreError> {
        let path = self.path(name);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        Ok(path)
    }
}

/// A rename is only durable once the folder that holds the name is on disk.
fn sync_folder_of(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error("flush", folder))
}

impl Store for LocalStore {
    fn get(&self, name: &BlobName) -> Result<Vec<u8>, StoreError> {
        let path = self.path(name);
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.not_found(name)),
            other => other.map_err(io_error("read", &path)),
        }
    }

    fn get_range(&self, name: &BlobName, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let path = self.local_path(name)?;
        let read = || {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(range.start))?;
            let mut bytes = Vec::new();
            file.take(range.end.saturating_sub(range.start)).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(io_error("read", &path))
    }

    fn size(&self, name: &BlobName) -> Result<Option<u64>, StoreError> {
        let path = self.path(name);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::Io { operation: "look at", path, source }),
        }
    }

    fn put(&self, name: &BlobName, bytes: &[u8]) -> Result<(), StoreError> {
        self.check_there()?;
        let temp = self.staged(&self.path(name), bytes)?;
        let path = self.prepared(name)?;
        temp.persist(&path).map_err(|e| io_error("write", &path)(e.error))?;
        sync_folder_of(&path)
    }

    fn put_if_absent(&self, name: &BlobName, bytes: &[u8]) -> Result<bool, StoreError> {
        self.check_there()?;
        let temp = self.staged(&self.path(name), bytes)?;
        let path = self.prepared(name)?;
        match temp.persist_noclobber(&path) {
            Ok(_) => sync_folder_of(&path).map(|()| true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(io_error("create", &path)(error.error)),
        }
    }

    fn put_file(&self, name: &BlobName, file: &Path) -> Result<(), StoreError> {
        self.check_there()?;
        File::open(file).and_then(|file| file.sync_all()).map_err(io_error("flush", file))?;
        let path = self.prepared(name)?;
        fs::rename(file, &path).map_err(io_error("publish", &path))?;
        sync_folder_of(&path)
    }

    fn local_path(&self, name: &BlobName) -> Result<LocalPath, StoreError> {
        let path = self.path(name);
        if path.is_file() { Ok(LocalPath::in_place(path)) } else { Err(self.not_found(name)) }
    }

    fn local_folder(&self, prefix: &str) -> Result<LocalPath, StoreError> {
        self.check_there()?;
        Ok(LocalPath::in_place(self.root.join(prefix)))
    }

    fn list(&self, prefix: &str) -> Result<Vec<BlobInfo>, StoreError> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.join(prefix)];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other.map_err(io_error("list", &folder))?,
            };
            for entry in entries {
                let entry = entry.map_err(io_error("list", &folder))?;
                let path = entry.path();
                // Another process may have removed it since, as it does with its leases.
                let metadata = match entry.metadata() {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    other => other.map_err(io_error("look at", &path))?,
                };
                if metadata.is_dir() {
                    folders.push(path);
                    continue;
                }
                let relative = path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy().into_owned();
                // Files of other people in our folder are none of our blobs.
                if let Ok(name) = BlobName::new(relative) {
                    found.push(BlobInfo { name, bytes: metadata.len() });
                }
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    fn delete(&self, name: &BlobName) -> Result<(), StoreError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(io_error("remove", &path)),
        }
    }

    fn scratch(&self) -> Result<TempDir, StoreError> {
        self.check_there()?;
        let root = self.scratch_root()?;
        TempDir::new_in(&root).map_err(io_error("create a folder in", &root))
    }

    fn location(&self) -> String {
        self.root.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (TempDir, LocalStore) {
        let folder = TempDir::new().expect("a temp folder");
        let store = LocalStore::open(folder.path().join("state")).expect("a new store");
        (folder, store)
    }

    #[test]
    fn one_of_many_writers_wins() {
        let (_folder, store) = store();
        let name = BlobName::join(&["ledger", "a"]);
        let wins: usize = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8u8)
                .map(|writer| {
                    let (store, name) = (&store, &name);
                    scope.spawn(move || usize::from(store.put_if_absent(name, &[writer]).expect("a healthy disk")))
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().expect("no panic")).sum()
        });
        assert_eq!(wins, 1);
        assert_eq!(store.get(&name).expect("the winner's").len(), 1);
    }

    #[test]
    fn blobs_are_read_listed_and_removed() {
        let (_folder, store) = store();
        let name = BlobName::join(&["parts", "x", "items"]);
        assert!(matches!(store.get(&name), Err(StoreError::NotFound { .. })));
        store.put(&name, b"0123456789").expect("write");
        assert_eq!(store.get_range(&name, 2..5).expect("range"), b"234");
        assert_eq!(store.get_range(&name, 8..50).expect("range past the end"), b"89");
        assert_eq!(store.size(&name).expect("size"), Some(10));
        let listed = store.list("parts").expect("list");
        assert_eq!(listed, vec![BlobInfo { name: name.clone(), bytes: 10 }]);
        store.delete(&name).expect("delete");
        store.delete(&name).expect("delete again");
        assert!(store.list("parts").expect("list").is_empty());
    }

    #[test]
    fn what_vanishes_while_it_is_listed_is_left_out() {
        let (_folder, store) = store();
        let name = |number: u32| BlobName::join(&["leases", &number.to_string()]);
        store.put(&name(0), b"stays").expect("write");
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in (1..=40).cycle().take(8_000) {
                    store.put(&name(number), b"goes").expect("write");
                    store.delete(&name(number)).expect("delete");
                }
                done.store(true, std::sync::atomic::Ordering::Relaxed);
            });
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let listed = store.list("leases").expect("list");
                assert!(listed.iter().any(|blob| blob.name == name(0)));
            }
        });
    }

    #[test]
    fn a_file_is_published_by_move() {
        let (_folder, store) = store();
        let scratch = store.scratch().expect("scratch");
        let file = scratch.path().join("f");
        fs::write(&file, b"rows").expect("write");
        let name = BlobName::join(&["dataset", "f"]);
        store.put_file(&name, &file).expect("publish");
        assert!(!file.exists());
        assert_eq!(store.get(&name).expect("read"), b"rows");
    }

    #[test]
    fn another_format_is_refused() {
        let (_folder, store) = store();
        fs::write(store.root.join(FORMAT_FILE), "{\"format\":99}\n").expect("write");
        let error = LocalStore::open(&store.root).expect_err("a foreign format");
        assert!(error.to_string().contains("format 1"), "{error}");
    }
    #[test]
    fn a_store_that_was_removed_is_not_made_anew() {
        let (_folder, store) = store();
        let name = BlobName::join(&["ledger", "a"]);
        store.put(&name, b"x").expect("write");
        fs::remove_dir_all(&store.root).expect("removed");
        let is_gone = |error: StoreError| matches!(error, StoreError::Gone { .. });
        assert!(store.get(&name).is_err_and(is_gone));
        assert!(store.put(&name, b"x").is_err_and(is_gone));
        assert!(store.put_if_absent(&name, b"x").is_err_and(is_gone));
        assert!(store.scratch().is_err_and(is_gone));
        assert!(!store.root.exists());
        let again = LocalStore::open(&store.root).expect("a new store");
        assert!(again.list("ledger").expect("list").is_empty());
    }
}
