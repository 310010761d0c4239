//! A store under a prefix of S3, or of a server that speaks like it.
//!
//! A blob is an object. Objects appear whole by themselves; that one of many writers wins is a conditional `PUT`
//! (`If-None-Match: *`), and a server that ignores the condition is found out when the store is opened, and refused.
//!
//! Every object carries the SHA-256 of its bytes, so that what is read is what was written, whoever stood in between.
//! Files that Parquet jumps about in are fetched whole, in pieces at the same time, into a folder on this machine.

mod address;
mod cache;
mod client;
mod create;
mod credentials;
mod fetch;
mod list;
mod object;
mod trouble;
mod upload;
mod xml;

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;

use tempfile::TempDir;

pub use address::{InvalidAddress, S3Address};
pub use cache::CacheConfig;
pub use client::{BucketStyle, S3Patience, S3Server};
pub use credentials::{Chain, Container, CredentialError, Keys, ProfileSettings, Profiles, Surroundings, WebIdentity};
pub use trouble::S3Error;

use crate::at_once;
use crate::error::io_error;
use crate::{BlobInfo, BlobName, FORMAT, FORMAT_FILE, LocalPath, Store, StoreError, format_record};
use cache::Cache;
use client::Client;

/// Blobs of a folder that are fetched at the same time; each comes in pieces if it is large.
const BLOBS_AT_ONCE: usize = 4;

/// A prefix in a bucket.
#[derive(Debug)]
pub struct S3Store {
    address: S3Address,
    client: Client,
    cache: Cache,
}

impl S3Store {
    /// Opens the store at an address, beginning it when there is nothing. The server is tried: one that lets two writers
    /// win is refused.
    pub fn open(
        address: &S3Address,
        server: &S3Server,
        credentials: Chain,
        cache: &CacheConfig,
    ) -> Result<Self, StoreError> {
        let store = Self::reading(address, server, credentials, cache)?;
        store.check_format()?;
        Ok(store)
    }

    /// A prefix that is only read, whether it is a store or not.
    pub fn reading(
        address: &S3Address,
        server: &S3Server,
        credentials: Chain,
        cache: &CacheConfig,
    ) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Remote { operation: "open", address: address.to_string(), source };
        let client = Client::new(address, server, credentials).map_err(failed)?;
        Ok(Self { address: address.clone(), client, cache: Cache::open(cache)? })
    }

    /// Looks at the format, and makes sure that the server obeys conditions: the object of the format is there by then, so
    /// putting it once more must fail. Should the server overwrite it, it does so with the same bytes.
    fn check_format(&self) -> Result<(), StoreError> {
        let key = self.address.key(FORMAT_FILE);
        let expected = format_record();
        let failed = |source| self.failed("open", FORMAT_FILE)(source);
        let found = if let Some(found) = object::get(&self.client, &key).map_err(failed)? {
            found
        } else {
            // Servers disagree about what they say of objects where there is no bucket; of lists they do not.
            list::list(&self.client, &key).map_err(failed)?;
            create::create(&self.client, &key, expected.as_bytes()).map_err(failed)?;
            expected.clone().into_bytes()
        };
        if found != expected.as_bytes() {
            let found = String::from_utf8_lossy(&found).into_owned();
            return Err(StoreError::Format { place: self.location(), expected: FORMAT, found });
        }
        match create::probe(&self.client, &key, expected.as_bytes()) {
            // Who may only read can spoil nothing.
            Err(S3Error::Denied { .. }) => Ok(()),
            other => other.map_err(failed),
        }
    }

    fn key(&self, name: &BlobName) -> String {
        self.address.key(name.as_str())
    }

    fn failed(&self, operation: &'static str, name: &str) -> impl FnOnce(S3Error) -> StoreError {
        let address = format!("s3://{}/{}", self.address.bucket, self.address.key(name));
        move |source| StoreError::Remote { operation, address, source }
    }

    /// The blob as a file of our own; the server is asked each time, since a blob may be replaced.
    fn fetched(&self, name: &BlobName, to: &Path) -> Result<(), StoreError> {
        let key = self.key(name);
        let head = object::head(&self.client, &key).map_err(self.failed("look at", name.as_str()))?;
        let head = head.ok_or_else(|| StoreError::NotFound { name: name.clone() })?;
        self.cache.link(&cache_key(&self.address, &key, &head.version), head.bytes, to, |part| {
            fetch::fetch(&self.client, &key, &head, part).map_err(|trouble| match trouble {
                fetch::Trouble::Server(source) => self.failed("read", name.as_str())(source),
                fetch::Trouble::Disk(source) => io_error("write", part)(source),
            })
        })
    }
}

