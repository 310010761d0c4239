//! `scripts`: application shells as their scripts fill them.
//!
//! The stage stands before `clean`: a page that shows next to nothing without its scripts is loaded with those that the
//! asset files have, in a browser without a network; what its document has become is cleaned like any other. Other pages
//! pass as they are.

use std::sync::Arc;

use ::clean::{CleanPolicy, is_shell, with_scripts};
use engine::{BatchSize, Context, Demand, Resource, Settings, Stage, StageError};
use item::{Attributes, Capture, FailureClass, Head, Item, Kept, Verdict, name};

use crate::clean::{CleanStage, StoredAssets};
use crate::render::RenderStage;

/// The stage. It shares the farm of the render stage.
#[derive(Debug)]
pub struct ScriptsStage {
    scripts_ms: u64,
    render: RenderStage,
    policy: CleanPolicy,
    assets: Arc<StoredAssets>,
}

impl ScriptsStage {
    /// A stage that knows assets as cleaning does; `None` where no scripts are to run.
    pub fn new(render: &RenderStage, clean: &CleanStage) -> Option<Self> {
        let scripts_ms = clean.scripts_ms()?;
        Some(Self { scripts_ms, render: render.clone(), policy: clean.policy(), assets: clean.assets() })
    }

    fn run(&self, item: &Item<Capture>) -> Result<Verdict<Capture>, StageError> {
        if !is_shell(&item.body, &self.policy) {
            return Ok(Verdict::Annotate(Attributes::new()));
        }
        let html = with_scripts(&item.body, &item.head.provenance.url, &self.policy, &*self.assets);
        Ok(match self.render.materialise(&html, self.scripts_ms)? {
            Ok(html) => {
                let body = Capture { html, ..item.body.clone() };
                Verdict::Keep(Kept { body, attributes: Attributes::new().with(name::SCRIPTS_RAN, true) })
            }
            // It stays a shell, and cleaning says so.
            Err(failure) if failure.class == FailureClass::Limit => Verdict::Annotate(Attributes::new()),
            Err(failure) => Verdict::Fail(failure),
        })
    }
}

impl Stage for ScriptsStage {
    type In = Capture;
    type Out = Capture;
    const NAME: &'static str = "scripts";
    const VERSION: u32 = 1;
    const REMEMBERED: bool = true;

    fn demand(&self) -> Demand {
        Demand { resource: Resource::Chrome }
    }

    fn batch(&self) -> BatchSize {
        BatchSize { items: 1, bytes: 4 << 20 }
    }

    fn settings(&self) -> Settings {
        serde_json::json!({
            "scripts_ms": self.scripts_ms,
            "elements_max": self.policy.elements_max,
            "depth_max": self.policy.depth_max,
            "assets": self.assets.settings(),
            "view": self.render.first_view_settings(),
        })
    }

    /// Scripts are found by the URL.
    fn depends_on(&self, head: &Head) -> Vec<String> {
        vec![head.provenance.url.clone()]
    }

    fn process(&self, batch: &[Item<Capture>], context: Context<'_>) -> Result<Vec<Verdict<Capture>>, StageError> {
        let verdicts = batch.iter().map(|item| self.run(item)).collect();
        self.render.tell(context);
        verdicts
    }

    fn stop(&self) {
        self.render.stop();
    }
}
