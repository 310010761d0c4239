//! `sketch`: what a page is made of and what it says, for both barriers.

use engine::{BatchSize, Context, Settings, Stage, StageError};
use item::{Item, Page, Verdict};

/// The stage. It has no settings: sketches of different recipes can't be compared.
#[derive(Debug, Default)]
pub struct SketchStage;

impl Stage for SketchStage {
    type In = Page;
    type Out = Page;
    const NAME: &'static str = "sketch";
    const VERSION: u32 = 1;

    fn batch(&self) -> BatchSize {
        BatchSize { items: 64, bytes: 4 << 20 }
    }

    fn settings(&self) -> Settings {
        serde_json::json!({ "recipe": dedup::sketch::SKETCH_RECIPE })
    }

    fn process(&self, batch: &[Item<Page>], _: Context<'_>) -> Result<Vec<Verdict<Page>>, StageError> {
        let sketch = |item: &Item<Page>| dedup::PageSketch::of(&item.body.html).attributes();
        Ok(batch.iter().map(|item| Verdict::Annotate(sketch(item))).collect())
    }
}
