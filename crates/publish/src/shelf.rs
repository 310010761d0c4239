//! A folder or a bucket: files by name, without commits.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use dataset::Manifest;
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use ureq::http::{Method, Request, Response};
use ureq::{Agent, Body, SendBody};
use url::Url;

use crate::Outcome;
use crate::digest;
use crate::error::{self, HubError, PublishError};
use crate::event::{Event, Observer};
use crate::hub::MakeCard;
use crate::patience::{Miss, Patience, patiently};
use crate::publication::{CARD, MANIFEST, Publication, PublishedFile, numbered};

/// Files by name.
pub trait Shelf {
    /// The content of a small file, if it is there.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, PublishError>;
    /// SHA-256 of what stands there.
    fn sha256(&self, name: &str) -> Result<Option<String>, PublishError>;
    /// Puts a file there, whole or not at all.
    fn write(&self, file: &PublishedFile) -> Result<(), PublishError>;
    /// Removes a file.
    fn remove(&self, name: &str) -> Result<(), PublishError>;
}

/// Puts a publication on a shelf: data first, then what describes it, the card last; then what an earlier one left behind is
/// removed. Files that stand there already are not written again.
pub fn publish_to_shelf(
    shelf: &dyn Shelf,
    publication: &Publication,
    card: &MakeCard<'_>,
    dry_run: bool,
    observer: &dyn Observer,
) -> Result<Outcome, PublishError> {
    let old_card = shelf.read(CARD)?;
    let old_card = old_card.as_ref().and_then(|card| std::str::from_utf8(card).ok());
    let files = publication.files(PublishedFile::document(CARD, card(old_card).into_bytes()));
    let stale = stale(shelf, &files)?;
    let mut missing = Vec::new();
    for file in &files {
        if shelf.sha256(&file.name)?.as_ref() != Some(&file.sha256) {
            missing.push(file);
        }
    }
    let outcome = Outcome {
        files: files.len(),
        sent: missing.len(),
        sent_bytes: missing.iter().map(|file| file.bytes).sum(),
        removed: stale.len(),
        ..Outcome::default()
    };
    let present = files.len() - missing.len();
    observer.event(&Event::Planned {
        files: outcome.sent,
        bytes: outcome.sent_bytes,
        present,
        removed: outcome.removed,
    });
    if dry_run {
        return Ok(outcome);
    }
    for file in missing {
        shelf.write(file)?;
        observer.event(&Event::Sent(file.bytes as i64));
        observer.event(&Event::Arrived { name: file.name.clone(), bytes: file.bytes });
    }
    stale.iter().try_for_each(|name| shelf.remove(name))?;
    Ok(outcome)
}

/// Files of the publication that stands there which have no place in the new one.
fn stale(shelf: &dyn Shelf, files: &[PublishedFile]) -> Result<Vec<String>, PublishError> {
    let old = shelf.read(MANIFEST)?.and_then(|json| String::from_utf8(json).ok());
    let Some(old) = old.and_then(|json| Manifest::from_json(&json).ok()) else { return Ok(Vec::new()) };
    let has_no_place = |name: &String| !files.iter().any(|file| file.name == *name);
    Ok(numbered(&old).map(|(_, name)| name).filter(has_no_place).collect())
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderShelf(pub PathBuf);

impl Shelf for FolderShelf {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, PublishError> {
        let path = self.0.join(name);
        absent_is_none(fs::read(&path), &path)
    }

    fn sha256(&self, name: &str) -> Result<Option<String>, PublishError> {
        let path = self.0.join(name);
        absent_is_none(File::open(&path).and_then(digest::sha256_of), &path)
    }

    fn write(&self, file: &PublishedFile) -> Result<(), PublishError> {
        let path = self.0.join(&file.name);
        let folder = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(folder).map_err(error::io("create", folder))?;
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let copied = file.read(0, file.bytes).and_then(|mut from| {
            let mut to = File::create(&partial)?;
            io::copy(&mut from, &mut to)?;
            to.sync_all()?;
            fs::rename(&partial, &path)
        });
        copied.map_err(error::io("write", &path))
    }

    fn remove(&self, name: &str) -> Result<(), PublishError> {
        let path = self.0.join(name);
        absent_is_none(fs::remove_file(&path), &path).map(drop)
    }
}

fn absent_is_none<T>(result: io::Result<T>, path: &Path) -> Result<Option<T>, PublishError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(error::io("read", path)(source)),
    }
}

/// Who writes to a bucket, and where it is. Its secret parts are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Access {
    /// Region of the bucket.
    pub region: String,
    /// A server other than Amazon's, such as `http://localhost:9000`.
    pub endpoint: Option<String>,
    /// Access key id.
    pub key: String,
    /// Secret access key.
    pub secret: String,
    /// Session token, where the pair is a temporary one.
    pub token: Option<String>,
}

impl std::fmt::Debug for S3Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Access")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// How long a signed address is good for. An hour: each is made for one attempt.
const SIGNATURE_LIFE: Duration = Duration::from_hours(1);
/// Where an object's SHA-256 is kept, so that it need not be fetched to be compared.
const SHA256_HEADER: &str = "x-amz-meta-sha256";
/// Most bytes of a card or manifest that are read back.
const READ_BYTES_MAX: u64 = 256 << 20;

