//! The pipeline file.

use report::CardConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stages::{
    CleanConfig, ComponentsConfig, DatasetConfig, FetchConfig, PagesConfig, PhashConfig, RenderConfig, ScoreConfig,
    SnapshotsConfig, SourceConfig, SynthConfig,
};

/// A pipeline: from WARC files to a dataset. One table per stage, in the order in which items pass.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PipelineFile {
    /// The run itself. Nothing in this table changes the dataset but its name.
    pub run: RunConfig,
    /// How a store in S3 is reached, where `run.store` names one.
    pub s3: S3Config,
    /// Which WARC files are read.
    pub source: SourceConfig,
    /// Style sheets that no archive has, from the web. Off by default.
    pub fetch: FetchConfig,
    /// How a capture becomes a self-contained page.
    pub clean: CleanConfig,
    /// Barrier: which pages are rendered at all.
    pub pages: PagesConfig,
    /// How a page is rendered.
    pub render: RenderConfig,
    /// Parts of pages as rows of their own. Off by default.
    pub components: ComponentsConfig,
    /// How screenshots are hashed.
    pub phash: PhashConfig,
    /// Which model scores the screenshots.
    pub score: ScoreConfig,
    /// Barrier: which rendered pages go into the dataset, and into which split.
    pub snapshots: SnapshotsConfig,
    /// Edit and polish triples of the pages that are kept.
    pub synth: SynthConfig,
    /// How the dataset is written.
    pub dataset: DatasetConfig,
    /// What the dataset card says that the run cannot know. Changes nothing but the card.
    pub card: CardConfig,
}

/// `[run]`: the run itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// Name of the run and of its dataset: letters, digits, `.`, `_` and `-`. By default the name of the file.
    pub name: String,
    /// Folder of the state and of the dataset, relative to the pipeline file; or a prefix in S3, `s3://bucket/prefix`, which
    /// several machines may share.
    pub store: String,
    /// Cores to compute on; 0 takes all.
    pub cpu_slots: usize,
    /// WARC files, or slices of them, that are worked on at the same time.
    pub partitions_in_flight: usize,
    /// Megabytes of items on their way inside one of them.
    pub partition_mb: usize,
    /// Largest share of items of a phase that may fail before the run gives up, 0 to 1.
    pub failed_share_max: f64,
}

impl Default for RunConfig {
    fn default() -> Self {
        let limits = engine::Limits::default();
        Self {
            name: String::new(),
            store: ".databuild".into(),
            cpu_slots: 0,
            partitions_in_flight: limits.partitions_in_flight,
            partition_mb: limits.partition_bytes >> 20,
            failed_share_max: limits.failed_share_max,
        }
    }
}

/// `[s3]`: how a store in S3 is reached. Credentials are not set here: they come from the environment, from profiles, or from
/// the role of the container or the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct S3Config {
    /// Region of the bucket. Empty: what `AWS_REGION` or the profile says, else `us-east-1`.
    pub region: String,
    /// A server other than Amazon's, such as `http://localhost:9000`. Empty: what `AWS_ENDPOINT_URL_S3` or the profile says.
    pub endpoint: String,
    /// Where the bucket's name stands in an address: `path`, `host`, or `auto`, which is in the host of Amazon's server and in
    /// the path of any other.
    pub addressing: Addressing,
    /// Folder for copies of files that are read at random, and for unfinished ones, relative to the pipeline file. Empty:
    /// `databuild/s3` in the user's folder for caches. Best on a fast disk.
    pub cache: String,
    /// Gigabytes that copies may take; what was not used for the longest time goes.
    pub cache_gb: u64,
}

/// Where a bucket's name stands in an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Addressing {
    /// In the host of Amazon's server, in the path of any other.
    #[default]
    Auto,
    /// In the path.
    Path,
    /// In the host.
    Host,
}

impl Default for S3Config {
    fn default() -> Self {
        Self {
            region: String::new(),
            endpoint: String::new(),
            addressing: Addressing::Auto,
            cache: String::new(),
            cache_gb: 50,
        }
    }
}
