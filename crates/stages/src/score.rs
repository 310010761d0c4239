//! `score`: numbers from an ONNX model.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ::score::{Runtime, Scorer, ScorerConfig, ScorerModel, find_runtime};
use engine::{BatchSize, Context, Settings, Stage, StageError};
use item::{Attributes, Item, Snapshot, Verdict, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The model that is built in.
const BASELINE: &str = "baseline";
const BASELINE_MANIFEST: &str = include_str!("../../../scorer-models/baseline/model.toml");
const BASELINE_ONNX: &[u8] = include_bytes!("../../../scorer-models/baseline/scorer.onnx");

/// `[score]`: which model scores the screenshots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScoreConfig {
    /// The model: `baseline` (built in), or a folder with a `model.toml`, relative to the pipeline file.
    pub model: String,
    /// The ONNX Runtime library; by default the one that `ORT_DYLIB_PATH` names or `databuild doctor` finds.
    pub runtime: Option<String>,
}

impl Default for ScoreConfig {
    fn default() -> Self {
        Self { model: BASELINE.into(), runtime: None }
    }
}

/// The stage. The model is loaded when the first snapshot comes.
pub struct ScoreStage {
    runtime: Runtime,
    model: ScorerModel,
    scorer: OnceLock<Result<Scorer, ::score::ScoreError>>,
}

impl std::fmt::Debug for ScoreStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScoreStage").field("model", &self.model.manifest().name).finish_non_exhaustive()
    }
}

impl ScoreStage {
    /// Finds library and model. `candidates` are places where the library may be, most wanted first.
    pub fn new(config: &ScoreConfig, base: &Path, candidates: &[PathBuf]) -> Result<Self, StageError> {
        let model = if config.model == BASELINE {
            ScorerModel::from_parts(BASELINE_MANIFEST, BASELINE_ONNX)
        } else {
            ScorerModel::from_folder(&base.join(&config.model))
        };
        let model = model.map_err(|error| StageError::new(format!("load the scorer `{}`", config.model), error))?;
        let named = config.runtime.as_ref().map(|path| vec![base.join(path)]);
        let library = find_runtime(named.as_deref().unwrap_or(candidates))
            .map_err(|error| StageError::new("set up its runtime", error))?;
        let runtime = Runtime::load(&library).map_err(|error| StageError::new("set up its runtime", error))?;
        Ok(Self { runtime, model, scorer: OnceLock::new() })
    }

    fn scorer(&self) -> Result<&Scorer, StageError> {
        // One thread for the model: the engine already works on as many batches as there are cores.
        let config = ScorerConfig { threads: 1, ..ScorerConfig::default() };
        let scorer = self.scorer.get_or_init(|| Scorer::new(&self.runtime, &self.model, &config));
        scorer.as_ref().map_err(|error| StageError::new("start the scorer", error.to_string()))
    }

    fn label(&self) -> String {
        let manifest = self.model.manifest();
        format!("{} {}", manifest.name, manifest.version)
    }
}

impl Stage for ScoreStage {
    type In = Snapshot;
    type Out = Snapshot;
    const NAME: &'static str = "score";
    const VERSION: u32 = 1;
    const REMEMBERED: bool = true;

    fn batch(&self) -> BatchSize {
        BatchSize { items: 4, bytes: 16 << 20 }
    }

    fn settings(&self) -> Settings {
        serde_json::json!({
            "model": self.label(),
            "digest": self.model.fingerprint(),
            // Kernels of another version may round otherwise.
            "onnxruntime": self.runtime.version(),
        })
    }

    fn process(&self, batch: &[Item<Snapshot>], _: Context<'_>) -> Result<Vec<Verdict<Snapshot>>, StageError> {
        let scorer = self.scorer()?;
        let screenshots: Vec<&[u8]> = batch.iter().map(|item| &*item.body.screenshot).collect();
        let label = self.label();
        let verdict = |answer: Result<::score::Score, item::Failure>| match answer {
            Ok(score) => {
                Verdict::Annotate(Attributes::new().with(name::SCORE, score.value).with(name::SCORER, label.as_str()))
            }
            Err(failure) => Verdict::Fail(failure),
        };
        Ok(scorer.score(&screenshots).into_iter().map(verdict).collect())
    }
}
