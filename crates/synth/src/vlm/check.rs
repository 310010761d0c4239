//! What a server really does: asked before a long run, since several drop in silence what they do not know.

use serde_json::{Value, json};

use super::{Answer, Ask, Client, Part, Said, VlmError};
use crate::metric::Picture;

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What.
    pub name: &'static str,
    /// Whether it works.
    pub works: bool,
    /// What was seen.
    pub detail: String,
}

/// Tokens of the short answers.
const TOKENS: u32 = 24;

/// Asks a model a few short questions and says what works: text, pictures, answers in a schema, the limit of tokens, seeds.
pub fn check(client: &Client) -> Vec<Probe> {
    let probe = |name, seen: Result<(bool, String), VlmError>| {
        let (works, detail) = seen.unwrap_or_else(|error| (false, error.to_string()));
        Probe { name, works, detail }
    };
    vec![
        probe("text", text(client)),
        probe("picture", picture(client)),
        probe("pictures matter", pictures_matter(client)),
        probe("schema", schema(client)),
        probe("token limit", token_limit(client)),
        probe("seed", seed(client)),
    ]
}

fn text(client: &Client) -> Result<(bool, String), VlmError> {
    Ok(match client.ask(&ask(vec![hello()], 1))? {
        Said::Answer(answer) | Said::CutOff(answer) => (true, shown(&answer)),
        other => (false, format!("{other:?}")),
    })
}

fn hello() -> Part {
    Part::Text("Describe what you see in a few words.".to_owned())
}

fn ask(parts: Vec<Part>, seed: u32) -> Ask {
    let system = "You look at web pages.".to_owned();
    Ask { system, parts, schema: None, seed, temperature: 0.8, tokens_max: TOKENS }
}

fn shown(answer: &Answer) -> String {
    format!("{:?}", answer.text.chars().take(40).collect::<String>())
}

/// A flat drawing of a page: bar, heading, panel.
fn page(bar: [u8; 3]) -> Part {
    let picture = Picture::from_fn(336, 224, |x, y| match (x, y) {
        (_, 0..64) => bar,
        (20..316, 80..100) => [40; 3],
        (0..168, 120..) => [230, 230, 235],
        _ => [255; 3],
    });
    Part::Picture(picture.to_png().into())
}

/// A picture costs tokens; a server that drops it in silence counts none.
fn picture(client: &Client) -> Result<(bool, String), VlmError> {
    let without = cut(client, &ask(vec![hello()], 1))?;
    let with = cut(client, &ask(vec![page([30, 90, 200]), hello()], 1))?;
    let more = with.saturating_sub(without);
    Ok((more > 8, format!("{more} prompt tokens")))
}

/// The tokens of what was asked, whatever is answered.
fn cut(client: &Client, ask: &Ask) -> Result<u64, VlmError> {
    Ok(client.ask(ask)?.usage().prompt_tokens)
}

fn pictures_matter(client: &Client) -> Result<(bool, String), VlmError> {
    let greedy = |bar| said(client, &Ask { temperature: 0.0, ..ask(vec![page(bar), hello()], 1) });
    let (one, two) = (greedy([30, 90, 200])?, greedy([250, 60, 20])?);
    let differ = one != two;
    Ok((differ, if differ { "two pictures, two answers" } else { "two pictures, one answer" }.to_owned()))
}

/// Words, whole or cut off: both tell answers apart.
fn said(client: &Client, ask: &Ask) -> Result<String, VlmError> {
    Ok(match client.ask(ask)? {
        Said::Answer(answer) | Said::CutOff(answer) => answer.text,
        other => format!("{other:?}"),
    })
}

fn schema(client: &Client) -> Result<(bool, String), VlmError> {
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["color", "large"],
        "properties": { "color": { "enum": ["red", "blue"] }, "large": { "type": "boolean" } },
    });
    let question = Part::Text("Which colour has the bar, and is it large? Answer in JSON.".to_owned());
    let ask = Ask { schema: Some(("bar", schema)), tokens_max: 200, ..ask(vec![page([30, 90, 200]), question], 1) };
    let text = said(client, &ask)?;
    let value: Option<Value> = serde_json::from_str(&text).ok();
    let fits = value
        .is_some_and(|value| matches!(value["color"].as_str(), Some("red" | "blue")) && value["large"].is_boolean());
    Ok((fits, text.chars().take(60).collect()))
}

fn token_limit(client: &Client) -> Result<(bool, String), VlmError> {
    let question = Part::Text("Count from one to a thousand in words.".to_owned());
    Ok(match client.ask(&Ask { tokens_max: 3, ..ask(vec![question], 1) })? {
        Said::CutOff(answer) => (true, format!("cut at {} tokens", answer.usage.completion_tokens)),
        Said::Answer(answer) => (false, format!("not reported: {}", shown(&answer))),
        other => (false, format!("{other:?}")),
    })
}

fn seed(client: &Client) -> Result<(bool, String), VlmError> {
    let with = |seed| said(client, &ask(vec![page([30, 90, 200]), hello()], seed));
    let (one, again, other) = (with(11)?, with(11)?, with(12)?);
    let detail = match (one == again, again == other) {
        (true, false) => "the same seed repeats, another does not",
        (true, true) => "all answers are the same",
        (false, _) => "the same seed gives another answer",
    };
    Ok((one == again, detail.to_owned()))
}
