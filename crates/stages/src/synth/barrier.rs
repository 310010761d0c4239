//! The barrier `triples`: the same edit is asked for once a site, in whatever words.

use std::collections::{BTreeSet, HashMap, HashSet};

use engine::{Barrier, Decided, Decision, Fingerprint, Note, StageError};
use item::{Attributes, Rejection};

use super::gate::ASKED;

/// Bumped when the same notes would give other decisions.
const VERSION: u32 = 2;
/// Instructions whose sets of words have so much in common (Jaccard) ask for the same.
const SAME_WORDS: f64 = 0.85;
/// Instructions of a site that a new one is compared with, the latest: a site of a million pages must not cost their square.
const COMPARED_MAX: usize = 512;

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
        let mut sites: HashMap<&str, Asked<'_>> = HashMap::new();
        let mut decisions = Vec::with_capacity(notes.len());
        for note in notes {
            let asked = note.attributes.text(ASKED);
            let asked = asked.filter(|asked| sites.entry(note.domain.as_str()).or_default().knows(asked));
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

/// What a site was asked for so far.
#[derive(Default)]
struct Asked<'a> {
    exactly: HashSet<&'a str>,
    words: Vec<BTreeSet<&'a str>>,
}

impl<'a> Asked<'a> {
    /// Whether the same was asked before; if not, it is remembered.
    fn knows(&mut self, text: &'a str) -> bool {
        if self.exactly.contains(text) {
            return true;
        }
        let words: BTreeSet<&str> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        if self.words.iter().rev().take(COMPARED_MAX).any(|other| likeness(other, &words) >= SAME_WORDS) {
            return true;
        }
        self.exactly.insert(text);
        self.words.push(words);
        false
    }
}

fn likeness(one: &BTreeSet<&str>, two: &BTreeSet<&str>) -> f64 {
    let common = one.intersection(two).count();
    let all = one.len() + two.len() - common;
    if all == 0 { 1.0 } else { common as f64 / all as f64 }
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
            note(5, "a.org", Some("make it, blue!")),
            note(6, "a.org", Some("make it red")),
        ];
        let decisions = TriplesBarrier.decide(&notes).expect("decides").decisions;
        let kept: Vec<bool> = decisions.iter().map(|decision| matches!(decision, Decision::Keep(_))).collect();
        assert_eq!(kept, [true, true, false, true, true, false, true]);
    }
}