/// What a version of an object is called in the cache.
fn cache_key(address: &S3Address, key: &str, version: &str) -> String {
    format!("{}/{key} {version}", address.bucket)
}

impl Store for S3Store {
    fn get(&self, name: &BlobName) -> Result<Vec<u8>, StoreError> {
        let found = object::get(&self.client, &self.key(name)).map_err(self.failed("read", name.as_str()))?;
        found.ok_or_else(|| StoreError::NotFound { name: name.clone() })
    }

    fn get_range(&self, name: &BlobName, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let found = object::get_range(&self.client, &self.key(name), range, None);
        let found = found.map_err(self.failed("read", name.as_str()))?;
        found.ok_or_else(|| StoreError::NotFound { name: name.clone() })
    }

    fn size(&self, name: &BlobName) -> Result<Option<u64>, StoreError> {
        let head = object::head(&self.client, &self.key(name)).map_err(self.failed("look at", name.as_str()))?;
        Ok(head.map(|head| head.bytes))
    }

    fn put(&self, name: &BlobName, bytes: &[u8]) -> Result<(), StoreError> {
        object::put(&self.client, &self.key(name), bytes).map(drop).map_err(self.failed("write", name.as_str()))
    }

    fn put_if_absent(&self, name: &BlobName, bytes: &[u8]) -> Result<bool, StoreError> {
        create::create(&self.client, &self.key(name), bytes).map_err(self.failed("create", name.as_str()))
    }

    fn put_file(&self, name: &BlobName, file: &Path) -> Result<(), StoreError> {
        let key = self.key(name);
        let version = upload::upload(&self.client, &key, file).map_err(|trouble| match trouble {
            upload::Trouble::Server(source) => self.failed("write", name.as_str())(source),
            upload::Trouble::Disk(source) => io_error("read", file)(source),
        })?;
        // What was just written is read next, as a rule, and by the same machine.
        self.cache.adopt(&cache_key(&self.address, &key, &version), file)
    }

    fn local_path(&self, name: &BlobName) -> Result<LocalPath, StoreError> {
        let folder = self.cache.scratch()?;
        let file = name.as_str().rsplit('/').next().unwrap_or_default();
        let path = folder.path().join(file);
        self.fetched(name, &path)?;
        Ok(LocalPath::copy(path, folder))
    }

    fn local_folder(&self, prefix: &str) -> Result<LocalPath, StoreError> {
        let folder = self.cache.scratch()?;
        let blobs = self.list(prefix)?;
        let path = |name: &BlobName| folder.path().join(name.as_str().trim_start_matches(prefix).trim_matches('/'));
        let folders: BTreeSet<_> =
            blobs.iter().filter_map(|blob| path(&blob.name).parent().map(Path::to_owned)).collect();
        for folder in folders {
            fs::create_dir_all(&folder).map_err(io_error("create", &folder))?;
        }
        at_once(&blobs, BLOBS_AT_ONCE, |blob| match self.fetched(&blob.name, &path(&blob.name)) {
            // Listings may be behind, and somebody may tidy up just now.
            Err(StoreError::NotFound { .. }) => Ok(()),
            other => other,
        })?;
        Ok(LocalPath::copy(folder.path().to_owned(), folder))
    }

    fn list(&self, prefix: &str) -> Result<Vec<BlobInfo>, StoreError> {
        // A folder: `a` does not name what is in `ab`.
        let folder = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let objects = list::list(&self.client, &self.address.key(&folder)).map_err(self.failed("list", prefix))?;
        let blob = |object: list::Object| {
            // Objects of other people under our prefix are none of our blobs.
            let name = BlobName::new(self.address.name(&object.key)?).ok()?;
            Some(BlobInfo { name, bytes: object.bytes })
        };
        let mut blobs: Vec<BlobInfo> = objects.into_iter().filter_map(blob).collect();
        blobs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(blobs)
    }

    fn delete(&self, name: &BlobName) -> Result<(), StoreError> {
        object::delete(&self.client, &self.key(name)).map_err(self.failed("remove", name.as_str()))
    }

    fn scratch(&self) -> Result<TempDir, StoreError> {
        self.cache.scratch()
    }

    fn location(&self) -> String {
        self.address.to_string()
    }
}
