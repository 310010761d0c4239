//! The barrier `snapshots`: leaks, near-duplicate clusters, the score's threshold, the split.

use std::collections::BTreeMap;
use std::sync::Arc;

use dedup::leak::Suspect;
use dedup::list::Published;
use dedup::near::{NearNote, NearPolicy};
use dedup::split::{Placement, SplitNote};
use dedup::{Assignment, PageSketch, Sight, Split, SplitPolicy};
use engine::{Barrier, Decided, Decision, Fingerprint, Note, StageError};
use item::{Attributes, ItemId, Rejection, Rule, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::known::{Known, LEFT_OUT, refuse};

/// Bumped when the same notes would give other decisions.
const VERSION: u32 = 4;

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
    /// Share of their text (runs of three words) that near-duplicates have in common, 0 to 1. 0 asks for pages that look alike
    /// whatever they say: of a theme with many articles one is kept.
    pub text_share_min: f64,
    /// Share of their screenshots (rows, aligned) that near-duplicates have in common, 0 to 1.
    pub look_share_min: f64,
    /// Bits (of 256) of the whole page's hash in which near-duplicates without text may differ.
    pub whole_bits_max: u32,
    /// Bits (of 256) of the first viewport's hash in which near-duplicates without text may differ.
    pub viewport_bits_max: u32,
    /// Share of domains that go to the validation split.
    pub validation_share: f64,
    /// Share of domains that go to the test split.
    pub test_share: f64,
    /// Another seed gives another split.
    pub split_seed: String,
    /// The standing index of what is published, as `databuild dedup index` writes it, relative to the pipeline file: rows
    /// in it keep their place and their split, what is like them is rejected. Empty for none.
    pub index: String,
    /// Hash lists of benchmarks, as `databuild hashlist` writes them, relative to the pipeline file: pages and
    /// screenshots that they hold are rejected, in both barriers.
    pub hashlists: Vec<String>,
}

impl Default for SnapshotsConfig {
    fn default() -> Self {
        let near = NearPolicy::default();
        Self {
            score_min: 0.0,
            text_share_min: near.text_share_min,
            look_share_min: near.look_share_min,
            whole_bits_max: near.whole_bits_max,
            viewport_bits_max: near.viewport_bits_max,
            validation_share: 0.02,
            test_share: 0.02,
            split_seed: "databuild".into(),
            index: String::new(),
            hashlists: Vec::new(),
        }
    }
}

impl SnapshotsConfig {
    /// When two screenshots count as the same page.
    pub fn near_policy(&self) -> NearPolicy {
        NearPolicy {
            whole_bits_max: self.whole_bits_max,
            viewport_bits_max: self.viewport_bits_max,
            text_share_min: self.text_share_min,
            look_share_min: self.look_share_min,
            ..NearPolicy::default()
        }
    }
}

/// The barrier.
#[derive(Debug)]
pub struct SnapshotsBarrier {
    config: SnapshotsConfig,
    near: NearPolicy,
    split: SplitPolicy,
    known: Arc<Known>,
}

/// What clustering needs of a snapshot, by the attributes that the stages before wrote.
pub fn near_note(id: ItemId, attributes: &Attributes) -> Option<NearNote> {
    Some(NearNote {
        id,
        sight: Sight::from_attributes(attributes)?,
        text: PageSketch::from_attributes(attributes)?.text,
        score: attributes.float(name::SCORE).unwrap_or_default(),
        copies: attributes.int(name::PAGE_COPIES).and_then(|copies| usize::try_from(copies).ok()).unwrap_or(1),
        published: false,
    })
}

impl SnapshotsBarrier {
    /// A barrier of that configuration.
    pub fn new(config: SnapshotsConfig, known: Arc<Known>) -> Result<Self, StageError> {
        let near = config.near_policy();
        let split = SplitPolicy::new(config.split_seed.clone(), config.validation_share, config.test_share)
            .map_err(|error| StageError::new("read `[snapshots]`", error))?;
        Ok(Self { config, near, split, known })
    }

    /// Refuses what needs no comparison.
    fn refusal(&self, note: &Note, sight: &Sight) -> Option<Rejection> {
        if sight.print.flat {
            let detail = "one flat colour, or nearly so".to_owned();
            return Some(Rejection { rule: dedup::BLANK_SCREENSHOT, detail });
        }
        let score = note.attributes.float(name::SCORE)?;
        let detail = || format!("score {score:.3}, the least is {:.3}", self.config.score_min);
        (score < self.config.score_min).then(|| Rejection { rule: LOW_SCORE, detail: detail() })
    }

    /// Refuses what a benchmark holds.
    fn refuse_leaks(
        &self,
        notes: &[Note],
        near: &[NearNote],
        decisions: &mut [Option<Decision>],
    ) -> Result<(), StageError> {
        let sketches = notes.iter().map(sketch).collect::<Result<Vec<_>, _>>()?;
        let suspects: Vec<Suspect<'_>> = notes
            .iter()
            .zip(&sketches)
            .zip(near)
            .map(|((note, sketch), near)| Suspect {
                domain: &note.domain,
                sketch: Some(sketch),
                sight: Some(&near.sight),
            })
            .collect();
        for (decision, leak) in decisions.iter_mut().zip(self.known.leaks(&suspects)) {
            refuse(decision, leak);
        }
        Ok(())
    }
}

fn sketch(note: &Note) -> Result<PageSketch, StageError> {
    PageSketch::from_attributes(&note.attributes)
        .ok_or_else(|| StageError::plain(format!("read the sketch of page {}", note.id)))
}

