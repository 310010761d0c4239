//! The barrier `triples`: the same edit is asked for once a site.

use std::collections::HashSet;

use engine::{Barrier, Decided, Decision, Fingerprint, Note, StageError};
use item::{Attributes, Rejection};

use super::gate::ASKED;

/// Bumped when the same notes would give other decisions.
const VERSION: u32 = 1;

/// The barrier.
#[derive(Debug, Clone, Copy, Default)]
pub struct TriplesBarrier;

impl Barrier for TriplesBarrier {
    fn name(&self) -> &'static str {
        "triples"
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { name: "triples".into(), version: VERSION, settings: serde_json::json!({}) }
    }

    fn reads(&self) -> &'static [&'static str] {
        &[ASKED]
    }

    fn decide(&self, notes: &[Note]) -> Result<Decided, StageError> {
        let mut seen: HashSet<(&str, &str)> = HashSet::new();
        let mut decisions = Vec::with_capacity(notes.len());
        for note in notes {
            let asked = note.attributes.text(ASKED);
            let asked = asked.filter(|asked| !seen.insert((note.domain.as_str(), *asked)));
            decisions.push(match asked {
                Some(asked) => {
                    Decision::Reject(Rejection { rule: ::synth::SAME_INSTRUCTION, detail: asked.to_owned() })
                }
                None => Decision::Keep(Attributes::new()),
            });
        }
        Ok(decisions.into())
    }
}

#[cfg(test)]
mod tests {
    use item::ItemId;

    use super::*;

    fn note(number: u64, domain: &str, asked: Option<&str>) -> Note {
        let attributes = asked.map_or_else(Attributes::new, |asked| Attributes::new().with(ASKED, asked));
        Note { id: ItemId::of_place("f", number), domain: domain.to_owned(), attributes }
    }

    #[test]
    fn once_a_site_and_pages_never() {
        let notes = [
            note(0, "a.org", None),
            note(1, "a.org", Some("make it blue")),
            note(2, "a.org", Some("make it blue")),
            note(3, "b.org", Some("make it blue")),
            note(4, "a.org", None),
        ];
        let decisions = TriplesBarrier.decide(&notes).expect("decides").decisions;
        let kept: Vec<bool> = decisions.iter().map(|decision| matches!(decision, Decision::Keep(_))).collect();
        assert_eq!(kept, [true, true, false, true, true]);
    }
}
