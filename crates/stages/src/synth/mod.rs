//! `synth`: edit and polish triples of rendered pages, each proven by rendering.
//!
//! Four parts: the stage makes and checks triples in the Chrome farm; a second one asks a model for more, where the file names one; the gate
//! behind them takes out what a check has refused, so that every try stands in the books with its rule; the barrier drops what a site
//! asks for twice.

mod barrier;
mod gate;
mod model;
mod vlm;

use ::synth::verify::{Gates, Renderer, Shot};
use ::synth::{Made, OPERATORS_VERSION, Policy};
use engine::{BatchSize, Context, Demand, Resource, Settings, Stage, StageError};
use item::{Attributes, Item, Kept, Sample, Snapshot, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::render::{RenderStage, SameView};

pub use barrier::TriplesBarrier;
pub use gate::GateStage;
pub use model::ModelStage;
pub use vlm::{Answer, Propose, VlmConfig};

/// `[synth]`: edit and polish triples made of the pages that are kept. By default none are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SynthConfig {
    /// Edits wanted of each page.
    pub edits: usize,
    /// Drafts to polish wanted of each page.
    pub polishes: usize,
    /// Renders that each wanted triple may cost.
    pub tries: usize,
    /// Edits that change fewer pixels than this share of one screen are refused.
    pub change_min: f64,
    /// Edits of a part of the page that change a greater share of the pixels are refused.
    pub change_max: f64,
    /// Edits that change a greater share of the pixels outside of their region are refused.
    pub spill_max: f64,
    /// Drafts that differ less from the page (1 less SSIM) are refused.
    pub draft_difference_min: f64,
    /// Drafts that differ more are refused.
    pub draft_difference_max: f64,
    /// By how much an answer must be nearer to the target than the draft, in each metric.
    pub polish_margin: f64,
    /// A vision-language model that makes triples of its own, puts edits into words, and judges.
    pub vlm: VlmConfig,
}

impl Default for SynthConfig {
    fn default() -> Self {
        let Policy { tries, gates, .. } = Policy::default();
        Self {
            edits: 0,
            polishes: 0,
            tries,
            change_min: gates.change_min,
            change_max: gates.change_max,
            spill_max: gates.spill_max,
            draft_difference_min: gates.draft_difference_min,
            draft_difference_max: gates.draft_difference_max,
            polish_margin: gates.polish_margin,
            vlm: VlmConfig::default(),
        }
    }
}

impl SynthConfig {
    /// Whether any triple is wanted.
    pub fn is_on(&self) -> bool {
        self.edits + self.polishes > 0 || self.vlm.is_on()
    }

    /// When a triple is good.
    pub fn gates(&self) -> Gates {
        Gates {
            change_min: self.change_min,
            change_max: self.change_max,
            spill_max: self.spill_max,
            draft_difference_min: self.draft_difference_min,
            draft_difference_max: self.draft_difference_max,
            polish_margin: self.polish_margin,
        }
    }

    fn policy(&self) -> Policy {
        Policy { edits: self.edits, polishes: self.polishes, tries: self.tries, gates: self.gates() }
    }
}

/// The stage. It shares the farm of the render stage.
#[derive(Debug)]
pub struct SynthStage {
    config: SynthConfig,
    render: RenderStage,
}

impl SynthStage {
    /// A stage that renders as that stage does. What a model is asked is no matter of its.
    pub fn new(config: SynthConfig, render: &RenderStage) -> Self {
        Self { config, render: render.clone() }
    }
}

/// Renders in the view of one snapshot.
struct Farm(SameView);

impl Renderer for Farm {
    fn render(&self, html: &str) -> Result<Shot, String> {
        self.0.render(html)
    }
}

impl Stage for SynthStage {
    type In = Snapshot;
    type Out = Sample;
    const NAME: &'static str = "synth";
    const VERSION: u32 = 3;
    const REMEMBERED: bool = true;

    fn demand(&self) -> Demand {
        Demand { resource: Resource::Chrome }
    }

    fn batch(&self) -> BatchSize {
        BatchSize { items: 1, bytes: 1 << 20 }
    }

    fn settings(&self) -> Settings {
        let mut config = serde_json::json!(self.config);
        if let Some(config) = config.as_object_mut() {
            config.remove("vlm");
        }
        serde_json::json!({
            "synth": config,
            "operators": OPERATORS_VERSION,
            "render": Stage::settings(&self.render),
        })
    }

    fn process(&self, batch: &[Item<Snapshot>], context: Context<'_>) -> Result<Vec<Verdict<Sample>>, StageError> {
        let policy = self.config.policy();
        let verdict = |item: &Item<Snapshot>| {
            let view = self.render.same_view(&item.body)?;
            let Made { triples, .. } = ::synth::make(&item.body, &policy, &Farm(view));
            let plain = |sample| Kept { body: sample, attributes: Attributes::new() };
            let triples = triples.into_iter().map(|triple| plain(Sample::Triple(Box::new(triple))));
            Ok::<_, StageError>(Verdict::Beside(plain(Sample::Page(item.body.clone())), triples.collect()))
        };
        let verdicts = batch.iter().map(verdict).collect();
        self.render.tell(context);
        verdicts
    }

    fn stop(&self) {
        Stage::stop(&self.render);
    }
}
