//! Words of a model for an edit that a program made.

use item::{Digest, Rejection, Triple, Wording};
use serde::Deserialize;
use serde_json::json;

use super::prompt::DESCRIBE;
use super::said::{instruction, json as read, whole};
use super::{AuthorPolicy, seed};
use crate::edit::leaks_code_of;
use crate::rule;
use crate::vlm::{Ask, Model, Part, Usage, VlmError};

/// Style of such a wording.
const STYLE: &str = "described";
/// Letters of it.
const INSTRUCTION_CHARS: usize = 400;
/// Tokens of it; models that think first need more than the words take.
const TOKENS: u32 = 2048;

#[derive(Deserialize)]
struct Described {
    instruction: String,
}

/// The instruction that a model reads out of an edit's pictures.
pub fn describe_edit(
    model: &Model,
    policy: &AuthorPolicy,
    triple: &Triple,
) -> Result<(Result<Wording, Rejection>, Usage), VlmError> {
    let exact = triple.instructions.first().map_or("", |wording| &wording.text);
    let schema = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["instruction"],
        "properties": { "instruction": { "type": "string", "maxLength": INSTRUCTION_CHARS } },
    });
    let ask = Ask {
        system: DESCRIBE.to_owned(),
        parts: vec![
            Part::Text("BEFORE".to_owned()),
            policy.picture(&triple.before.screenshot),
            Part::Text("AFTER".to_owned()),
            policy.picture(&triple.after.screenshot),
            Part::Text(format!("WHAT WAS DONE, EXACTLY\n{exact}")),
        ],
        schema: Some(("description", schema)),
        seed: seed(&Digest::of(triple.after.html.as_bytes()), "describe"),
        temperature: policy.temperature,
        tokens_max: TOKENS.min(policy.answer_tokens),
    };
    let said = model.ask(&ask)?;
    let usage = said.usage();
    let wording = whole(said).and_then(|answer| read::<Described>(&answer.text)).and_then(|described| {
        let text = instruction(&described.instruction, INSTRUCTION_CHARS)?;
        match leaks_code_of(&triple.before.html, &text) {
            Some(leak) => Err(Rejection { rule: rule::CODE_IN_INSTRUCTION, detail: format!("it says `{leak}`") }),
            None => Ok(Wording { style: STYLE.to_owned(), text }),
        }
    });
    Ok((wording, usage))
}
