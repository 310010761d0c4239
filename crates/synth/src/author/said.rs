//! From what was said to what is wanted, or to the rule that says why not.

use item::Rejection;
use serde::de::DeserializeOwned;

use crate::rule;
use crate::vlm::{Answer, Said, fenced};

fn refuse<T>(rule: item::Rule, detail: impl Into<String>) -> Result<T, Rejection> {
    Err(Rejection { rule, detail: detail.into() })
}

/// A whole answer.
pub(super) fn whole(said: Said) -> Result<Answer, Rejection> {
    match said {
        Said::Answer(answer) => Ok(answer),
        Said::CutOff(answer) => {
            refuse(rule::ANSWER_CUT_OFF, format!("it ends after {} tokens", answer.usage.completion_tokens))
        }
        Said::Nothing(_) => refuse(rule::ANSWER_EMPTY, "no words, or thoughts alone"),
        Said::Refusal(words) => refuse(rule::ANSWER_REFUSED, words.chars().take(200).collect::<String>()),
        Said::Broken(why) => refuse(rule::ENGINE_BROKE, why.chars().take(200).collect::<String>()),
        Said::TooLong { tokens, most } => {
            refuse(rule::PROMPT_TOO_LONG, format!("about {tokens} tokens, at most {most}"))
        }
    }
}

/// An answer in JSON. Servers that know no schemas, or forget them, fence it or say more around it.
pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T, Rejection> {
    let body = fenced(text, "json", "{").unwrap_or(text);
    let body = match (body.find('{'), body.rfind('}')) {
        (Some(start), Some(end)) if start < end => &body[start..=end],
        _ => body,
    };
    serde_json::from_str(body).or_else(|error| refuse(rule::ANSWER_UNREADABLE, error.to_string()))
}

/// A whole document.
pub(super) fn document(text: &str) -> Result<String, Rejection> {
    match fenced(text, "html", "<") {
        Some(html) if html.contains('<') => Ok(format!("{}\n", html.trim_end())),
        _ => refuse(rule::ANSWER_UNREADABLE, "there is no whole ```html block in the answer"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn json_comes_in_many_wrappings() {
        for text in
            ["{\"a\": 1}", "```json\n{\"a\": 1}\n```", "Here it is: {\"a\": 1}. Good luck!", "```\n{\"a\": 1}\n```"]
        {
            assert_eq!(super::json::<Value>(text), Ok(json!({ "a": 1 })), "{text}");
        }
        for text in ["", "no", "{\"a\": ", "}{"] {
            assert_eq!(super::json::<Value>(text).expect_err("no JSON").rule, rule::ANSWER_UNREADABLE, "{text}");
        }
    }

    #[test]
    fn documents_come_fenced() {
        assert_eq!(document("Sure!\n```html\n<p>x\n```\n"), Ok("<p>x\n".to_owned()));
        assert_eq!(document("<!doctype html><p>x"), Ok("<!doctype html><p>x\n".to_owned()));
        for text in ["", "I cannot.", "```html\n<p>cut", "```html\nwords\n```"] {
            assert_eq!(document(text).expect_err("no document").rule, rule::ANSWER_UNREADABLE, "{text}");
        }
    }
}
