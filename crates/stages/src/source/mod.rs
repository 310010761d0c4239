//! The source: archives on this machine, on web servers, in S3, and those of a crawl or of the rows of its index.

mod config;
mod files;
mod limit;
mod objects;
mod origin;
mod rows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Fingerprint, Partition, Source, SourceContext, Sourced, StageError};
use ingest::remote::{
    Client, ClientPolicy, DiskCache, S3Access, Watch, crawl_archives, is_crawl_id, is_s3, list, list_lines,
};
use ingest::{
    ArchiveReader, CaptureMaker, CaptureOutcome, CapturePolicy, Entry, Limits, ParallelRead, ReadError, Sample,
};
use item::{Body, BodyKind, Digest, Item};
use rayon::prelude::*;
use store::{BlobName, Store};

pub use config::{IndexConfig, OfCrawl, SignalConfig, SourceConfig};
pub(crate) use files::find_files;
pub use ingest::remote::S3Credentials;

use files::FileDigests;
use limit::PagesLeft;
use origin::{Known, Origin, Stream, Watcher};
use rows::IndexReading;

/// Bumped when the same WARC file would give other captures.
const VERSION: u32 = 5;

/// Reads captures from WARC files. A partition is a file.
pub struct WarcSource {
    config: SourceConfig,
    base: PathBuf,
    policy: CapturePolicy,
    limits: Limits,
    client: Client,
    client_policy: ClientPolicy,
    store: Arc<dyn Store>,
    digests: FileDigests,
    cache: Option<Arc<DiskCache>>,
    /// What stands behind the partitions that were listed.
    listed: Mutex<BTreeMap<Digest, Listed>>,
}

/// A partition that was listed.
#[derive(Debug, Clone)]
struct Listed {
    known: Known,
    /// Captures that are taken of it at most.
    pages_max: Option<u64>,
}

impl std::fmt::Debug for WarcSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WarcSource").field("config", &self.config).finish_non_exhaustive()
    }
}

impl WarcSource {
    /// Checks the configuration; asks no server. `base` is the folder that relative paths start from; `store` remembers
    /// digests of files and lists of crawls.
    pub fn new(config: &SourceConfig, base: &Path, store: Arc<dyn Store>) -> Result<Self, StageError> {
        let invalid = |what: String| Err(StageError::plain(format!("use `[source]`: {what}")));
        let names_archives = config.names_archives();
        let needs_crawl = config.index.of_crawl != OfCrawl::None || (!names_archives && config.index.files.is_empty());
        let crawls = config.crawls();
        if needs_crawl && (crawls.is_empty() || !crawls.iter().all(|crawl| is_crawl_id(crawl))) {
            let odd = crawls.iter().find(|crawl| !is_crawl_id(crawl)).copied().unwrap_or_default();
            return invalid(format!(
                "`warcs` names no file, and `crawl` (\"{odd}\") is no crawl to read instead, such as \"CC-MAIN-2024-51\""
            ));
        }
        if !needs_crawl && !config.crawls.is_empty() {
            return invalid(
                "`crawls` are read whole or by their own index; `warcs`, `lists` or `files` name other things"
                    .to_owned(),
            );
        }
        let Some(sample) = Sample::share(config.sample_share) else {
            return invalid(format!("`sample_share` is {}, it has to be above 0 and at most 1", config.sample_share));
        };
        if config.requests_per_second.is_nan() || config.requests_per_second <= 0.0 {
            return invalid(format!("`requests_per_second` is {}, it has to be above 0", config.requests_per_second));
        }
        if names_archives && config.index.is_used() {
            let both = "`warcs` or `lists`, and `index`, both say what to read; leave one of them out";
            return invalid(both.to_owned());
        }
        let cache = match config.cache.trim() {
            "" => None,
            folder => {
                let opened = DiskCache::open(base.join(folder), config.cache_mb_max.saturating_mul(1_000_000));
                let opened = opened.map_err(|error| StageError::new(format!("open the cache `{folder}`"), error))?;
                Some(Arc::new(opened))
            }
        };
        let defaults = ClientPolicy::default();
        let endpoint = Some(config.s3_endpoint.trim().to_owned()).filter(|endpoint| !endpoint.is_empty());
        let user_agent = match config.contact.trim() {
            "" => defaults.user_agent.clone(),
            contact => format!("{} (+{contact})", defaults.user_agent),
        };
        let client = ClientPolicy {
            user_agent,
            requests_per_second: config.requests_per_second,
            connections_per_host_max: config.connections_per_host_max,
            s3: S3Access { region: config.s3_region.clone(), endpoint, credentials: None },
            ..defaults
        };
        Ok(Self {
            config: config.clone(),
            base: base.to_owned(),
            policy: CapturePolicy {
                crawl: config.label().to_owned(),
                sample,
                signals: config.policy.policy(),
                verify_digests: config.verify_digests,
            },
            limits: Limits::default(),
            client: Client::new(client.clone()),
            client_policy: client,
            digests: FileDigests::new(Arc::clone(&store)),
            store,
            cache,
            listed: Mutex::default(),
        })
    }

