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
        Said::Broken(why) | Said::Declined(why) => {
            refuse(rule::ENGINE_BROKE, why.chars().take(200).collect::<String>())
        }
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

/// An instruction: more than a word, and no more letters than that.
pub(super) fn instruction(text: &str, chars_max: usize) -> Result<String, Rejection> {
    let text = text.trim();
    if text.split_whitespace().count() < 2 || text.chars().count() > chars_max {
        return refuse(rule::ANSWER_UNREADABLE, format!("no instruction: {text:.60}"));
    }
    Ok(text.to_owned())
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
    use crate::vlm::Usage;

    #[test]
    fn what_is_no_answer_has_its_rule() {
        let answer = |text: &str| Answer { text: text.to_owned(), reasoning: None, usage: Usage::default() };
        assert_eq!(whole(Said::Answer(answer("x"))), Ok(answer("x")));
        for (said, expected) in [
            (Said::CutOff(answer("x")), rule::ANSWER_CUT_OFF),
            (Said::Nothing(Usage::default()), rule::ANSWER_EMPTY),
            (Said::Refusal("no".to_owned()), rule::ANSWER_REFUSED),
            (Said::Broken("500".to_owned()), rule::ENGINE_BROKE),
            (Said::Declined("400".to_owned()), rule::ENGINE_BROKE),
            (Said::TooLong { tokens: 9, most: 1 }, rule::PROMPT_TOO_LONG),
        ] {
            assert_eq!(whole(said.clone()).expect_err("none").rule, expected, "{said:?}");
        }
    }

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
