//! `[source]`: which archives are read.

use std::collections::BTreeSet;

use ingest::SignalPolicy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[source]`: which WARC files are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SourceConfig {
    /// WARC and ARC files: paths and glob patterns, relative to the pipeline file, and `https://` and `s3://bucket/key`
    /// addresses; the key may be a pattern, too (`s3://bucket/crawl/*.warc.gz`), where the bucket may be listed. Where none is
    /// named, the archives of the crawl are read, streamed from its mirror.
    pub warcs: Vec<String>,
    /// Files, also gzipped or on a server, that name an archive in each line: an address, a path relative to the pipeline
    /// file, or a path of a crawl (`crawl-data/…`), which lies on the mirror.
    pub lists: Vec<String>,
    /// The crawl, such as `CC-MAIN-2024-51`; goes into the `crawl` column, unless the path of an archive names another one.
    pub crawl: String,
    /// More crawls that are read like it: the next one, when rows of the ones before stay. What was read before is not read again.
    pub crawls: Vec<String>,
    /// Archives of a crawl that are read at most, picked by the hash of their names; a larger number reads the same ones and more.
    /// 0 reads all.
    pub archives_max: usize,
    /// Bytes of archives that are read at most, packed as they lie there; whole archives, in the order of the hash of their
    /// names. 0 reads all.
    pub bytes_max: u64,
    /// Captures that are taken at most, spread evenly over the archives: of each its first ones, and the rest of it is not
    /// fetched. A larger number takes the same ones and more. 0 takes all.
    pub pages_max: usize,
    /// Share of the captures that are taken, 0 to 1, picked by the hash of their identity: a larger share takes the same
    /// ones and more.
    pub sample_share: f64,
    /// Where crawls are published: `https://…` or `s3://bucket`.
    pub mirror: String,
    /// A mail address or a page about you, sent with every request: servers that know whom to ask block later.
    pub contact: String,
    /// Requests that start in a second, of all archives together.
    pub requests_per_second: f64,
    /// Connections to one host at a time.
    pub connections_per_host_max: usize,
    /// Folder, relative to the pipeline file, that keeps archives from servers, so that another run need not fetch them
    /// again; empty keeps none.
    pub cache: String,
    /// Megabytes that the folder may have; what was not used for the longest time goes.
    pub cache_mb_max: u64,
    /// Region of `s3://` buckets.
    pub s3_region: String,
    /// A server that speaks S3, such as `http://localhost:9000`; empty stands for Amazon's.
    pub s3_endpoint: String,
    /// Threads that unpack and read one archive. More than one pays where archives are few and stages are fast.
    pub threads: usize,
    /// Compares the digests in record headers with the bytes; a record that differs is rejected.
    pub verify_digests: bool,
    /// `[source.index]`: rows of a crawl's index; only the captures that they name are fetched.
    pub index: IndexConfig,
    /// `[source.policy]`: which signals of a page reject it.
    pub policy: SignalConfig,
}

/// `[source.index]`: which captures are fetched by byte range, instead of whole archives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IndexConfig {
    /// Files of the index: CDXJ (`.cdxj`, `.cdx`, also gzipped) and Parquet (`.parquet`), as paths and glob patterns, and as
    /// `https://` and `s3://bucket/key` addresses, whose keys may be patterns. The archives that they name are fetched from the mirror.
    pub files: Vec<String>,
    /// The crawl's own index on the mirror, instead of files: `none`, `cdxj` (looks up the domains, or the URL patterns, in
    /// its sorted lines), or `parquet` (reads the columns that are wanted of its table; hundreds of gigabytes unless domains
    /// are named).
    pub of_crawl: OfCrawl,
    /// URL patterns; `*` stands for any characters. An empty list takes all, here and below.
    pub urls: Vec<String>,
    /// Registrable domains, such as `example.co.uk`.
    pub domains: Vec<String>,
    /// Languages as the index has them (`eng`); the first of a page's counts.
    pub languages: Vec<String>,
    /// MIME types, as detected where the index says so.
    pub mimes: Vec<String>,
    /// HTTP statuses.
    pub statuses: Vec<u16>,
    /// Rows that are taken at most, picked by the hash of their place; 0 takes all.
    pub rows_max: usize,
}

/// Which form of the crawl's own index is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OfCrawl {
    /// None.
    #[default]
    None,
    /// The sorted lines.
    Cdxj,
    /// The table.
    Parquet,
}

/// `[source.policy]`: which signals of a page reject it. All are kept as attributes in any case.
#[expect(clippy::struct_excessive_bools, reason = "one switch a signal")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignalConfig {
    /// Rejects what says `noindex` or `none`: that speaks of search results.
    pub reject_noindex: bool,
    /// Rejects what says `noai`.
    pub reject_noai: bool,
    /// Rejects what says `noimageai`.
    pub reject_noimageai: bool,
    /// Rejects what reserves text and data mining (`tdm-reservation: 1`).
    pub reject_tdm_reserved: bool,
}

impl Default for SignalConfig {
    fn default() -> Self {
        let policy = SignalPolicy::default();
        Self {
            reject_noindex: policy.reject_noindex,
            reject_noai: policy.reject_noai,
            reject_noimageai: policy.reject_noimageai,
            reject_tdm_reserved: policy.reject_tdm_reserved,
        }
    }
}

impl SignalConfig {
    pub(super) const fn policy(&self) -> SignalPolicy {
        SignalPolicy {
            reject_noindex: self.reject_noindex,
            reject_noai: self.reject_noai,
            reject_noimageai: self.reject_noimageai,
            reject_tdm_reserved: self.reject_tdm_reserved,
        }
    }
}

impl SourceConfig {
    /// The crawls that are named, in order.
    pub(super) fn crawls(&self) -> BTreeSet<&str> {
        let all = std::iter::once(&self.crawl).chain(&self.crawls);
        all.map(String::as_str).filter(|crawl| !crawl.is_empty()).collect()
    }

    /// Whether archives are named one by one.
    pub(super) const fn names_archives(&self) -> bool {
        !self.warcs.is_empty() || !self.lists.is_empty()
    }

    /// What rows of an archive say of its crawl where its path does not: nothing depends on it where all paths do.
    pub(super) fn label(&self) -> &str {
        if self.names_archives() { &self.crawl } else { "" }
    }
}

impl Default for SourceConfig {
    fn default() -> Self {
        let client = ingest::remote::ClientPolicy::default();
        Self {
            warcs: Vec::new(),
            lists: Vec::new(),
            crawl: String::new(),
            crawls: Vec::new(),
            archives_max: 0,
            bytes_max: 0,
            pages_max: 0,
            sample_share: 1.0,
            mirror: ingest::remote::CRAWL_MIRROR.to_owned(),
            contact: String::new(),
            requests_per_second: client.requests_per_second,
            connections_per_host_max: client.connections_per_host_max,
            cache: String::new(),
            cache_mb_max: 50_000,
            s3_region: client.s3.region,
            s3_endpoint: String::new(),
            threads: 1,
            verify_digests: false,
            index: IndexConfig::default(),
            policy: SignalConfig::default(),
        }
    }
}
