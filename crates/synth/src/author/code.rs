//! What code may be shown and kept: it parses no worse than what it was made of, and does nothing by itself.

use item::Rejection;

use crate::edit::pieces;
use crate::metric::line_jaccard;
use crate::rule;

/// What a parser finds in a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// Errors of the HTML standard's parser.
    pub parse_errors: usize,
    /// What acts or loads by itself, one entry each: scripts, handlers, frames, references to other places.
    pub active: Vec<String>,
}

/// Whoever parses documents as browsers do.
pub trait Parser {
    /// Looks through a document.
    fn audit(&self, html: &str) -> Audit;
}

/// More parse errors than this are too many for a document that was written from nothing.
const PARSE_ERRORS_MAX: usize = 8;
/// An answer may grow to so many times what was given, and that many bytes more.
const GROWTH_MAX: usize = 2;
const GROWTH_BYTES: usize = 16 << 10;

/// Why an answer is not shown; `given` is the code that it was made of.
pub(super) fn refuse(parser: &(impl Parser + ?Sized), given: Option<&str>, html: &str) -> Option<Rejection> {
    let bytes_max = given.map_or(usize::MAX, |given| given.len() * GROWTH_MAX + GROWTH_BYTES);
    if html.len() > bytes_max {
        let detail = format!("{} bytes, at most {bytes_max}", html.len());
        return Some(Rejection { rule: rule::ANSWER_TOO_LARGE, detail });
    }
    let before = given.map(|given| parser.audit(given)).unwrap_or_default();
    let after = parser.audit(html);
    let mut known = before.active;
    for active in after.active {
        match known.iter().position(|other| *other == active) {
            Some(at) => drop(known.swap_remove(at)),
            None => return Some(Rejection { rule: rule::UNSAFE_ANSWER, detail: active }),
        }
    }
    let errors_max = if given.is_some() { before.parse_errors } else { PARSE_ERRORS_MAX };
    if after.parse_errors > errors_max {
        let detail = format!("{} parse errors, at most {errors_max}", after.parse_errors);
        return Some(Rejection { rule: rule::PARSES_WORSE, detail });
    }
    None
}

/// Share of the code (tags, texts, declarations, as multisets) that both documents have of what either has; lines would say nothing
/// of code that stands in one.
pub(super) fn kept(before: &str, after: &str) -> f64 {
    let lines = |html: &str| pieces(html).join("\n");
    line_jaccard(&lines(before), &lines(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `!` is an error, `$` acts.
    struct Signs;

    impl Parser for Signs {
        fn audit(&self, html: &str) -> Audit {
            let active = html.matches('$').map(str::to_owned).collect();
            Audit { parse_errors: html.matches('!').count(), active }
        }
    }

    fn check(given: Option<&str>, html: &str, expected: Option<&str>) {
        assert_eq!(refuse(&Signs, given, html).map(|why| why.rule.name), expected, "{given:?} {html}");
    }

    #[test]
    fn what_is_kept_does_not_depend_on_lines() {
        assert_eq!(kept("<p>a</p><p>b</p>", "<p>a</p><p>c</p>"), 5.0 / 7.0);
        assert_eq!(kept("<p>a</p>", "<p>a</p>"), 1.0);
    }

    #[test]
    fn no_worse_than_what_was_given() {
        check(Some("a!$"), "b!$", None);
        check(Some("a!"), "b!!", Some("parses-worse"));
        check(Some("a$"), "b$$", Some("unsafe-answer"));
        check(None, "a!!", None);
        check(None, "a$", Some("unsafe-answer"));
        check(None, &"!".repeat(9), Some("parses-worse"));
        check(Some("a"), &"a".repeat(20_000), Some("answer-too-large"));
    }
}
