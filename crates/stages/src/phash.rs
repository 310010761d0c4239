//! `phash`: what a screenshot looks like, in bits.

use engine::{BatchSize, Context, Settings, Stage, StageError};
use item::{FailureClass, Item, Snapshot, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[phash]`: how screenshots are hashed. The recipe is fixed; hashes of different recipes cannot be compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PhashConfig {}

/// The stage.
#[derive(Debug)]
pub struct PhashStage {
    hasher: dedup::Hasher,
}

impl PhashStage {
    /// A stage with the house's recipe.
    pub fn new(_: &PhashConfig) -> Self {
        Self { hasher: dedup::Hasher::new(dedup::Recipe::default()) }
    }

    fn hash(&self, snapshot: &Snapshot) -> Verdict<Snapshot> {
        let viewport = snapshot.viewport;
        let first_screen = (f64::from(viewport.height) * viewport.device_scale_factor) as u32;
        match self.hasher.hash_encoded(&snapshot.screenshot, first_screen) {
            Ok(sight) => Verdict::Annotate(sight.attributes()),
            Err(error) => Verdict::Fail(item::Failure::from_error(FailureClass::Decode, &error)),
        }
    }
}

impl Stage for PhashStage {
    type In = Snapshot;
    type Out = Snapshot;
    const NAME: &'static str = "phash";
    const VERSION: u32 = 2;

    fn batch(&self) -> BatchSize {
        BatchSize { items: 2, bytes: 8 << 20 }
    }

    fn settings(&self) -> Settings {
        serde_json::json!({ "recipe": self.hasher.recipe().to_string() })
    }

    fn process(&self, batch: &[Item<Snapshot>], _: Context<'_>) -> Result<Vec<Verdict<Snapshot>>, StageError> {
        Ok(batch.iter().map(|item| self.hash(&item.body)).collect())
    }
}
