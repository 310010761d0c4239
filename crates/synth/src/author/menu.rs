//! Edits of operators that a model chooses: the code is exact by construction, and the model says which of them a page could need.

use std::collections::BTreeSet;

use item::{Digest, Rejection};
use serde::Deserialize;
use serde_json::json;

use super::Author;
use super::prompt::CHOOSE;
use super::said::{json as read, whole};
use crate::make::Prepared;
use crate::metric::Picture;
use crate::operator::{OPERATORS, Operator};
use crate::rng::Rng;
use crate::rule;
use crate::vlm::{Part, VlmError};

/// Edits on a menu.
const OFFERED_MAX: usize = 24;
/// Tokens for each choice; models that think first need more than the words take.
const CHOICE_TOKENS: u32 = 512;

#[derive(Deserialize)]
struct Choices {
    choices: Vec<String>,
}

impl Author<'_> {
    /// Offers edits, and makes those that are chosen.
    pub(super) fn choices(&mut self, original: &Picture) -> Result<(), VlmError> {
        let mut rng = Rng::new(&Digest::of(format!("{} menu", self.seed).as_bytes()));
        let mut offered = self.offered(&mut rng);
        let names: Vec<String> = (1..=offered.len()).map(|number| format!("m{number}")).collect();
        if names.is_empty() {
            return Ok(());
        }
        let most = self.policy.proposals;
        let lines = names.iter().zip(&offered).map(|(name, edit)| format!("{name}: {}", edit.mutation.say.goal));
        let list = lines.collect::<Vec<_>>().join("\n");
        let parts = vec![
            Part::Text("THE SCREENSHOT".to_owned()),
            self.policy.picture(&self.tries.snapshot.screenshot),
            Part::Text(format!("EDITS THAT COULD BE MADE\n{list}\n\nChoose at most {most}.")),
        ];
        let mut ask = self.ask(CHOOSE, parts, "choose");
        let items = json!({ "type": "array", "maxItems": most, "items": { "enum": names } });
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["choices"], "properties": { "choices": items },
        });
        ask.schema = Some(("choices", schema));
        ask.tokens_max = ask.tokens_max.min(CHOICE_TOKENS.saturating_mul(most as u32 + 1));
        let said = self.model.ask(&ask)?;
        let choices = match whole(said).and_then(|answer| read::<Choices>(&answer.text)) {
            Ok(Choices { choices }) => choices,
            Err(why) => {
                self.refuse_edit(why);
                return Ok(());
            }
        };
        let mut chosen = BTreeSet::new();
        for choice in choices.into_iter().take(most) {
            match names.iter().position(|name| *name == choice) {
                Some(at) => drop(chosen.insert(at)),
                None => self.refuse_edit(Rejection {
                    rule: rule::ANSWER_UNREADABLE,
                    detail: format!("`{choice:.20}` is not on the menu"),
                }),
            }
        }
        // From the end, so that places stay what they are.
        for at in chosen.into_iter().rev() {
            offered.swap_remove(at).check(&mut self.tries, self.page, original, &self.policy.gates, &mut rng);
        }
        Ok(())
    }

    /// One edit of each operator that has something to do here, in an order that chance gives.
    fn offered(&self, rng: &mut Rng) -> Vec<Prepared<'static>> {
        let sound = OPERATORS.iter().copied().filter(|operator| operator.breaks.is_none());
        let mut operators: Vec<&'static Operator> = sound.collect();
        rng.shuffle(&mut operators);
        let prepare = |operator| {
            let severity = 0.25 + 0.75 * rng.unit();
            Prepared::new(self.page, operator, severity, rng)
        };
        operators.into_iter().filter_map(prepare).take(OFFERED_MAX).collect()
    }
}
