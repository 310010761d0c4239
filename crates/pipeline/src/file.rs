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
    /// Folder of the state and of the dataset, relative to the pipeline file.
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