    /// Signs requests to S3 with these credentials, which come from the environment and stand in no file.
    pub fn with_s3_credentials(mut self, credentials: S3Credentials) -> Self {
        self.client_policy.s3.credentials = Some(credentials);
        self.client = Client::new(self.client_policy.clone());
        self
    }

    /// All archives that the configuration names, in the order of their names.
    fn origins(&self, context: &SourceContext) -> Result<Vec<Origin>, StageError> {
        let mut origins = if self.config.index.is_used() {
            self.rows(context)?
        } else if self.config.warcs.is_empty() && self.config.lists.is_empty() {
            let of_each = self.config.crawls().into_iter().map(|crawl| self.crawl(crawl, context));
            of_each.collect::<Result<Vec<_>, _>>()?.concat()
        } else {
            self.named(context)?
        };
        origins.sort_by_key(Origin::name);
        origins.dedup();
        if self.config.archives_max > 0 {
            // By hash, not the first ones: the archives of a crawl are not alike from one end of its list to the other. Of each
            // crawl, so that one more crawl leaves out nothing that was read before.
            origins.sort_by_cached_key(|origin| Digest::of(origin.name().as_bytes()));
            let mut taken: BTreeMap<Option<String>, usize> = BTreeMap::new();
            origins.retain(|origin| {
                let of_crawl = taken.entry(crawl_of(&origin.name()).map(str::to_owned)).or_default();
                *of_crawl += 1;
                *of_crawl <= self.config.archives_max
            });
        }
        Ok(origins)
    }

    /// The archives that `warcs` and `lists` name.
    fn named(&self, context: &SourceContext) -> Result<Vec<Origin>, StageError> {
        let (urls, patterns): (Vec<_>, Vec<_>) = self.config.warcs.iter().partition(|warc| is_address(warc));
        let patterns: Vec<String> = patterns.into_iter().cloned().collect();
        let files = find_files(&patterns, &self.base)?.into_iter().map(Origin::Local);
        let mut origins: Vec<Origin> = files.collect();
        for url in urls {
            if objects::is_pattern(url) {
                let found = objects::find_objects(url, &self.client, &Watcher::new(context))?;
                origins.extend(found.into_iter().map(Origin::from));
            } else {
                origins.push(Origin::Web(url.clone()));
            }
        }
        for name in &self.config.lists {
            let lines = self.list(name, context)?;
            origins.extend(lines.into_iter().map(|line| self.listed_archive(line)));
        }
        Ok(origins)
    }

    fn list(&self, name: &str, context: &SourceContext) -> Result<Vec<String>, StageError> {
        let doing = || format!("read the list of archives `{name}`");
        if is_address(name) {
            let watch: Arc<dyn Watch> = Arc::new(Watcher::new(context));
            return list(&self.client, name, &watch).map_err(|error| StageError::new(doing(), error));
        }
        let file = std::fs::File::open(self.base.join(name)).map_err(|error| StageError::new(doing(), error))?;
        let lines = list_lines(file).map_err(|error| StageError::new(doing(), error))?;
        if lines.is_empty() { Err(StageError::plain(format!("{}: it names none", doing()))) } else { Ok(lines) }
    }

