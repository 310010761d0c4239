//! Edits that a model proposes, each about something that is seen.

use item::Rejection;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Author;
use super::prompt::PROPOSE;
use super::said::{instruction as as_instruction, json as read, whole};
use super::shorten::Shortened;
use crate::edit::Page;
use crate::rule;
use crate::vlm::{Part, VlmError};

/// Things on the list that a model chooses from.
const LISTED_MAX: usize = 48;
/// Letters of an instruction.
const INSTRUCTION_CHARS: usize = 300;
/// Tokens for each proposal.
const PROPOSAL_TOKENS: u32 = 160;
/// The name of the whole page as a target.
const WHOLE_PAGE: &str = "page";
/// What an edit may be called.
const KINDS: &[&str] = &["add", "remove", "move", "restyle", "text", "layout", "theme", "swap"];
/// What people point at.
const NOUNS: &[&str] = &[
    "button",
    "link",
    "heading",
    "picture",
    "navigation",
    "header",
    "footer",
    "sidebar",
    "form",
    "table",
    "list",
    "field",
    "paragraph",
    "quotation",
    "article",
];

/// An edit that was proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proposal {
    /// What it is about; `None` is the whole page.
    pub(super) target: Option<usize>,
    pub(super) kind: &'static str,
    pub(super) instruction: String,
}

#[derive(Deserialize)]
struct Proposals {
    edits: Vec<Value>,
}

#[derive(Deserialize)]
struct Written {
    target: String,
    kind: String,
    instruction: String,
}

/// Elements that a model may choose, with the words for them, spread over the page.
fn listed(page: &Page<'_>) -> Vec<(usize, String)> {
    let candidates: Vec<usize> = page.shown().filter(|&node| NOUNS.contains(&page.noun(node))).collect();
    let step = candidates.len().div_ceil(LISTED_MAX).max(1);
    candidates.into_iter().step_by(step).filter_map(|node| Some((node, page.describe(node)?))).collect()
}

fn line(page: &Page<'_>, number: usize, node: usize, words: &str) -> String {
    let rect = page.rect(node);
    format!("e{number}: {words} ({:.0} x {:.0} px at {:.0}, {:.0})", rect.width, rect.height, rect.x, rect.y)
}

fn schema(names: &[String], most: usize) -> Value {
    let edit = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["target", "kind", "instruction"],
        "properties": {
            "target": { "enum": names },
            "kind": { "enum": KINDS },
            "instruction": { "type": "string", "maxLength": INSTRUCTION_CHARS },
        },
    });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["edits"],
        "properties": { "edits": { "type": "array", "maxItems": most, "items": edit } },
    })
}

fn refuse<T>(detail: impl Into<String>) -> Result<T, Rejection> {
    Err(Rejection { rule: rule::ANSWER_UNREADABLE, detail: detail.into() })
}

impl Author<'_> {
    /// Asks for edits. What is proposed but makes no sense comes as its rejection.
    pub(super) fn propose(&self) -> Result<Result<Vec<Result<Proposal, Rejection>>, Rejection>, VlmError> {
        let listed = listed(self.page);
        let mut names: Vec<String> = (1..=listed.len()).map(|number| format!("e{number}")).collect();
        names.push(WHOLE_PAGE.to_owned());
        let most = self.policy.proposals;
        let lines = listed.iter().enumerate().map(|(at, (node, words))| line(self.page, at + 1, *node, words));
        let list = lines.collect::<Vec<_>>().join("\n");
        let parts = vec![
            Part::Text(format!("THE CODE\n```html\n{}\n```", Shortened::new(self.page.html()).text)),
            Part::Text("THE SCREENSHOT".to_owned()),
            self.policy.picture(&self.tries.snapshot.screenshot),
            Part::Text(format!("ON THE PAGE\n{list}\n\nPropose at most {most} edits.")),
        ];
        let mut ask = self.ask(PROPOSE, parts, "propose");
        ask.schema = Some(("proposals", schema(&names, most)));
        ask.tokens_max = ask.tokens_max.min(PROPOSAL_TOKENS.saturating_mul(most as u32 + 1));
        let said = self.model.ask(&ask)?;
        let proposals = whole(said).and_then(|answer| read::<Proposals>(&answer.text));
        Ok(proposals.map(|proposals| {
            let nodes: Vec<usize> = listed.iter().map(|(node, _)| *node).collect();
            proposals.edits.into_iter().take(most).map(|edit| proposal(edit, &nodes)).collect()
        }))
    }
}

fn proposal(edit: Value, nodes: &[usize]) -> Result<Proposal, Rejection> {
    let Written { target, kind, instruction } = match serde_json::from_value(edit) {
        Ok(written) => written,
        Err(error) => return refuse(format!("a proposal lacks a part: {error}")),
    };
    let Some(kind) = KINDS.iter().find(|known| **known == kind) else {
        return refuse(format!("no kind of edit: {kind}"));
    };
    let instruction = as_instruction(&instruction, INSTRUCTION_CHARS)?;
    if target == WHOLE_PAGE {
        return Ok(Proposal { target: None, kind, instruction });
    }
    let number: Option<usize> = target.strip_prefix('e').and_then(|number| number.parse().ok());
    match number.and_then(|number| nodes.get(number.checked_sub(1)?)) {
        Some(&node) => Ok(Proposal { target: Some(node), kind, instruction }),
        None => refuse(format!("`{target}` is not on the list")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(edit: &Value, expected: Result<(Option<usize>, &str), &str>) {
        let found = proposal(edit.clone(), &[7, 9]);
        match (&found, expected) {
            (Ok(found), Ok((target, kind))) => assert_eq!((found.target, found.kind), (target, kind)),
            (Err(found), Err(part)) => assert!(found.detail.contains(part), "{found:?}"),
            _ => panic!("{edit}: {found:?}"),
        }
    }

    #[test]
    fn proposals_are_about_what_is_seen() {
        let edit = |target: &str, kind: &str, instruction: &str| json!({ "target": target, "kind": kind, "instruction": instruction });
        check(&edit("e2", "text", "Say hello there."), Ok((Some(9), "text")));
        check(&edit("page", "theme", "Make it dark."), Ok((None, "theme")));
        check(&edit("e3", "text", "Say hello there."), Err("not on the list"));
        check(&edit("e0", "text", "Say hello there."), Err("not on the list"));
        check(&edit("x", "text", "Say hello there."), Err("not on the list"));
        check(&edit("e1", "paint", "Say hello there."), Err("no kind"));
        check(&edit("e1", "text", " "), Err("no instruction"));
        check(&json!({ "target": "e1" }), Err("lacks a part"));
        check(&json!(7), Err("lacks a part"));
    }
}
