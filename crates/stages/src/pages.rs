//! The barrier `pages`: exact duplicates and floods of one domain, before Chrome sees them.

use engine::{Barrier, Decision, Fingerprint, Note, StageError};
use item::{Attributes, Rejection, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bumped when the same notes would give other decisions.
const VERSION: u32 = 1;

/// `[pages]`: which pages are rendered at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PagesConfig {
    /// Pages kept of one registrable domain; 0 keeps all.
    pub domain_cap: usize,
}

impl Default for PagesConfig {
    fn default() -> Self {
        Self { domain_cap: 100 }
    }
}

/// The barrier.
#[derive(Debug)]
pub struct PagesBarrier {
    config: PagesConfig,
}

impl PagesBarrier {
    /// A barrier of that configuration.
    pub fn new(config: PagesConfig) -> Self {
        Self { config }
    }
}

/// What makes a page the better one of two, before anything is rendered: styled, then rich in text.
fn rank(note: &Note) -> f64 {
    /// Text beyond this many characters makes a page no better.
    const TEXT_ENOUGH: f64 = 4_000.0;
    let coverage = note.attributes.float(name::CSS_COVERAGE).unwrap_or_default();
    let text = note.attributes.float(name::TEXT_CHARS).unwrap_or_default();
    coverage + (text / TEXT_ENOUGH).min(1.0)
}

impl Barrier for PagesBarrier {
    fn name(&self) -> &'static str {
        "pages"
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { name: "pages".into(), version: VERSION, settings: serde_json::json!(self.config) }
    }

    fn reads(&self) -> &'static [&'static str] {
        &[name::HTML_SHA256, name::CSS_COVERAGE, name::TEXT_CHARS]
    }

    fn decide(&self, notes: &[Note]) -> Result<Vec<Decision>, StageError> {
        let exact: Vec<dedup::exact::ExactNote<'_>> = notes
            .iter()
            .map(|note| dedup::exact::ExactNote {
                id: note.id,
                digest: note.attributes.text(name::HTML_SHA256).unwrap_or_default(),
                rank: rank(note),
            })
            .collect();
        let groups = dedup::exact::assign(&exact);
        let mut decisions: Vec<Decision> = groups.iter().map(decide_duplicate).collect();
        if self.config.domain_cap > 0 {
            self.cap_domains(notes, &mut decisions);
        }
        Ok(decisions)
    }
}

fn decide_duplicate(group: &dedup::Assignment) -> Decision {
    if group.kept {
        return Decision::Keep(Attributes::new());
    }
    Decision::Reject(Rejection {
        rule: dedup::EXACT_DUPLICATE,
        detail: format!("one of {} with the bytes of {}", group.size, group.representative),
    })
}

impl PagesBarrier {
    /// Only what is kept so far takes part in the contest of its domain.
    fn cap_domains(&self, notes: &[Note], decisions: &mut [Decision]) {
        let kept: Vec<usize> =
            (0..notes.len()).filter(|&index| matches!(decisions[index], Decision::Keep(_))).collect();
        let contest: Vec<dedup::domain::DomainNote<'_>> = kept
            .iter()
            .map(|&index| dedup::domain::DomainNote {
                id: notes[index].id,
                domain: &notes[index].domain,
                rank: rank(&notes[index]),
            })
            .collect();
        for (index, standing) in kept.iter().zip(dedup::domain::standings(&contest)) {
            if !standing.is_within(self.config.domain_cap) {
                let detail = format!("{} of {} pages of {}", standing.place + 1, standing.of, notes[*index].domain);
                decisions[*index] = Decision::Reject(Rejection { rule: dedup::DOMAIN_CAP, detail });
            }
        }
    }
}