    /// The archive in a line of a list.
    fn listed_archive(&self, line: String) -> Origin {
        if is_address(&line) {
            return Origin::Web(line);
        }
        let is_of_crawl = line.starts_with("crawl-data/") && !self.base.join(&line).exists();
        if is_of_crawl {
            let mirror = self.config.mirror.trim_end_matches('/');
            return Origin::Crawl { url: format!("{mirror}/{line}"), path: line };
        }
        Origin::Local(self.base.join(line))
    }

    /// The captures that the index names, archive by archive.
    fn rows(&self, context: &SourceContext) -> Result<Vec<Origin>, StageError> {
        let mirror = self.config.mirror.trim_end_matches('/');
        let watch: Arc<dyn Watch> = Arc::new(Watcher::new(context));
        let reading = IndexReading {
            base: &self.base,
            mirror,
            crawls: self.config.crawls(),
            client: &self.client,
            watch: &watch,
        };
        let places = self.config.index.places(&reading)?;
        let origin = |(path, records): (String, _)| Origin::Rows { url: format!("{mirror}/{path}"), path, records };
        Ok(places.into_iter().map(origin).collect())
    }

    /// The archives of the crawl. Its list is kept in the store: a rerun of a finished crawl needs no network.
    fn crawl(&self, crawl: &str, context: &SourceContext) -> Result<Vec<Origin>, StageError> {
        let trouble = |error| StageError::new(format!("list the archives of `{crawl}`"), error);
        let blob = BlobName::join(&["facts", "crawls", &format!("{crawl}.json")]);
        let remembered = self.store.get(&blob).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let paths: Vec<String> = if let Some(paths) = remembered {
            paths
        } else {
            let watch: Arc<dyn Watch> = Arc::new(Watcher::new(context));
            let paths = crawl_archives(&self.client, &self.config.mirror, crawl, &watch)
                .map_err(|error| trouble(Box::<dyn std::error::Error + Send + Sync>::from(error)))?;
            let bytes = serde_json::to_vec(&paths).map_err(|error| trouble(error.into()))?;
            self.store.put(&blob, &bytes).map_err(|error| trouble(error.into()))?;
            paths
        };
        let mirror = self.config.mirror.trim_end_matches('/');
        Ok(paths.into_iter().map(|path| Origin::Crawl { url: format!("{mirror}/{path}"), path }).collect())
    }

    fn known(&self, digest: &Digest) -> Option<Listed> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }
}

impl Source for WarcSource {
    fn fingerprint(&self) -> Fingerprint {
        let settings = serde_json::json!({
            "crawl": self.policy.crawl,
            "limits": self.limits,
            "sample_share": self.config.sample_share,
            "signals": self.policy.signals,
            "verify_digests": self.policy.verify_digests,
        });
        Fingerprint { name: "source".into(), version: VERSION, settings }
    }

    fn gives(&self) -> BodyKind {
        BodyKind::Capture
    }

    fn partitions(&self, context: &SourceContext) -> Result<Vec<Partition>, StageError> {
        let watch = Watcher::new(context);
        let identify = |origin: &Origin| origin.identify(&self.digests, &self.client, &watch);
        let origins = self.origins(context)?;
        let found = if self.config.bytes_max > 0 {
            self.within_bytes(origins, &watch)?
        } else {
            origins.par_iter().map(identify).collect::<Result<Vec<_>, _>>()?
        };
        self.digests.save()?;
        let found = limit::spread(found, self.config.pages_max);
        let mut partitions: Vec<Partition> = found.iter().map(|(partition, _)| partition.clone()).collect();
        self.listed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(found.into_iter().map(|(partition, listed)| (partition.digest, listed)));
        // By name and content: the order in which the user lists files must not matter.
        partitions.sort_by(|a, b| (&a.name, &a.digest).cmp(&(&b.name, &b.digest)));
        partitions.dedup_by(|a, b| a.digest == b.digest);
        Ok(partitions)
    }

