//! A model looks at pairs of pictures, twice, in both orders. Its verdict can only refuse: what measurement has refused it never sees.

use item::{Digest, Rejection, Shown, Triple};
use serde::Deserialize;
use serde_json::{Value, json};

use super::prompt::{COMPARE, JUDGE};
use super::said::{json as read, whole};
use super::{Author, AuthorPolicy, picture, seed};
use crate::rule;
use crate::vlm::{Ask, Model, Part, Usage, VlmError};

/// Tokens of a verdict; models that think first need more than the words take.
const VERDICT_TOKENS: u32 = 2048;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Which {
    A,
    B,
    #[serde(rename = "neither")]
    Neither,
}

#[derive(Deserialize)]
struct Edited {
    after: Which,
    unrelated: bool,
}

#[derive(Deserialize)]
struct Compared {
    nearer: Which,
}

fn schema(name: &str, also: Option<&str>) -> Value {
    let mut properties = json!({ name: { "enum": ["A", "B", "neither"] } });
    let mut required = vec![name];
    if let Some(also) = also {
        properties[also] = json!({ "type": "boolean" });
        required.push(also);
    }
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

/// What both orders say: the second one was shown first in the second.
fn refuse(in_order: Which, swapped: Which) -> Option<Rejection> {
    match (in_order, swapped) {
        (Which::B, Which::A) => None,
        (Which::A, Which::B) | (Which::Neither, Which::Neither) => {
            Some(Rejection { rule: rule::JUDGE_SAYS_NO, detail: "in both orders".to_owned() })
        }
        _ => Some(Rejection {
            rule: rule::JUDGE_CONTRADICTS_ITSELF,
            detail: format!("{in_order:?} in one order, {swapped:?} in the other"),
        }),
    }
}

fn ask(policy: &AuthorPolicy, system: &'static str, parts: Vec<Part>, seed: u32) -> Ask {
    let tokens_max = VERDICT_TOKENS.min(policy.answer_tokens);
    Ask { system: system.to_owned(), parts, schema: None, seed, temperature: 0.0, tokens_max }
}

/// Whether a model sees that an edit does what its first instruction says, and nothing else.
pub fn judge_edit(
    model: &Model,
    policy: &AuthorPolicy,
    triple: &Triple,
) -> Result<(Option<Rejection>, Usage), VlmError> {
    let instruction = triple.instructions.first().map_or("", |wording| &wording.text);
    let page = Digest::of(triple.before.html.as_bytes());
    let mut usage = Usage::default();
    let mut verdict = |a: &Shown, b: &Shown, order: &str| {
        let picture = |shown: &Shown| Part::Picture(picture::encode(&shown.screenshot, policy.picture_pixels));
        let parts = vec![
            Part::Text("A".to_owned()),
            picture(a),
            Part::Text("B".to_owned()),
            picture(b),
            Part::Text(format!("THE INSTRUCTION\n{instruction}")),
        ];
        let mut ask = ask(policy, JUDGE, parts, seed(&page, &format!("judge {order}")));
        ask.schema = Some(("verdict", schema("after", Some("unrelated"))));
        let said = model.ask(&ask)?;
        usage.add(said.usage());
        Ok::<_, VlmError>(whole(said).and_then(|answer| read::<Edited>(&answer.text)))
    };
    let in_order = verdict(&triple.before, &triple.after, "in order")?;
    let swapped = verdict(&triple.after, &triple.before, "swapped")?;
    let refusal = match (in_order, swapped) {
        (Ok(one), Ok(two)) => refuse(one.after, two.after).or_else(|| {
            let detail = || "something else changes, too".to_owned();
            (one.unrelated && two.unrelated).then(|| Rejection { rule: rule::JUDGE_SAYS_NO, detail: detail() })
        }),
        (Err(why), _) | (_, Err(why)) => Some(why),
    };
    Ok((refusal, usage))
}

impl Author<'_> {
    /// Whether a model sees that an answer is nearer to the page than the draft.
    pub(super) fn judge_polish(&self, draft: &Shown, answer: &Shown) -> Result<(Option<Rejection>, Usage), VlmError> {
        let mut usage = Usage::default();
        let digest = Digest::of(answer.html.as_bytes());
        let mut verdict = |a: &Shown, b: &Shown, order: &str| {
            let parts = vec![
                Part::Text("THE TARGET".to_owned()),
                self.picture(&self.tries.snapshot.screenshot),
                Part::Text("A".to_owned()),
                self.picture(&a.screenshot),
                Part::Text("B".to_owned()),
                self.picture(&b.screenshot),
            ];
            let mut ask = ask(self.policy, COMPARE, parts, seed(&digest, &format!("compare {order}")));
            ask.schema = Some(("verdict", schema("nearer", None)));
            let said = self.model.ask(&ask)?;
            usage.add(said.usage());
            Ok::<_, VlmError>(whole(said).and_then(|answer| read::<Compared>(&answer.text)))
        };
        let in_order = verdict(draft, answer, "in order")?;
        let swapped = verdict(answer, draft, "swapped")?;
        let refusal = match (in_order, swapped) {
            (Ok(one), Ok(two)) => refuse(one.nearer, two.nearer),
            (Err(why), _) | (_, Err(why)) => Some(why),
        };
        Ok((refusal, usage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(in_order: Which, swapped: Which, expected: Option<item::Rule>) {
        assert_eq!(refuse(in_order, swapped).map(|why| why.rule), expected, "{in_order:?} {swapped:?}");
    }

    #[test]
    fn both_orders_must_agree() {
        check(Which::B, Which::A, None);
        check(Which::A, Which::B, Some(rule::JUDGE_SAYS_NO));
        check(Which::Neither, Which::Neither, Some(rule::JUDGE_SAYS_NO));
        // Always the second one: it does not look at the pictures.
        check(Which::B, Which::B, Some(rule::JUDGE_CONTRADICTS_ITSELF));
        check(Which::B, Which::Neither, Some(rule::JUDGE_CONTRADICTS_ITSELF));
    }
}
