//! From what a model says to what it means: thinking, wrappers and fences come off.

/// An answer without its wrapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// The answer.
    pub text: String,
    /// What stood in `<think>`.
    pub reasoning: Option<String>,
}

/// Takes `<think>…</think>` off (also where only its end is there, as templates that open it themselves leave it), then
/// `<answer>…</answer>`, then the box tokens of GLM-V. `None` where thinking never ends: there is no answer then.
pub fn clean(text: &str) -> Option<Cleaned> {
    let (reasoning, rest) = match text.rsplit_once("</think>") {
        Some((before, rest)) => {
            let thought = before.split_once("<think>").map_or(before, |(_, thought)| thought);
            (Some(thought.trim().to_owned()), rest)
        }
        None if text.contains("<think>") => return None,
        None => (None, text),
    };
    let rest = between(rest, "<answer>", "</answer>");
    let rest = between(rest, "<|begin_of_box|>", "<|end_of_box|>");
    Some(Cleaned { text: rest.trim().to_owned(), reasoning })
}

/// What stands between two marks; all of it where they are not there; to the end where the second is missing.
fn between<'a>(text: &'a str, open: &str, close: &str) -> &'a str {
    let Some((_, inner)) = text.split_once(open) else { return text };
    inner.split_once(close).map_or(inner, |(inner, _)| inner)
}

/// The first fenced block of a language, or of none; the whole text where nothing is fenced and it begins as `plain` does. `None`
/// where a fence never ends: the answer was cut off.
pub(crate) fn fenced<'a>(text: &'a str, language: &str, plain: &str) -> Option<&'a str> {
    let Some((_, rest)) = text.split_once("```") else {
        return text.trim_start().starts_with(plain).then_some(text.trim());
    };
    let (head, rest) = rest.split_once('\n')?;
    let (block, after) = rest.split_once("\n```").or_else(|| rest.split_once("```"))?;
    if head.trim().is_empty() || head.trim().eq_ignore_ascii_case(language) {
        return Some(block.trim());
    }
    fenced(after, language, plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappings_come_off() {
        for (text, expected) in [
            ("plain", Some(("plain", None))),
            ("<think>hm</think> yes", Some(("yes", Some("hm")))),
            ("hm</think>yes", Some(("yes", Some("hm")))),
            ("<think>a</think><answer>b</answer>c", Some(("b", Some("a")))),
            ("<|begin_of_box|>7<|end_of_box|>", Some(("7", None))),
            ("<answer>cut", Some(("cut", None))),
            ("<think>for ever", None),
        ] {
            let expected = expected.map(|(text, reasoning): (&str, Option<&str>)| Cleaned {
                text: text.to_owned(),
                reasoning: reasoning.map(str::to_owned),
            });
            assert_eq!(clean(text), expected, "{text}");
        }
    }

    #[test]
    fn fences_come_off() {
        for (text, expected) in [
            ("Here:\n```html\n<p>\n```\nDone.", Some("<p>")),
            ("```\n<p>\n```", Some("<p>")),
            ("```css\na{}\n```\n```html\n<p>\n```", Some("<p>")),
            ("<p>x", Some("<p>x")),
            ("Sorry.", None),
            ("```html\n<p>", None),
        ] {
            assert_eq!(fenced(text, "html", "<"), expected, "{text}");
        }
    }
}
