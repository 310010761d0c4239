//! `fetch`: style sheets that no archive has, asked for on the web.
//!
//! Off by default. The stage cleans each capture once to see which sheets it wants, imports of sheets included, and throws
//! the page away; what it fetched lies in a folder, where the clean stage finds it. So cleaning itself waits for nobody.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::clean::{Asset, Assets, CleanPolicy};
use engine::{BatchSize, Context, Demand, Resource, Settings, Stage, StageError};
use ingest::AssetIndex;
use ingest::fetch::{FetchError, FetchPolicy, Fetcher};
use ingest::remote::Watch;
use item::{Attributes, Capture, Item, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clean::CleanStage;

/// `[fetch]`: style sheets that no archive has, from the web.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FetchConfig {
    /// Whether the web is asked at all. `source.contact` has to say who asks.
    pub enabled: bool,
    /// Folder, relative to the pipeline file, of what was fetched: WARC files. A rerun finds it there and fetches nothing.
    pub folder: String,
    /// Seconds between the starts of two requests to one host; a longer `Crawl-delay` of its robots.txt counts.
    pub host_gap_seconds: f64,
    /// Largest style sheet, in bytes.
    pub sheet_bytes_max: u64,
    /// Longest time of one request, in seconds.
    pub request_seconds_max: f64,
    /// Longest time in which requests for one page are begun, in seconds; the sheets behind it count as missing.
    pub page_seconds_max: f64,
}

impl Default for FetchConfig {
    fn default() -> Self {
        let policy = FetchPolicy::default();
        Self {
            enabled: false,
            folder: "fetched".into(),
            host_gap_seconds: policy.gap.as_secs_f64(),
            sheet_bytes_max: policy.bytes_max,
            request_seconds_max: policy.request_time_max.as_secs_f64(),
            page_seconds_max: 60.0,
        }
    }
}

impl FetchConfig {
    /// Opens the folder of what was fetched; `contact` says who asks.
    pub fn open(&self, contact: &str, base: &Path) -> Result<Arc<Fetcher>, StageError> {
        let defaults = FetchPolicy::default();
        if contact.trim().is_empty() {
            return Err(StageError::plain(
                "use `[fetch]`: `source.contact` is empty, and servers have to know whom to write to",
            ));
        }
        let policy = FetchPolicy {
            user_agent: format!("{} (+{})", defaults.user_agent, contact.trim()),
            gap: seconds("host_gap_seconds", self.host_gap_seconds)?,
            bytes_max: self.sheet_bytes_max,
            request_time_max: seconds("request_seconds_max", self.request_seconds_max)?,
        };
        seconds("page_seconds_max", self.page_seconds_max)?;
        let fetcher = Fetcher::open(&base.join(&self.folder), policy);
        Ok(Arc::new(fetcher.map_err(|error| StageError::new("set up the fetching of style sheets", error))?))
    }
}

fn seconds(key: &str, value: f64) -> Result<Duration, StageError> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| StageError::plain(format!("use `[fetch]`: `{key}` is {value}, it has to be a number of seconds")))
}

/// The stage.
#[derive(Debug)]
pub struct FetchStage {
    config: FetchConfig,
    policy: CleanPolicy,
    assets: Arc<AssetIndex>,
    fetcher: Arc<Fetcher>,
}

impl FetchStage {
    /// Fetches what `clean` would want and does not have.
    pub fn new(config: &FetchConfig, clean: &CleanStage, fetcher: Arc<Fetcher>) -> Self {
        Self { config: config.clone(), policy: clean.policy(), assets: Arc::clone(&clean.assets().index), fetcher }
    }
}

/// The assets of one page while it is looked at.
struct Wanted<'a> {
    stage: &'a FetchStage,
    deadline: Instant,
    stopped: &'a (dyn Fn() -> bool + Sync),
    trouble: Mutex<Option<FetchError>>,
}

impl Assets for Wanted<'_> {
    fn get(&self, _: &str) -> Option<Asset> {
        // Pictures are not fetched.
        None
    }

    fn sheet(&self, url: &str) -> Option<Asset> {
        let asset = self
            .stage
            .assets
            .get(url)
            .ok()
            .flatten()
            .map(Ok)
            .or_else(|| self.stage.fetcher.get(url, self.deadline, self).transpose())?;
        match asset {
            Ok(asset) => Some(Asset { mime: asset.mime, bytes: asset.bytes }),
            Err(error) => {
                self.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                None
            }
        }
    }
}

impl Watch for Wanted<'_> {
    fn stopped(&self) -> bool {
        (self.stopped)()
    }

    fn waiting(&self, _: &str) {}
}

impl Stage for FetchStage {
    type In = Capture;
    type Out = Capture;
    const NAME: &'static str = "fetch";
    const VERSION: u32 = 1;

    fn demand(&self) -> Demand {
        Demand { resource: Resource::Network }
    }

    fn batch(&self) -> BatchSize {
        BatchSize { items: 1, bytes: 4 << 20 }
    }

    fn settings(&self) -> Settings {
        // What the web gave is a fact like the time of a crawl; the folder remembers it.
        let mut settings = serde_json::json!(self.config);
        settings["folder"] = serde_json::Value::Null;
        settings["assets"] = serde_json::json!(self.assets.digest());
        settings
    }

    fn process(&self, batch: &[Item<Capture>], context: Context<'_>) -> Result<Vec<Verdict<Capture>>, StageError> {
        let page_time = Duration::try_from_secs_f64(self.config.page_seconds_max).unwrap_or_default();
        let stopped = || context.cancel.is_cancelled();
        let fetch = |item: &Item<Capture>| {
            let wanted = Wanted {
                stage: self,
                deadline: Instant::now() + page_time,
                stopped: &stopped,
                trouble: Mutex::default(),
            };
            drop(::clean::clean(&item.body, &item.head.provenance.url, &self.policy, &wanted));
            let trouble = wanted.trouble.into_inner().unwrap_or_else(PoisonError::into_inner);
            match trouble {
                Some(error) => Err(StageError::new("fetch style sheets", error)),
                None => Ok(Verdict::Annotate(Attributes::new())),
            }
        };
        batch.iter().map(fetch).collect()
    }
}
