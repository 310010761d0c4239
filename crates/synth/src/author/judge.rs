//! A model looks at pairs of pictures, twice, in both orders. Its verdict can only refuse: what measurement has refused it never sees.

use item::{Digest, Rejection, Shown, Triple};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::prompt::{COMPARE, JUDGE};
use super::said::{json as read, whole};
use super::{Author, AuthorPolicy, seed};
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

/// What was said in one order and in the other, and the tokens that it took.
type Both<T> = (Result<(T, T), Rejection>, Usage);

/// What is said of a pair in both orders.
fn both_orders<T: DeserializeOwned>(
    model: &Model,
    (before, after): (&Shown, &Shown),
    question: impl Fn(&Shown, &Shown, &str) -> Ask,
) -> Result<Both<T>, VlmError> {
    let in_order = model.ask(&question(before, after, "in order"))?;
    let swapped = model.ask(&question(after, before, "swapped"))?;
    let mut usage = in_order.usage();
    usage.add(swapped.usage());
    let verdict = |said| whole(said).and_then(|answer| read(&answer.text));
    Ok((verdict(in_order).and_then(|one| Ok((one, verdict(swapped)?))), usage))
}

/// Whether a model sees that an edit does what its first instruction says, and nothing else.
pub fn judge_edit(
    model: &Model,
    policy: &AuthorPolicy,
    triple: &Triple,
) -> Result<(Option<Rejection>, Usage), VlmError> {
    let instruction = triple.instructions.first().map_or("", |wording| &wording.text);
    let page = Digest::of(triple.before.html.as_bytes());
    let question = |a: &Shown, b: &Shown, order: &str| Ask {
        system: JUDGE.to_owned(),
        parts: vec![
            Part::Text("A".to_owned()),
            policy.picture(&a.screenshot),
            Part::Text("B".to_owned()),
            policy.picture(&b.screenshot),
            Part::Text(format!("THE INSTRUCTION\n{instruction}")),
        ],
        schema: Some(("verdict", schema("after", Some("unrelated")))),
        seed: seed(&page, &format!("judge {order}")),
        temperature: 0.0,
        tokens_max: VERDICT_TOKENS.min(policy.answer_tokens),
    };
    let (said, usage) = both_orders::<Edited>(model, (&triple.before, &triple.after), question)?;
    let refusal = match said {
        Ok((one, two)) => refuse(one.after, two.after).or_else(|| {
            let detail = || "something else changes, too".to_owned();
            (one.unrelated && two.unrelated).then(|| Rejection { rule: rule::JUDGE_SAYS_NO, detail: detail() })
        }),
        Err(why) => Some(why),
    };
    Ok((refusal, usage))
}

impl Author<'_> {
    /// Whether a model sees that an answer is nearer to the page than the draft.
    pub(super) fn judge_polish(&self, draft: &Shown, answer: &Shown) -> Result<(Option<Rejection>, Usage), VlmError> {
        let digest = Digest::of(answer.html.as_bytes());
        let question = |a: &Shown, b: &Shown, order: &str| Ask {
            system: COMPARE.to_owned(),
            parts: vec![
                Part::Text("THE TARGET".to_owned()),
                self.policy.picture(&self.tries.snapshot.screenshot),
                Part::Text("A".to_owned()),
                self.policy.picture(&a.screenshot),
                Part::Text("B".to_owned()),
                self.policy.picture(&b.screenshot),
            ],
            schema: Some(("verdict", schema("nearer", None))),
            seed: seed(&digest, &format!("compare {order}")),
            temperature: 0.0,
            tokens_max: VERDICT_TOKENS.min(self.policy.answer_tokens),
        };
        let (said, usage) = both_orders::<Compared>(self.model, (draft, answer), question)?;
        let refusal = match said {
            Ok((one, two)) => refuse(one.nearer, two.nearer),
            Err(why) => Some(why),
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
