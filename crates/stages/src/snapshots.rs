//! The barrier `snapshots`: near-duplicate clusters, the score's threshold, the split.

use dedup::near::{NearNote, NearPolicy};
use dedup::split::SplitNote;
use dedup::{Assignment, SplitPolicy, VisualPrint};
use engine::{Barrier, Decision, Fingerprint, Note, StageError};
use item::{Attributes, ItemId, Rejection, Rule, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bumped when the same notes would give other decisions.
const VERSION: u32 = 1;

/// The scorer finds the page too poor.
const LOW_SCORE: Rule =
    Rule { name: "low-score", meaning: "The quality score is below `snapshots.score_min` of the pipeline file." };

/// Rules of this barrier itself; duplicates have theirs in `dedup`.
pub(crate) const RULES: &[Rule] = &[LOW_SCORE];

/// `[snapshots]`: which rendered pages go into the dataset, and into which split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SnapshotsConfig {
    /// Snapshots that score less are rejected; scores lie between 0 and 1.
    pub score_min: f64,
    /// Bits (of 256) of the whole page's hash in which two near-duplicates may differ.
    pub whole_bits_max: u32,
    /// Bits (of 256) of the first viewport's hash in which two near-duplicates may differ.
    pub viewport_bits_max: u32,
    /// Share of domains that go to the validation split.
    pub validation_share: f64,
    /// Share of domains that go to the test split.
    pub test_share: f64,
    /// Another seed gives another split.
    pub split_seed: String,
}

impl Default for SnapshotsConfig {
    fn default() -> Self {
        let near = NearPolicy::default();
        Self {
            score_min: 0.0,
            whole_bits_max: near.whole_bits_max,
            viewport_bits_max: near.viewport_bits_max,
            validation_share: 0.02,
            test_share: 0.02,
            split_seed: "databuild".into(),
        }
    }
}

/// The barrier.
#[derive(Debug)]
pub struct SnapshotsBarrier {
    config: SnapshotsConfig,
    near: NearPolicy,
    split: SplitPolicy,
}

impl SnapshotsBarrier {
    /// A barrier of that configuration.
    pub fn new(config: SnapshotsConfig) -> Result<Self, StageError> {
        let near = NearPolicy {
            whole_bits_max: config.whole_bits_max,
            viewport_bits_max: config.viewport_bits_max,
            ..NearPolicy::default()
        };
        let split = SplitPolicy::new(config.split_seed.clone(), config.validation_share, config.test_share)
            .map_err(|error| StageError::new("read `[snapshots]`", error))?;
        Ok(Self { config, near, split })
    }

    /// Refuses what needs no comparison.
    fn refuse(&self, note: &Note, print: &VisualPrint) -> Option<Rejection> {
        if print.flat {
            let detail = "one flat colour, or nearly so".to_owned();
            return Some(Rejection { rule: dedup::BLANK_SCREENSHOT, detail });
        }
        let score = note.attributes.float(name::SCORE)?;
        let detail = || format!("score {score:.3}, the least is {:.3}", self.config.score_min);
        (score < self.config.score_min).then(|| Rejection { rule: LOW_SCORE, detail: detail() })
    }
}

impl Barrier for SnapshotsBarrier {
    fn name(&self) -> &'static str {
        "snapshots"
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { name: "snapshots".into(), version: VERSION, settings: serde_json::json!(self.config) }
    }

    fn reads(&self) -> &'static [&'static str] {
        &[name::SCORE, name::PHASH, dedup::phash::PHASH_VIEWPORT, dedup::phash::PHASH_FLAT, dedup::phash::PHASH_SIZE]
    }

    fn decide(&self, notes: &[Note]) -> Result<Vec<Decision>, StageError> {
        let mut decisions: Vec<Option<Decision>> = vec![None; notes.len()];
        let mut candidates = Vec::new();
        let mut near = Vec::new();
        for (index, note) in notes.iter().enumerate() {
            let print = VisualPrint::from_attributes(&note.attributes)
                .ok_or_else(|| StageError::plain(format!("read the perceptual hash of {}", note.id)))?;
            if let Some(rejection) = self.refuse(note, &print) {
                decisions[index] = Some(Decision::Reject(rejection));
                continue;
            }
            let score = note.attributes.float(name::SCORE).unwrap_or_default();
            near.push(NearNote { id: note.id, print, score });
            candidates.push(index);
        }
        let clusters = dedup::near::assign(&near, &self.near);
        let splits = self.splits(notes, &candidates, &clusters);
        for ((index, cluster), split) in candidates.into_iter().zip(&clusters).zip(splits) {
            decisions[index] = Some(decide_cluster(notes[index].id, cluster, split));
        }
        Ok(decisions.into_iter().flatten().collect())
    }
}

impl SnapshotsBarrier {
    /// Members that are dropped take part: they tie their domains to the representative's.
    fn splits(&self, notes: &[Note], candidates: &[usize], clusters: &[Assignment]) -> Vec<dedup::Split> {
        let split_notes: Vec<SplitNote<'_>> = candidates
            .iter()
            .zip(clusters)
            .map(|(&index, cluster)| SplitNote { domain: &notes[index].domain, cluster: cluster.representative })
            .collect();
        dedup::split::assign(&split_notes, &self.split)
    }
}

fn decide_cluster(id: ItemId, cluster: &Assignment, split: dedup::Split) -> Decision {
    if !cluster.kept {
        let detail = format!("one of {} that look like {}", cluster.size, cluster.representative);
        return Decision::Reject(Rejection { rule: dedup::NEAR_DUPLICATE, detail });
    }
    let attributes = Attributes::new()
        .with(name::CLUSTER, id.to_string())
        .with(name::CLUSTER_SIZE, cluster.size)
        .with(name::SPLIT, split.name());
    Decision::Keep(attributes)
}
