//! The barrier `pages`: leaks, duplicates and floods, before Chrome sees them.

use std::collections::HashMap;
use std::sync::Arc;

use dedup::domain::DomainNote;
use dedup::exact::ExactNote;
use dedup::leak::Suspect;
use dedup::page::{PageNote, PagePolicy};
use dedup::{Assignment, PageSketch};
use engine::{Barrier, Decision, Fingerprint, Note, StageError};
use item::{Attributes, Rejection, Rule, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::known::{Known, refuse};

/// Bumped when the same notes would give other decisions.
const VERSION: u32 = 2;

/// `[pages]`: which pages are rendered at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PagesConfig {
    /// Pages kept of one registrable domain; 0 keeps all.
    pub domain_cap: usize,
    /// Pages kept of one theme: pages of nearly the same elements and style sheet, whatever their domain; 0 keeps all.
    pub theme_cap: usize,
    /// Pages of one theme that share this much of their text are near-duplicates and are not rendered, 0 to 1; 0 keeps all.
    pub text_share_min: f64,
}

impl Default for PagesConfig {
    fn default() -> Self {
        Self { domain_cap: 100, theme_cap: 1000, text_share_min: PagePolicy::default().text_share_min }
    }
}

/// The barrier.
#[derive(Debug)]
pub struct PagesBarrier {
    config: PagesConfig,
    known: Arc<Known>,
}

impl PagesBarrier {
    /// A barrier of that configuration.
    pub fn new(config: PagesConfig, known: Arc<Known>) -> Self {
        Self { config, known }
    }

    /// What makes a page the better one of two, before anything is rendered: published, then styled, then rich in text.
    fn rank(&self, note: &Note) -> f64 {
        /// Text beyond this many characters makes a page no better.
        const TEXT_ENOUGH: f64 = 4_000.0;
        if self.known.is_published(&note.id) {
            return f64::INFINITY;
        }
        let coverage = note.attributes.float(name::CSS_COVERAGE).unwrap_or_default();
        let text = note.attributes.float(name::TEXT_CHARS).unwrap_or_default();
        coverage + (text / TEXT_ENOUGH).min(1.0)
    }
}

impl Barrier for PagesBarrier {
    fn name(&self) -> &'static str {
        "pages"
    }

    fn fingerprint(&self) -> Fingerprint {
        let settings = serde_json::json!({ "config": self.config, "known": self.known.digests });
        Fingerprint { name: "pages".into(), version: VERSION, settings }
    }

    fn reads(&self) -> &'static [&'static str] {
        &[name::HTML_SHA256, name::CSS_COVERAGE, name::TEXT_CHARS, dedup::sketch::PAGE_SKETCH]
    }

    fn decide(&self, notes: &[Note]) -> Result<Vec<Decision>, StageError> {
        let sketch = |note: &Note| {
            PageSketch::from_attributes(&note.attributes)
                .ok_or_else(|| StageError::plain(format!("read the sketch of page {}", note.id)))
        };
        let sketches = notes.iter().map(sketch).collect::<Result<Vec<_>, _>>()?;
        let mut contest = Contest { barrier: self, notes, decisions: vec![None; notes.len()] };
        contest.refuse_known(&sketches);
        contest.refuse_exact();
        contest.refuse_made_the_same(&sketches);
        contest.cap(self.config.domain_cap, dedup::DOMAIN_CAP, |index| notes[index].domain.clone());
        let keep = || Decision::Keep(Attributes::new());
        Ok(contest.decisions.into_iter().map(|decision| decision.unwrap_or_else(keep)).collect())
    }
}

/// Only what is kept so far takes part in each round.
struct Contest<'a> {
    barrier: &'a PagesBarrier,
    notes: &'a [Note],
    decisions: Vec<Option<Decision>>,
}

impl Contest<'_> {
    fn open(&self) -> Vec<usize> {
        (0..self.notes.len()).filter(|&index| self.decisions[index].is_none()).collect()
    }

    fn html(&self, index: usize) -> &str {
        self.notes[index].attributes.text(name::HTML_SHA256).unwrap_or_default()
    }

    fn refuse_known(&mut self, sketches: &[PageSketch]) {
        let suspects: Vec<Suspect<'_>> = self
            .notes
            .iter()
            .zip(sketches)
            .map(|(note, sketch)| Suspect { domain: &note.domain, sketch: Some(sketch), sight: None })
            .collect();
        for (index, leak) in self.barrier.known.leaks(&suspects).into_iter().enumerate() {
            let published = self.barrier.known.same_page(&self.notes[index].id, self.html(index));
            let copy = published.map(|id| Rejection {
                rule: dedup::EXACT_DUPLICATE,
                detail: format!("the bytes of {id}, which is published"),
            });
            refuse(&mut self.decisions[index], leak.or(copy));
        }
    }

    fn refuse_exact(&mut self) {
        let open = self.open();
        let note = |&index: &usize| ExactNote {
            id: self.notes[index].id,
            digest: self.html(index),
            rank: self.barrier.rank(&self.notes[index]),
        };
        let groups = dedup::exact::assign(&open.iter().map(note).collect::<Vec<_>>());
        for (&index, group) in open.iter().zip(&groups) {
            refuse(&mut self.decisions[index], loser(group, dedup::EXACT_DUPLICATE, "with the bytes of"));
        }
    }

    fn refuse_made_the_same(&mut self, sketches: &[PageSketch]) {
        let config = &self.barrier.config;
        // More than all of a text is never shared.
        let share = if config.text_share_min > 0.0 { config.text_share_min } else { 2.0 };
        let policy = PagePolicy { text_share_min: share, ..PagePolicy::default() };
        let open = self.open();
        let note = |&index: &usize| PageNote {
            id: self.notes[index].id,
            sketch: sketches[index],
            rank: self.barrier.rank(&self.notes[index]),
        };
        let pages = dedup::page::assign(&open.iter().map(note).collect::<Vec<_>>(), &policy);
        let mut theme_of = HashMap::new();
        for ((&index, group), theme) in open.iter().zip(&pages.duplicates).zip(pages.themes) {
            // What is published stays, whatever it is like.
            if !self.barrier.known.is_published(&self.notes[index].id) {
                refuse(&mut self.decisions[index], loser(group, dedup::NEAR_DUPLICATE_PAGE, "made like"));
            }
            theme_of.insert(index, theme);
        }
        self.cap(config.theme_cap, dedup::THEME_CAP, |index| theme_of[&index].to_string());
    }

    /// Keeps the `cap` best of each group.
    fn cap(&mut self, cap: usize, rule: Rule, group: impl Fn(usize) -> String) {
        if cap == 0 {
            return;
        }
        let open = self.open();
        let groups: Vec<String> = open.iter().map(|&index| group(index)).collect();
        let contest: Vec<DomainNote<'_>> = open
            .iter()
            .zip(&groups)
            .map(|(&index, group)| DomainNote {
                id: self.notes[index].id,
                domain: group,
                rank: self.barrier.rank(&self.notes[index]),
            })
            .collect();
        for ((&index, group), standing) in open.iter().zip(&groups).zip(dedup::domain::standings(&contest)) {
            if !standing.is_within(cap) {
                let detail = format!("{} of {} pages of {group}", standing.place + 1, standing.of);
                refuse(&mut self.decisions[index], Some(Rejection { rule, detail }));
            }
        }
    }
}

fn loser(group: &Assignment, rule: Rule, how: &str) -> Option<Rejection> {
    let detail = || format!("one of {} {how} {}", group.size, group.representative);
    (!group.kept).then(|| Rejection { rule, detail: detail() })
}