    fn read(
        &self,
        partition: &Partition,
        context: &SourceContext,
        emit: &mut dyn FnMut(Sourced) -> bool,
    ) -> Result<(), StageError> {
        let doing = || format!("read WARC file `{}`", partition.name);
        let changed = || StageError::plain(format!("{}: it changed under the run", doing()));
        let Listed { known, pages_max } = self.known(&partition.digest).ok_or_else(changed)?;
        if let Known::Local(path) = &known {
            let now = Origin::Local(path.clone()).identify(&self.digests, &self.client, &Watcher::new(context))?;
            if limit::limited(now.0, pages_max).digest != partition.digest {
                return Err(changed());
            }
        }
        let mut pages_left = PagesLeft::new(pages_max);
        let emit = &mut |sourced| pages_left.pass(sourced, emit);
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| StageError::new(doing(), error);
        let crawl = crawl_of(&partition.name).unwrap_or(&self.policy.crawl).to_owned();
        let policy = CapturePolicy { crawl, ..self.policy.clone() };
        let maker = CaptureMaker { archive: partition.name.clone(), limits: self.limits, policy };
        let Some(streams) = known.streams(&self.client, self.cache.as_ref(), context) else {
            let Known::Local(path) = &known else { return Err(changed()) };
            if self.config.threads > 1 {
                let file = std::fs::File::open(path).map_err(|error| failed(error.into()))?;
                return self.read_parallel(file, &maker, emit).map_err(|error| failed(error.into()));
            }
            let archive = ArchiveReader::open(path, self.limits).map_err(|error| failed(error.into()))?;
            return read_one(archive, &maker, None, emit).map(drop).map_err(|error| failed(error.into()));
        };
        for Stream { reader, offset, wanted } in streams {
            if wanted.is_none() && self.config.threads > 1 {
                return self.read_parallel(reader, &maker, emit).map_err(|error| failed(error.into()));
            }
            let archive = ArchiveReader::new_at(reader, partition.name.clone(), offset, self.limits);
            if !read_one(archive, &maker, wanted.as_deref(), emit).map_err(|error| failed(error.into()))? {
                break;
            }
        }
        Ok(())
    }
}

impl WarcSource {
    fn read_parallel(
        &self,
        source: impl std::io::Read + Send + 'static,
        maker: &CaptureMaker,
        emit: &mut dyn FnMut(Sourced) -> bool,
    ) -> Result<(), ReadError> {
        let read = ParallelRead { name: maker.archive.clone(), limits: self.limits, threads: self.config.threads };
        read.run(source, |entry| sourced(maker.outcome(entry)), emit)
    }
}

/// The crawl that the path of an archive names.
fn crawl_of(name: &str) -> Option<&str> {
    name.strip_prefix("crawl-data/")?.split('/').next()
}

/// Whether a name of a file is an address on a server.
fn is_address(name: &str) -> bool {
    name.starts_with("https://") || name.starts_with("http://") || is_s3(name)
}

/// Hands on what an archive gives, or what it gives at the wanted places; answers whether to go on.
fn read_one(
    archive: ArchiveReader,
    maker: &CaptureMaker,
    wanted: Option<&[u64]>,
    emit: &mut dyn FnMut(Sourced) -> bool,
) -> Result<bool, ReadError> {
    for entry in archive {
        let entry = entry?;
        let offset = match &entry {
            Entry::Record(record) => record.offset,
            Entry::Damage(damage) => damage.offset,
        };
        // Records between those that are wanted came along because one request is cheaper than two.
        let is_wanted = wanted.is_none_or(|wanted| wanted.binary_search(&offset).is_ok());
        if is_wanted && !emit(sourced(maker.outcome(entry))) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn sourced(outcome: CaptureOutcome) -> Sourced {
    match outcome {
        CaptureOutcome::Capture(item) => {
            Sourced::Item(Box::new(Item { head: item.head, body: Body::Capture(item.body) }))
        }
        CaptureOutcome::Rejected(head, rejection) => Sourced::Rejected(*head, rejection),
        CaptureOutcome::Failed(head, failure) => Sourced::Failed(*head, failure),
        CaptureOutcome::Skipped(kind) => Sourced::Aside(kind),
    }
}
