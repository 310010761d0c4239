//! The run record: what a run did, as a file that the report and the dataset card read.

use std::collections::BTreeMap;

use item::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Fingerprint, PhaseBooks, StageBooks};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The dataset was written.
    Committed,
    /// There was nothing to do.
    Unchanged,
}

/// A phase in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseRecord {
    /// Its name.
    pub phase: String,
    /// Units of work.
    pub units: usize,
    /// Units whose result was there already.
    pub reused: usize,
    /// Wall time of this run in the phase.
    pub elapsed_ms: u64,
    /// The books over all units, whether they ran now or earlier.
    pub books: PhaseBooks,
    /// Keys of the units' results in the ledger, in order.
    #[schemars(with = "Vec<String>")]
    pub keys: Vec<Digest>,
}

/// A barrier in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BarrierRecord {
    /// Its name.
    pub barrier: String,
    /// The decisions were there already.
    pub reused: bool,
    /// Key of the decisions in the ledger.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub key: Option<Digest>,
    /// Its books.
    pub books: StageBooks,
}

/// The dataset of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetRecord {
    /// Its folder in the store.
    pub folder: String,
    /// Rows of the main subset.
    pub rows: u64,
    /// Files of all subsets.
    pub files: usize,
    /// Bytes of all files.
    pub bytes: u64,
    /// Key of the dataset: what it was made of, and how.
    pub key: String,
    /// Books of the sink, where it left something out: what was taken down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub books: Option<StageBooks>,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// Format of this record.
    pub format: u32,
    /// Name of the run.
    pub name: String,
    /// When it began (RFC 3339, UTC).
    pub started_at: String,
    /// Wall time.
    pub elapsed_ms: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Everything that shaped the dataset, in pipeline order.
    pub fingerprints: Vec<Fingerprint>,
    /// Source partitions: name and content digest.
    pub partitions: Vec<crate::Partition>,
    /// The phases.
    pub phases: Vec<PhaseRecord>,
    /// The barriers; the i-th stands behind the i-th phase.
    pub barriers: Vec<BarrierRecord>,
    /// The dataset.
    pub dataset: DatasetRecord,
    /// What stages used in this run beside time, by stage: tokens of a model.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spent: BTreeMap<String, serde_json::Value>,
    /// How the run was begun, and where.
    #[serde(default)]
    pub about: About,
    /// What each stage did in this run; results that were there already are not in it.
    #[serde(default)]
    pub stages: Vec<StageTiming>,
    /// Wall time in ms for an item of each phase, in the last run that worked in it: what plans are estimated by.
    #[serde(default)]
    pub pace: BTreeMap<String, f64>,
}

/// How a run was begun, and where.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct About {
    /// The command line.
    pub command: Vec<String>,
    /// Version of the program.
    pub databuild: String,
    /// The pipeline file with all its defaults.
    pub configuration: serde_json::Value,
    /// The machine.
    pub machine: Machine,
}

/// A machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Machine {
    /// Cores that this process may use.
    pub cores: usize,
    /// Bytes of its memory; 0 where the system does not tell.
    pub memory_bytes: u64,
    /// Operating system and architecture: `linux x86_64`.
    pub system: String,
}

/// What a stage did in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageTiming {
    /// The phase.
    pub phase: String,
    /// The stage.
    pub stage: String,
    /// Batches that it answered.
    pub batches: u64,
    /// Items in them.
    pub items: u64,
    /// Items whose answer was remembered.
    pub recalled: u64,
    /// Time from handing a batch over to its answer, waiting for a slot included, all of them added up.
    pub busy_ms: u64,
}

impl RunRecord {
    /// The JSON Schema of a record's file: what stands in `schemas/run-record.schema.json`.
    pub fn json_schema() -> serde_json::Value {
        let schema = schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<Self>();
        schema.to_value()
    }
}