impl Barrier for SnapshotsBarrier {
    fn name(&self) -> &'static str {
        "snapshots"
    }

    fn fingerprint(&self) -> Fingerprint {
        let settings = serde_json::json!({ "config": self.config, "known": self.known.digests });
        Fingerprint { name: "snapshots".into(), version: VERSION, settings }
    }

    fn reads(&self) -> &'static [&'static str] {
        const READS: [&str; 9] = {
            let [phash, viewport, flat, size, look] = Sight::ATTRIBUTES;
            [name::SCORE, name::VIEW, name::PAGE_COPIES, dedup::sketch::PAGE_SKETCH, phash, viewport, flat, size, look]
        };
        &READS
    }

    fn decide(&self, notes: &[Note]) -> Result<Decided, StageError> {
        let near_note = |note: &Note| {
            let near = near_note(note.id, &note.attributes)
                .ok_or_else(|| StageError::plain(format!("read the perceptual hash of {}", note.id)))?;
            Ok(NearNote { published: self.known.is_published(&note.id), ..near })
        };
        let near = notes.iter().map(near_note).collect::<Result<Vec<_>, StageError>>()?;
        let mut decisions: Vec<Option<Decision>> = vec![None; notes.len()];
        for ((note, near), decision) in notes.iter().zip(&near).zip(&mut decisions) {
            refuse(decision, self.refusal(note, &near.sight));
        }
        self.refuse_leaks(notes, &near, &mut decisions)?;
        let open: Vec<usize> = (0..notes.len()).filter(|&index| decisions[index].is_none()).collect();
        let (clusters, left_out) = self.clusters(notes, &open, &near);
        drop(near);
        for ((&index, cluster), placement) in open.iter().zip(&clusters).zip(self.placements(notes, &open, &clusters)) {
            let decision = decide_cluster(cluster, placement);
            decisions[index] = Some(as_published(decision, self.known.row(&notes[index].id)));
        }
        let aside = (left_out > 0).then_some((LEFT_OUT, left_out)).into_iter().collect();
        Ok(Decided { decisions: decisions.into_iter().flatten().collect(), aside })
    }
}

impl SnapshotsBarrier {
    /// One assignment for each open note, and the pairs that were left uncompared. What was seen in one way is compared with
    /// what was seen in the same way: a page in the dark is no copy of itself by day.
    fn clusters(&self, notes: &[Note], open: &[usize], near: &[NearNote]) -> (Vec<Assignment>, u64) {
        let mut by_view: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
        for (place, &index) in open.iter().enumerate() {
            by_view.entry(notes[index].attributes.text(name::VIEW)).or_default().push(place);
        }
        let absent = self.absent(notes);
        let mut clusters: Vec<Option<Assignment>> = vec![None; open.len()];
        let mut left_out = 0;
        for places in by_view.values() {
            let mut contest: Vec<NearNote> = places.iter().map(|&place| near[open[place]].clone()).collect();
            contest.extend(absent.iter().cloned());
            let (assignments, report) = dedup::near::assign(&contest, &self.near);
            left_out += report.left_out;
            for (&place, assignment) in places.iter().zip(assignments) {
                clusters[place] = Some(assignment);
            }
        }
        (clusters.into_iter().flatten().collect(), left_out)
    }

    /// Published rows that are not among the notes of this run.
    fn absent(&self, notes: &[Note]) -> Vec<NearNote> {
        // Notes come sorted by id.
        let is_absent = |id: &ItemId| notes.binary_search_by_key(id, |note| note.id).is_err();
        let note = |row: &Published| NearNote {
            id: row.id,
            sight: row.sight.clone(),
            text: row.sketch.text,
            score: 0.0,
            copies: 1,
            published: true,
        };
        self.known.published.iter().filter(|row| is_absent(&row.id)).map(note).collect()
    }

    /// Members that are dropped take part: they tie their domains to the representative's. So do published rows.
    fn placements(&self, notes: &[Note], open: &[usize], clusters: &[Assignment]) -> Vec<Placement> {
        let published = |id: &ItemId| self.known.row(id).map(|row| row.split);
        let mut split_notes: Vec<SplitNote<'_>> = open
            .iter()
            .zip(clusters)
            .map(|(&index, cluster)| SplitNote {
                domain: &notes[index].domain,
                cluster: cluster.representative,
                published: published(&notes[index].id),
            })
            .collect();
        split_notes.extend(self.known.published.iter().map(|row| SplitNote {
            domain: &row.domain,
            cluster: row.id,
            published: Some(row.split),
        }));
        let mut placements = dedup::split::assign(&split_notes, &self.split);
        placements.truncate(open.len());
        placements
    }
}

fn decide_cluster(cluster: &Assignment, placement: Placement) -> Decision {
    if !cluster.kept {
        let how = format!("one of {} that are the same as", cluster.size);
        return Decision::Reject(Rejection::in_favour_of(dedup::NEAR_DUPLICATE, &how, cluster.representative));
    }
    let Placement::In(split) = placement else {
        let detail = "its domain is tied to published rows of two splits".to_owned();
        return Decision::Reject(Rejection { rule: dedup::SPLIT_CONFLICT, detail });
    };
    Decision::Keep(kept(cluster, split))
}

fn kept(cluster: &Assignment, split: Split) -> Attributes {
    attributes(cluster.representative, cluster.size as u64, split)
}

/// A row that is published says of itself what it said then, or its file would be another with every page that is found to be
/// like it.
fn as_published(decision: Decision, row: Option<&Published>) -> Decision {
    match (decision, row) {
        (Decision::Keep(_), Some(row)) => Decision::Keep(attributes(row.cluster.of, row.cluster.size, row.split)),
        (decision, _) => decision,
    }
}

fn attributes(cluster: ItemId, size: u64, split: Split) -> Attributes {
    Attributes::new()
        .with(name::CLUSTER, cluster.to_string())
        .with(name::CLUSTER_SIZE, size)
        .with(name::SPLIT, split.name())
}
