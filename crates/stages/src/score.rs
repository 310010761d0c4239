//! `score`: numbers from ONNX models.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;

use ::score::{Device, Look, Runtime, Score, Scorer, ScorerConfig, ScorerModel, find_runtime};
use ::synth::metric::{LAYOUT_FEATURES, LAYOUT_SET, layout_features};
use engine::{BatchSize, Context, Settings, Stage, StageError};
use item::{Attributes, Failure, Item, ModelScore, Snapshot, Verdict, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The model that is built in.
pub const BUILT_IN_SCORER: &str = "quality";
const BUILT_IN_MANIFEST: &str = include_str!("../../../scorer-models/quality/model.toml");
const BUILT_IN_ONNX: &[u8] = include_bytes!("../../../scorer-models/quality/scorer.onnx");

/// Pictures that a card is given at once.
const CARD_IMAGES: usize = 64;

/// `[score]`: which models score the screenshots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScoreConfig {
    /// The models: `quality` (built in), or folders with a `model.toml`, relative to the pipeline file. The score of the first one
    /// is the column `quality`, and what the limits look at; the numbers of all are in `scores`.
    pub models: Vec<String>,
    /// Where they run: `cpu`, `auto`, or `cuda:0` or `tensorrt:0` with the number of the card. Another device rounds otherwise, so
    /// `auto` gives the same dataset on like machines only.
    pub device: String,
    /// The ONNX Runtime library; by default the one that `ORT_DYLIB_PATH` names or `databuild doctor` finds.
    pub runtime: Option<String>,
}

impl Default for ScoreConfig {
    fn default() -> Self {
        Self { models: vec![BUILT_IN_SCORER.into()], device: Device::Cpu.to_string(), runtime: None }
    }
}

/// The model of that name: the built-in one, or a folder relative to `base`.
pub fn scorer_model(model: &str, base: &Path) -> Result<ScorerModel, StageError> {
    let found = if model == BUILT_IN_SCORER {
        ScorerModel::from_parts(BUILT_IN_MANIFEST, BUILT_IN_ONNX)
    } else {
        ScorerModel::from_folder(&base.join(model))
    };
    found.map_err(|error| StageError::new(format!("load the scorer `{model}`"), error))
}

/// How models are run on a device: one page at a time on each core, or many at once on a card.
pub fn scorer_config(device: Device) -> ScorerConfig {
    match device {
        // One thread a run: the engine already works on as many batches as there are cores.
        Device::Cpu => ScorerConfig {
            threads: 1,
            device,
            run_images: 1,
            runs: thread::available_parallelism().map_or(1, usize::from),
        },
        Device::Auto | Device::Cuda(_) | Device::TensorRt(_) => {
            ScorerConfig { threads: 1, device, run_images: CARD_IMAGES, runs: 1 }
        }
    }
}

/// The stage. The models are loaded when the first snapshot comes.
pub struct ScoreStage {
    runtime: Runtime,
    device: Device,
    models: Vec<ScorerModel>,
    scorers: OnceLock<Result<Vec<PageScorer>, ::score::ScoreError>>,
}

impl std::fmt::Debug for ScoreStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<String> = self.models.iter().map(label).collect();
        f.debug_struct("ScoreStage").field("models", &names).finish_non_exhaustive()
    }
}

impl ScoreStage {
    /// Finds library and models. `candidates` are places where the library may be, most wanted first.
    pub fn new(config: &ScoreConfig, base: &Path, candidates: &[PathBuf]) -> Result<Self, StageError> {
        let models: Vec<ScorerModel> =
            config.models.iter().map(|model| scorer_model(model, base)).collect::<Result<_, _>>()?;
        if models.is_empty() {
            return Err(StageError::new("set up the scorer", "`score.models` names no model".to_owned()));
        }
        for model in &models {
            known_columns(model)
                .map_err(|problem| StageError::new(format!("use the scorer `{}`", label(model)), problem))?;
        }
        let device = config
            .device
            .parse()
            .map_err(|error: ::score::UnknownDevice| StageError::new("set up `score.device`", error))?;
        let named = config.runtime.as_ref().map(|path| vec![base.join(path)]);
        let library = find_runtime(named.as_deref().unwrap_or(candidates))
            .map_err(|error| StageError::new("set up its runtime", error))?;
        let runtime = Runtime::load(&library).map_err(|error| StageError::new("set up its runtime", error))?;
        Ok(Self { runtime, device, models, scorers: OnceLock::new() })
    }

