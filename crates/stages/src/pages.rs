//! The barrier `pages`: leaks, duplicates and floods, before Chrome sees them.

use std::collections::HashMap;
use std::sync::Arc;

use dedup::domain::DomainNote;
use dedup::exact::ExactNote;
use dedup::leak::Suspect;
use dedup::page::{PageNote, PagePolicy};
use dedup::{Assignment, PageSketch};
use engine::{Barrier, Decided, Decision, Fingerprint, Note, StageError};
use item::{Attributes, ItemId, Rejection, Rule, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::known::{Known, LEFT_OUT, refuse};

/// Bumped when the same notes would give other decisions.
const VERSION: u32 = 3;

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

    fn decide(&self, notes: &[Note]) -> Result<Decided, StageError> {
        let sketch = |note: &Note| {
            PageSketch::from_attributes(&note.attributes)
                .ok_or_else(|| StageError::plain(format!("read the sketch of page {}", note.id)))
        };
        let sketches = notes.iter().map(sketch).collect::<Result<Vec<_>, _>>()?;
        let mut contest = Contest::new(self, notes);
        contest.refuse_known(&sketches);
        contest.refuse_exact();
        contest.refuse_made_the_same(&sketches);
        contest.cap(self.config.domain_cap, dedup::DOMAIN_CAP, |index| notes[index].domain.clone());
        Ok(contest.decided())
    }
}

/// Only what is kept so far takes part in each round.
struct Contest<'a> {
    barrier: &'a PagesBarrier,
    notes: &'a [Note],
    decisions: Vec<Option<Decision>>,
    /// Pages that each one stands for, itself included.
    copies: Vec<u64>,
    /// Pairs that were not compared.
    left_out: u64,
}

impl<'a> Contest<'a> {
    fn new(barrier: &'a PagesBarrier, notes: &'a [Note]) -> Self {
        Self { barrier, notes, decisions: vec![None; notes.len()], copies: vec![1; notes.len()], left_out: 0 }
    }

    fn decided(self) -> Decided {
        let keep = |copies: u64| Decision::Keep(Attributes::new().with(name::PAGE_COPIES, copies));
        let decisions = self.decisions.into_iter().zip(self.copies);
        let decisions = decisions.map(|(decision, copies)| decision.unwrap_or_else(|| keep(copies))).collect();
        let aside = (self.left_out > 0).then_some((LEFT_OUT, self.left_out)).into_iter().collect();
        Decided { decisions, aside }
    }

    /// Refuses a page that another one of the run or of the index stands for.
    fn refuse_copy(&mut self, index: usize, rule: Rule, how: &str, representative: ItemId) {
        if self.decisions[index].is_some() {
            return;
        }
        // Notes come sorted by id.
        if let Ok(at) = self.notes.binary_search_by_key(&representative, |note| note.id) {
            self.copies[at] += self.copies[index];
        }
        refuse(&mut self.decisions[index], Some(Rejection::in_favour_of(rule, how, representative)));
    }

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
            refuse(&mut self.decisions[index], leak);
            if let Some(published) = self.barrier.known.same_page(&self.notes[index].id, self.html(index)) {
                self.refuse_copy(index, dedup::EXACT_DUPLICATE, "the bytes of the published", published);
            }
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
            self.refuse_loser(index, group, dedup::EXACT_DUPLICATE, "with the bytes of");
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
        self.left_out += pages.left_out;
        let mut theme_of = HashMap::new();
        for ((&index, group), theme) in open.iter().zip(&pages.duplicates).zip(pages.themes) {
            // What is published stays, whatever it is like.
            if !self.barrier.known.is_published(&self.notes[index].id) {
                self.refuse_loser(index, group, dedup::NEAR_DUPLICATE_PAGE, "made like");
            }
            theme_of.insert(index, theme);
        }
        self.cap(config.theme_cap, dedup::THEME_CAP, |index| theme_of[&index].to_string());
    }

    fn refuse_loser(&mut self, index: usize, group: &Assignment, rule: Rule, how: &str) {
        if !group.kept {
            self.refuse_copy(index, rule, &format!("one of {} {how}", group.size), group.representative);
        }
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
                let detail = format!("{group}: page {} of {}", standing.place + 1, standing.of);
                refuse(&mut self.decisions[index], Some(Rejection { rule, detail }));
            }
        }
    }
}
