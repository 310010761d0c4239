//! `[source]`: which archives are read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[source]`: which WARC files are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SourceConfig {
    /// WARC files: paths and glob patterns, relative to the pipeline file, and `https://` URLs. Where none is named, the
    /// archives of the crawl are read, streamed from its mirror.
    pub warcs: Vec<String>,
    /// The crawl, such as `CC-MAIN-2024-51`; goes into the `crawl` column.
    pub crawl: String,
    /// Archives that are read at most, picked by the hash of their names; a larger number reads the same ones and more.
    /// 0 reads all.
    pub archives_max: usize,
    /// Share of the captures that are taken, 0 to 1, picked by the hash of their identity: a larger share takes the same
    /// ones and more.
    pub sample_share: f64,
    /// Where crawls are published.
    pub mirror: String,
    /// A mail address or a page about you, sent with every request: servers that know whom to ask block later.
    pub contact: String,
    /// Requests that start in a second, of all archives together.
    pub requests_per_second: f64,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            warcs: Vec::new(),
            crawl: String::new(),
            archives_max: 0,
            sample_share: 1.0,
            mirror: ingest::remote::CRAWL_MIRROR.to_owned(),
            contact: String::new(),
            requests_per_second: ingest::remote::ClientPolicy::default().requests_per_second,
        }
    }
}