    fn scorers(&self) -> Result<&[PageScorer], StageError> {
        let start = |model| PageScorer::new(&self.runtime, model, &scorer_config(self.device));
        let scorers = self.scorers.get_or_init(|| self.models.iter().map(start).collect());
        scorers.as_deref().map_err(|error| StageError::new("start the scorer", chain(error)))
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn label(model: &ScorerModel) -> String {
    format!("{} {}", model.manifest().name, model.manifest().version)
}

/// Where the numbers that a model takes stand among those of a layout.
fn known_columns(model: &ScorerModel) -> Result<Vec<usize>, String> {
    let Some(::score::Features { set, columns, .. }) = &model.manifest().input.features else { return Ok(Vec::new()) };
    if set != LAYOUT_SET {
        return Err(format!("it takes the numbers `{set}` of a layout; this program measures `{LAYOUT_SET}`"));
    }
    let place = |column: &String| {
        let found = LAYOUT_FEATURES.iter().position(|known| known == column);
        found.ok_or_else(|| {
            format!("it takes a number `{column}` of the layout, which is not one that this program knows")
        })
    };
    columns.iter().map(place).collect()
}

/// A scorer that looks at pages: their pictures, and their layouts where there is one.
#[derive(Debug)]
pub struct PageScorer {
    scorer: Scorer,
    label: String,
    columns: Vec<usize>,
}

impl PageScorer {
    /// Loads the model and runs its self-check.
    pub fn new(runtime: &Runtime, model: &ScorerModel, config: &ScorerConfig) -> Result<Self, ::score::ScoreError> {
        let columns = known_columns(model)
            .map_err(|problem| ::score::ScoreError::Graph { model: model.manifest().name.clone(), problem })?;
        Ok(Self { scorer: Scorer::new(runtime, model, config)?, label: label(model), columns })
    }

    /// The scorer itself.
    pub const fn scorer(&self) -> &Scorer {
        &self.scorer
    }

    /// Name and version, as in columns.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Of all numbers of a layout those that the model takes; none where there is no layout.
    pub fn chosen(&self, layout: &[f32]) -> Vec<f32> {
        self.columns.iter().filter_map(|&column| layout.get(column).copied()).collect()
    }

    /// One answer per page, in their order.
    pub fn score(&self, snapshots: &[&Snapshot]) -> Vec<Result<Score, Failure>> {
        let layouts: Vec<Vec<f32>> = snapshots.iter().map(|snapshot| self.layout(snapshot)).collect();
        let looks: Vec<Look<'_>> = snapshots
            .iter()
            .zip(&layouts)
            .map(|(snapshot, features)| Look { screenshot: &snapshot.screenshot, features })
            .collect();
        self.scorer.score_looks(&looks)
    }

    fn layout(&self, snapshot: &Snapshot) -> Vec<f32> {
        if self.columns.is_empty() {
            return Vec::new();
        }
        let scale = snapshot.viewport.device_scale_factor as f32;
        self.chosen(&layout_features(&snapshot.nodes, snapshot.width as f32 / scale, snapshot.height as f32 / scale))
    }

    /// All numbers of an answer, with their names.
    pub fn named(&self, score: &Score) -> Vec<ModelScore> {
        let labels = self.scorer.manifest().output.parts.as_ref().map_or(&[][..], |parts| &parts.labels);
        let numbers = labels.iter().map(String::as_str).zip(score.parts.iter().copied());
        std::iter::once((ModelScore::SCORE, score.value))
            .chain(numbers)
            .map(|(name, score)| ModelScore { model: self.label.clone(), name: name.to_owned(), score })
            .collect()
    }
}

impl Stage for ScoreStage {
    type In = Snapshot;
    type Out = Snapshot;
    const NAME: &'static str = "score";
    const VERSION: u32 = 2;
    const REMEMBERED: bool = true;

    fn batch(&self) -> BatchSize {
        BatchSize { items: 4, bytes: 16 << 20 }
    }

    fn settings(&self) -> Settings {
        let models =
            self.models.iter().map(|model| serde_json::json!({ "model": label(model), "digest": model.fingerprint() }));
        // Which card it is changes nothing.
        let device = match self.device {
            Device::Auto => "auto",
            Device::Cpu => "cpu",
            Device::Cuda(_) => "cuda",
            Device::TensorRt(_) => "tensorrt",
        };
        serde_json::json!({
            "models": models.collect::<Vec<_>>(),
            "device": device,
            // Kernels of another version may round otherwise.
            "onnxruntime": self.runtime.version(),
        })
    }

    fn process(&self, batch: &[Item<Snapshot>], _: Context<'_>) -> Result<Vec<Verdict<Snapshot>>, StageError> {
        let scorers = self.scorers()?;
        let snapshots: Vec<&Snapshot> = batch.iter().map(|item| &item.body).collect();
        let mut pages: Vec<Result<PageScores, Failure>> = batch.iter().map(|_| Ok(PageScores::default())).collect();
        for scorer in scorers {
            for (page, answer) in pages.iter_mut().zip(scorer.score(&snapshots)) {
                match (page.as_mut(), answer) {
                    (Ok(scores), Ok(score)) => scores.add(scorer, &score),
                    (Ok(_), Err(failure)) => *page = Err(failure),
                    (Err(_), _) => {}
                }
            }
        }
        Ok(pages.into_iter().map(|page| page.map_or_else(Verdict::Fail, PageScores::verdict)).collect())
    }
}

/// What the scorers said of a page; the first one decides.
#[derive(Default)]
struct PageScores {
    first: Option<(f64, String)>,
    all: Vec<ModelScore>,
}

impl PageScores {
    fn add(&mut self, scorer: &PageScorer, score: &Score) {
        self.first.get_or_insert_with(|| (score.value, scorer.label.clone()));
        self.all.extend(scorer.named(score));
    }

    fn verdict(self) -> Verdict<Snapshot> {
        let mut attributes = Attributes::new().with(name::SCORES, ModelScore::to_text(&self.all));
        if let Some((score, label)) = self.first {
            attributes.set(name::SCORE, score);
            attributes.set(name::SCORER, label);
        }
        Verdict::Annotate(attributes)
    }
}