/// A prefix in a bucket. Objects are written whole: shards are far below the 5 GB that one request takes.
pub struct BucketShelf<'a> {
    bucket: Bucket,
    prefix: String,
    credentials: Credentials,
    agent: Agent,
    patience: Patience,
    observer: &'a dyn Observer,
}

impl std::fmt::Debug for BucketShelf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BucketShelf").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// What is done with an object.
#[derive(Debug, Clone, Copy)]
enum Act<'a> {
    Get,
    Head,
    Put(&'a PublishedFile),
    Delete,
}

impl<'a> BucketShelf<'a> {
    /// The prefix `s3://bucket/prefix`.
    pub fn open(
        address: &str,
        access: &S3Access,
        patience: Patience,
        observer: &'a dyn Observer,
    ) -> Result<Self, PublishError> {
        let unusable = |_| PublishError::Bucket {
            action: "open",
            object: address.to_owned(),
            source: HubError::Address(address.to_owned()),
        };
        let rest = address.strip_prefix("s3://").unwrap_or(address);
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let amazon = || format!("https://s3.{}.amazonaws.com", access.region);
        let server =
            Url::parse(&access.endpoint.clone().unwrap_or_else(amazon)).map_err(|e| unusable(e.to_string()))?;
        let style = if access.endpoint.is_some() { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let bucket = Bucket::new(server, style, name.to_owned(), access.region.clone());
        let credentials = match &access.token {
            Some(token) => Credentials::new_with_token(&access.key, &access.secret, token),
            None => Credentials::new(&access.key, &access.secret),
        };
        let agent = Agent::config_builder()
            .user_agent(concat!("databuild/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .timeout_connect(Some(patience.silence_max))
            .timeout_recv_response(Some(patience.silence_max))
            .timeout_per_read(Some(patience.silence_max))
            .timeout_per_write(Some(patience.silence_max))
            .build()
            .new_agent();
        let prefix = prefix.trim_matches('/').to_owned();
        Ok(Self {
            bucket: bucket.map_err(|e| unusable(e.to_string()))?,
            prefix,
            credentials,
            agent,
            patience,
            observer,
        })
    }

    fn key(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) }
    }

    fn once(&self, act: Act<'_>, name: &str) -> Result<Response<Body>, Miss> {
        let (key, by) = (self.key(name), Some(&self.credentials));
        let (method, address) = match act {
            Act::Get => (Method::GET, self.bucket.get_object(by, &key).sign(SIGNATURE_LIFE)),
            Act::Head => (Method::HEAD, self.bucket.head_object(by, &key).sign(SIGNATURE_LIFE)),
            Act::Delete => (Method::DELETE, self.bucket.delete_object(by, &key).sign(SIGNATURE_LIFE)),
            Act::Put(file) => {
                let mut put = self.bucket.put_object(by, &key);
                put.headers_mut().insert(SHA256_HEADER, file.sha256.clone());
                (Method::PUT, put.sign(SIGNATURE_LIFE))
            }
        };
        let mut request = Request::builder().method(method).uri(address.as_str());
        let bad = |_| Miss::Fatal(HubError::Address(address.to_string()));
        let answer = if let Act::Put(file) = act {
            let unread = |source| Miss::Fatal(HubError::Read { path: file.path().to_owned(), source });
            let mut content = file.read(0, file.bytes).map_err(unread)?;
            request = request.header("content-length", file.bytes).header(SHA256_HEADER, &file.sha256);
            let body = request.body(SendBody::from_reader(&mut content)).map_err(bad)?;
            self.agent.run(body)
        } else {
            self.agent.run(request.body(()).map_err(bad)?)
        };
        let answer = answer.map_err(|error| Miss::Later { reason: error.to_string(), asked: None })?;
        crate::hub::judge(answer)
    }

    /// The answer; none where there is no such object.
    fn ask(&self, action: &'static str, act: Act<'_>, name: &str) -> Result<Option<Response<Body>>, PublishError> {
        match patiently(self.patience, self.observer, || self.once(act, name)) {
            Ok(answer) => Ok(Some(answer)),
            Err(HubError::Status { status: 404, .. }) => Ok(None),
            Err(source) => Err(PublishError::Bucket { action, object: self.key(name), source }),
        }
    }
}

impl Shelf for BucketShelf<'_> {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, PublishError> {
        let Some(mut answer) = self.ask("read", Act::Get, name)? else { return Ok(None) };
        let mut content = Vec::new();
        let read = answer.body_mut().as_reader().take(READ_BYTES_MAX).read_to_end(&mut content);
        read.map_err(error::io("read", Path::new(name)))?;
        Ok(Some(content))
    }

    fn sha256(&self, name: &str) -> Result<Option<String>, PublishError> {
        let answer = self.ask("look at", Act::Head, name)?;
        let said = answer.as_ref().and_then(|answer| answer.headers().get(SHA256_HEADER));
        Ok(said.and_then(|value| value.to_str().ok()).map(str::to_owned))
    }

    fn write(&self, file: &PublishedFile) -> Result<(), PublishError> {
        self.ask("write", Act::Put(file), &file.name).map(drop)
    }

    fn remove(&self, name: &str) -> Result<(), PublishError> {
        self.ask("delete", Act::Delete, name).map(drop)
    }
}
