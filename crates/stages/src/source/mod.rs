//! The source: WARC files on this machine, on web servers, and those of a crawl.

mod config;
mod files;
mod origin;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Fingerprint, Partition, Source, SourceContext, Sourced, StageError};
use ingest::remote::{Client, ClientPolicy, crawl_archives, is_crawl_id};
use ingest::{CaptureOutcome, CapturePolicy, CaptureReader, Limits, Sample};
use item::{Body, BodyKind, Digest, Item};
use rayon::prelude::*;
use store::{BlobName, Store};

pub use config::SourceConfig;
pub(crate) use files::find_files;

use files::FileDigests;
use origin::{Known, Origin, Watcher};

/// Bumped when the same WARC file would give other captures.
const VERSION: u32 = 1;

/// Reads captures from WARC files. A partition is a file.
pub struct WarcSource {
    config: SourceConfig,
    base: PathBuf,
    policy: CapturePolicy,
    limits: Limits,
    client: Client,
    store: Arc<dyn Store>,
    digests: FileDigests,
    /// What stands behind the partitions that were listed.
    listed: Mutex<BTreeMap<Digest, Known>>,
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
        if config.warcs.is_empty() && !is_crawl_id(&config.crawl) {
            return invalid(format!(
                "`warcs` names no file, and `crawl` (\"{}\") is no crawl to read instead, such as \"CC-MAIN-2024-51\"",
                config.crawl
            ));
        }
        let Some(sample) = Sample::share(config.sample_share) else {
            return invalid(format!("`sample_share` is {}, it has to be above 0 and at most 1", config.sample_share));
        };
        if config.requests_per_second.is_nan() || config.requests_per_second <= 0.0 {
            return invalid(format!("`requests_per_second` is {}, it has to be above 0", config.requests_per_second));
        }
        let defaults = ClientPolicy::default();
        let user_agent = match config.contact.trim() {
            "" => defaults.user_agent.clone(),
            contact => format!("{} (+{contact})", defaults.user_agent),
        };
        let client = ClientPolicy { user_agent, requests_per_second: config.requests_per_second, ..defaults };
        Ok(Self {
            config: config.clone(),
            base: base.to_owned(),
            policy: CapturePolicy { crawl: config.crawl.clone(), sample },
            limits: Limits::default(),
            client: Client::new(client),
            digests: FileDigests::new(Arc::clone(&store)),
            store,
            listed: Mutex::default(),
        })
    }

    /// All archives that the configuration names, in the order of their names.
    fn origins(&self, context: &SourceContext) -> Result<Vec<Origin>, StageError> {
        let mut origins = if self.config.warcs.is_empty() { self.crawl(context)? } else { self.named()? };
        origins.sort_by_key(Origin::name);
        origins.dedup();
        let most = self.config.archives_max;
        if most > 0 && origins.len() > most {
            // By hash, not the first ones: the archives of a crawl are not alike from one end of its list to the other.
            origins.sort_by_key(|origin| Digest::of(origin.name().as_bytes()));
            origins.truncate(most);
        }
        Ok(origins)
    }

    fn named(&self) -> Result<Vec<Origin>, StageError> {
        let is_url = |warc: &&String| warc.starts_with("https://") || warc.starts_with("http://");
        let (urls, patterns): (Vec<_>, Vec<_>) = self.config.warcs.iter().partition(is_url);
        let patterns: Vec<String> = patterns.into_iter().cloned().collect();
        let files = find_files(&patterns, &self.base)?.into_iter().map(Origin::Local);
        Ok(files.chain(urls.into_iter().cloned().map(Origin::Web)).collect())
    }

    /// The archives of the crawl. Its list is kept in the store: a rerun of a finished crawl needs no network.
    fn crawl(&self, context: &SourceContext) -> Result<Vec<Origin>, StageError> {
        let crawl = &self.config.crawl;
        let trouble = |error| StageError::new(format!("list the archives of `{crawl}`"), error);
        let blob = BlobName::join(&["facts", "crawls", &format!("{crawl}.json")]);
        let remembered = self.store.get(&blob).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let paths: Vec<String> = if let Some(paths) = remembered {
            paths
        } else {
            let watch: Arc<dyn ingest::remote::Watch> = Arc::new(Watcher::new(context));
            let paths = crawl_archives(&self.client, &self.config.mirror, crawl, &watch)
                .map_err(|error| trouble(Box::<dyn std::error::Error + Send + Sync>::from(error)))?;
            let bytes = serde_json::to_vec(&paths).map_err(|error| trouble(error.into()))?;
            self.store.put(&blob, &bytes).map_err(|error| trouble(error.into()))?;
            paths
        };
        let mirror = self.config.mirror.trim_end_matches('/');
        Ok(paths.into_iter().map(|path| Origin::Crawl { url: format!("{mirror}/{path}"), path }).collect())
    }

    fn known(&self, digest: &Digest) -> Option<Known> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }
}

impl Source for WarcSource {
    fn fingerprint(&self) -> Fingerprint {
        let settings = serde_json::json!({
            "crawl": self.policy.crawl,
            "limits": self.limits,
            "sample_share": self.config.sample_share,
        });
        Fingerprint { name: "source".into(), version: VERSION, settings }
    }

    fn gives(&self) -> BodyKind {
        BodyKind::Capture
    }

    fn partitions(&self, context: &SourceContext) -> Result<Vec<Partition>, StageError> {
        let watch = Watcher::new(context);
        let identify = |origin: &Origin| origin.identify(&self.digests, &self.client, &watch);
        let found: Result<Vec<_>, _> = self.origins(context)?.par_iter().map(identify).collect();
        let found = found?;
        self.digests.save()?;
        let mut partitions: Vec<Partition> = found.iter().map(|(partition, _)| partition.clone()).collect();
        self.listed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(found.into_iter().map(|(partition, known)| (partition.digest, known)));
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
        let known = self.known(&partition.digest).ok_or_else(changed)?;
        if let Known::Local(path) = &known {
            let now = Origin::Local(path.clone()).identify(&self.digests, &self.client, &Watcher::new(context))?;
            if now.0.digest != partition.digest {
                return Err(changed());
            }
        }
        let archive = known.open(&partition.name, self.limits, &self.client, context)?;
        for outcome in CaptureReader::new(archive, self.policy.clone()) {
            let sourced = match outcome.map_err(|error| StageError::new(doing(), error))? {
                CaptureOutcome::Capture(item) => {
                    Sourced::Item(Box::new(Item { head: item.head, body: Body::Capture(item.body) }))
                }
                CaptureOutcome::Rejected(head, rejection) => Sourced::Rejected(*head, rejection),
                CaptureOutcome::Failed(head, failure) => Sourced::Failed(*head, failure),
                CaptureOutcome::Skipped(kind) => Sourced::Aside(kind),
            };
            if !emit(sourced) {
                break;
            }
        }
        Ok(())
    }
}
