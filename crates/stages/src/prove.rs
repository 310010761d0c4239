//! `prove`: which level of simplification leaves a page as it looked.
//!
//! The stage stands before `clean`: it renders the page as captured, with its assets and without its scripts, and as each
//! level would make it, from the level that is configured down to the gentlest, until the two look the same. It throws
//! the pages away and notes the level, by which `clean` then goes. So cleaning itself waits for no browser, and only pages
//! that are proven cost one.

use std::sync::Arc;

use ::clean::{CleanPolicy, Level, TextPolicy, clean_at, original};
use engine::{BatchSize, Context, Demand, Resource, Settings, Stage, StageError};
use item::{Attributes, Capture, Failure, FailureClass, Head, Item, ItemId, Verdict, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synth::metric::Picture;

use crate::clean::{CleanStage, StoredAssets};
use crate::render::{RenderStage, SameView, Unshown};

/// Which pages are rendered as captured and as cleaned, and compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Prove {
    /// None.
    #[default]
    None,
    /// A share of them, chosen by their ids.
    Sample,
    /// All of them: two renders more for each page.
    All,
}

/// How pages are proven; a part of `[render]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct ProveConfig {
    pub(crate) prove: Prove,
    pub(crate) share: f64,
    pub(crate) tolerance: f64,
}

impl ProveConfig {
    /// Whether the page with this id is proven. Ids are digests, so their first bytes are as good as random; a greater share
    /// has all pages of a smaller one.
    fn chooses(&self, id: &ItemId) -> bool {
        match self.prove {
            Prove::None => false,
            Prove::All => true,
            Prove::Sample => {
                let [a, b, c, d, ..] = *id.as_bytes();
                f64::from(u32::from_be_bytes([a, b, c, d])) < self.share * 2.0_f64.powi(32)
            }
        }
    }
}

/// What came of holding a cleaned page against its original.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Proof {
    /// They look the same.
    Equal { level: Level, difference: f64 },
    /// They differ at every level; this one differs least.
    Differs { level: Level, difference: f64 },
    /// The original cannot be shown.
    NoOriginal,
}

impl Proof {
    fn attributes(self) -> Attributes {
        let (word, shown) = match self {
            Self::Equal { level, difference } => ("equal", Some((level, difference))),
            Self::Differs { level, difference } => ("differs", Some((level, difference))),
            Self::NoOriginal => ("no-original", None),
        };
        let attributes = Attributes::new().with(name::PROOF, word);
        match shown {
            Some((level, difference)) => {
                attributes.with(name::LEVEL, level.name()).with(name::PROOF_DIFFERENCE, difference)
            }
            None => attributes,
        }
    }
}

/// The stage. It shares the farm of the render stage.
#[derive(Debug)]
pub struct ProveStage {
    config: ProveConfig,
    render: RenderStage,
    policy: CleanPolicy,
    assets: Arc<StoredAssets>,
}

impl ProveStage {
    /// A stage that cleans and renders as those stages do; `None` where nothing is to be proven.
    pub fn new(render: &RenderStage, clean: &CleanStage) -> Option<Self> {
        let config = render.proof();
        // What the text policy changes is meant to be seen.
        let policy = CleanPolicy { text: TextPolicy::default(), ..clean.policy() };
        (config.prove != Prove::None).then(|| Self { config, render: render.clone(), policy, assets: clean.assets() })
    }

    /// `None` for a page that is not wanted anyway.
    fn prove(&self, view: &SameView, item: &Item<Capture>) -> Result<Option<Proof>, Failure> {
        let (capture, url) = (&item.body, item.head.provenance.url.as_str());
        let cleaned = |level| match clean_at(level, capture, url, &self.policy, &*self.assets) {
            Verdict::Keep(kept) => Some(kept.body.html),
            _ => None,
        };
        let Some(first) = cleaned(self.policy.level) else { return Ok(None) };
        let expected = match picture(view, &original(capture, url, &self.policy, &*self.assets).html) {
            // Pages as captured ask for hundreds of things that are not there, and some take too long by that.
            Err(failure) if matches!(failure.class, FailureClass::Timeout | FailureClass::Crash) => None,
            shown => shown?,
        };
        let Some(expected) = expected else { return Ok(Some(Proof::NoOriginal)) };
        let mut best: Option<(f64, Level)> = None;
        let (mut level, mut html) = (self.policy.level, Some(first));
        loop {
            let shown = html.map(|html| picture(view, &html)).transpose()?.flatten();
            if let Some(difference) = shown.map(|shown| expected.differing(&shown)) {
                if difference <= self.config.tolerance {
                    return Ok(Some(Proof::Equal { level, difference }));
                }
                if best.is_none_or(|(least, _)| difference < least) {
                    best = Some((difference, level));
                }
            }
            let Some(gentler) = level.gentler() else { break };
            (level, html) = (gentler, cleaned(gentler));
        }
        let (difference, level) = best.unwrap_or((1.0, self.policy.level));
        Ok(Some(Proof::Differs { level, difference }))
    }
}

/// What a document looks like; `None` where it never can be shown. What failed for now fails the page, which is tried again
/// then: a busy machine must not make another dataset.
fn picture(view: &SameView, html: &str) -> Result<Option<Picture>, Failure> {
    match view.show(html) {
        Ok(shot) => Picture::from_encoded(&shot.screenshot)
            .map(Some)
            .map_err(|error| Failure::from_error(FailureClass::Decode, &error)),
        Err(Unshown::Never(_)) => Ok(None),
        Err(Unshown::Now(failure)) => Err(failure),
    }
}

impl Stage for ProveStage {
    type In = Capture;
    type Out = Capture;
    const NAME: &'static str = "prove";
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
            "prove": self.config,
            "clean": self.policy,
            "assets": self.assets.settings(),
            "view": self.render.first_view_settings(),
        })
    }

    /// The id chooses pages, and links are made whole by the URL.
    fn depends_on(&self, head: &Head) -> Vec<String> {
        vec![head.id.to_string(), head.provenance.url.clone()]
    }

    fn process(&self, batch: &[Item<Capture>], context: Context<'_>) -> Result<Vec<Verdict<Capture>>, StageError> {
        let prove = |item: &Item<Capture>| {
            if !self.config.chooses(&item.head.id) {
                return Ok(Verdict::Annotate(Attributes::new()));
            }
            let view = self.render.first_view()?;
            Ok(match self.prove(&view, item) {
                Ok(proof) => Verdict::Annotate(proof.map(Proof::attributes).unwrap_or_default()),
                Err(failure) => Verdict::Fail(failure),
            })
        };
        let verdicts = batch.iter().map(prove).collect();
        self.render.tell(context);
        verdicts
    }

    fn stop(&self) {
        self.render.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greater_share_has_all_pages_of_a_smaller_one() {
        let chosen = |prove, share| {
            let config = ProveConfig { prove, share, tolerance: 0.0 };
            let id = |number: u32| {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
                ItemId::from_bytes(bytes)
            };
            (0..1_000).filter(|&number| config.chooses(&id(number))).collect::<Vec<_>>()
        };
        let (few, more) = (chosen(Prove::Sample, 0.02), chosen(Prove::Sample, 0.1));
        assert!((10..30).contains(&few.len()) && (80..120).contains(&more.len()), "{} {}", few.len(), more.len());
        assert!(few.iter().all(|number| more.contains(number)));
        assert_eq!(chosen(Prove::Sample, 1.0).len(), 1_000);
        assert_eq!(chosen(Prove::All, 0.0).len(), 1_000);
        assert_eq!(chosen(Prove::None, 1.0), Vec::<u32>::new());
    }
}
