//! Declarations, and those among them that say nothing to the browser that renders.

use super::scan::{self, List, Statements};
use super::trimmed;

/// One declaration. The value keeps its `!important`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Declaration<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

/// What only other browsers read.
const FOREIGN: &[&str] = &["-moz-", "-ms-", "-o-", "-khtml-"];

/// Prefixed names that Chrome reads as the name without the prefix: beside that name, with the same value, they repeat
/// it. A prefixed property that is not in the list may mean something of its own.
const ALIASES: &[&str] = &[
    "align-content",
    "align-items",
    "align-self",
    "animation",
    "animation-delay",
    "animation-direction",
    "animation-duration",
    "animation-fill-mode",
    "animation-iteration-count",
    "animation-name",
    "animation-play-state",
    "animation-timing-function",
    "appearance",
    "backface-visibility",
    "background-clip",
    "background-origin",
    "background-size",
    "border-bottom-left-radius",
    "border-bottom-right-radius",
    "border-radius",
    "border-top-left-radius",
    "border-top-right-radius",
    "box-shadow",
    "box-sizing",
    "clip-path",
    "column-count",
    "column-gap",
    "column-rule",
    "column-span",
    "column-width",
    "columns",
    "filter",
    "flex",
    "flex-basis",
    "flex-direction",
    "flex-flow",
    "flex-grow",
    "flex-shrink",
    "flex-wrap",
    "hyphenate-character",
    "justify-content",
    "mask",
    "mask-image",
    "mask-position",
    "mask-repeat",
    "mask-size",
    "opacity",
    "order",
    "perspective",
    "perspective-origin",
    "shape-outside",
    "text-size-adjust",
    "transform",
    "transform-origin",
    "transform-style",
    "transition",
    "transition-delay",
    "transition-duration",
    "transition-property",
    "transition-timing-function",
    "user-select",
];

impl<'a> Declaration<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (name, value) = text.split_once(':')?;
        let (name, value) = (without_comments(name), trimmed(value));
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '\\') || c >= '\u{80}';
        let is_custom = name.starts_with("--");
        let says_something = || scan::skip_space_and_comments(value.as_bytes(), 0) < value.len();
        (!name.is_empty() && name.chars().all(is_name) && (is_custom || says_something()))
            .then_some(Self { name, value })
    }

    pub(super) fn is_custom(&self) -> bool {
        self.name.starts_with("--")
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub(super) fn is_important(&self) -> bool {
        self.value.rfind('!').is_some_and(|at| self.value[at + 1..].trim_start().eq_ignore_ascii_case("important"))
    }

    /// The value as one lower-case word; empty if it is none.
    pub(super) fn keyword(&self) -> String {
        let value = self.value.split('!').next().unwrap_or_default().trim();
        let is_word = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_word { value.to_ascii_lowercase() } else { String::new() }
    }

    /// Whether the rendering browser drops it: other browsers' names and values, and the tricks that spoke to old ones.
    fn is_foreign(&self) -> bool {
        if self.is_custom() {
            return false;
        }
        let starts = |text: &str| FOREIGN.iter().any(|prefix| starts_ignoring_case(text, prefix));
        let name = self.name;
        if starts(name) || name.starts_with('_') || name.eq_ignore_ascii_case("behavior") {
            return true;
        }
        let value = self.value;
        let has_mark = value.bytes().any(|byte| matches!(byte, b'-' | b'\\' | b':' | b'('));
        if !has_mark {
            return false;
        }
        value.ends_with("\\9")
            || value.ends_with("\\0")
            || value.ends_with("\\0/")
            || starts_ignoring_case(value, "progid:")
            || starts_ignoring_case(value, "expression(")
            || (starts_ignoring_case(value, "alpha(") && name.eq_ignore_ascii_case("filter"))
            || (starts(value) && !starts_ignoring_case(name, "font"))
    }
}

fn starts_ignoring_case(text: &str, prefix: &str) -> bool {
    text.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

fn without_comments(text: &str) -> &str {
    let start = scan::skip_space_and_comments(text.as_bytes(), 0);
    let text = &text[start.min(text.len())..];
    trimmed(text.split("/*").next().unwrap_or(text))
}

/// A part of a style rule's body.
#[derive(Debug)]
pub(super) enum Part<'a> {
    Declaration(Declaration<'a>),
    /// Head and block of a nested rule.
    Rule(&'a str, Option<&'a str>),
}

/// What stands in a style rule's body and says something.
pub(super) fn parts(body: &str) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for statement in Statements::new(body, List::Body) {
        if statement.block.is_some() || statement.head.starts_with('@') {
            parts.push(Part::Rule(statement.head, statement.block));
        } else if let Some(declaration) = Declaration::parse(statement.head).filter(|d| !d.is_foreign()) {
            parts.push(Part::Declaration(declaration));
        }
    }
    drop_repeated(&mut parts);
    parts
}

/// Drops what another declaration of the same body says again.
fn drop_repeated(parts: &mut Vec<Part<'_>>) {
    let pairs: Vec<(&str, &str)> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Declaration(declaration) => Some((declaration.name, declaration.value)),
            Part::Rule(..) => None,
        })
        .collect();
    // What comes after a nested rule is another rule to the cascade.
    if pairs.len() == parts.len() {
        let mut says_more = says_more(&pairs).into_iter();
        parts.retain(|_| says_more.next().unwrap_or(true));
    }
}

/// For each declaration of a body whether it says anything that the others do not. The same again later decides,
/// whatever stands between; and a prefixed name beside its plain one says the same.
pub(super) fn says_more(pairs: &[(&str, &str)]) -> Vec<bool> {
    let is_same = |name: &str, other: &str| {
        if name.starts_with("--") { name == other } else { name.eq_ignore_ascii_case(other) }
    };
    let decide = |at: usize| {
        let (name, value) = pairs[at];
        let plain = plain_name(name);
        let says_it = |(other, same): &(&str, &str)| {
            *same == value && plain.as_ref().is_some_and(|plain| other.eq_ignore_ascii_case(plain))
        };
        let is_repeated =
            pairs[at + 1..].iter().any(|pair| (pair.1 == value && is_same(pair.0, name)) || says_it(pair))
                || at.checked_sub(1).is_some_and(|before| says_it(&pairs[before]));
        !is_repeated
    };
    (0..pairs.len()).map(decide).collect()
}

/// The name without its prefix, where the two mean the same.
fn plain_name(name: &str) -> Option<String> {
    const PREFIX: &str = "-webkit-";
    if !starts_ignoring_case(name, PREFIX) {
        return None;
    }
    let plain = name[PREFIX.len()..].to_ascii_lowercase();
    ALIASES.binary_search(&plain.as_str()).is_ok().then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::{ALIASES, Part, parts};

    fn check(body: &str, expected: &[&str]) {
        let found: Vec<String> = parts(body)
            .iter()
            .map(|part| match part {
                Part::Declaration(declaration) => format!("{}:{}", declaration.name, declaration.value),
                Part::Rule(head, block) => format!("{head}{{{}}}", block.unwrap_or("-")),
            })
            .collect();
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn aliases_are_sorted() {
        assert!(ALIASES.is_sorted());
    }

    #[test]
    fn what_says_nothing_is_dropped() {
        check("color:red; ;margin : 0 auto !important", &["color:red", "margin:0 auto !important"]);
        check("*zoom:1;_height:1px;width:1px\\9;-moz-x:y;display:-ms-flexbox;display:flex", &["display:flex"]);
        check("filter:progid:X.Y(a='b');filter:alpha(opacity=5);filter:blur(1px)", &["filter:blur(1px)"]);
        check("-webkit-box-shadow:a;box-shadow:a", &["box-shadow:a"]);
        check("-webkit-box-shadow:a;box-shadow:b", &["-webkit-box-shadow:a", "box-shadow:b"]);
        check("-webkit-line-clamp:3;line-clamp:3", &["-webkit-line-clamp:3", "line-clamp:3"]);
        check("color:red;color:blue;color:red", &["color:blue", "color:red"]);
        check("/* x */color/**/:red", &["color:red"]);
        check("--a: {b:c};--d:", &["--a:{b:c}", "--d:"]);
        check("a:b;&:hover{c:d}@media x{e:f}g:h", &["a:b", "&:hover{c:d}", "@media x{e:f}", "g:h"]);
        check("no declaration", &[]);
        check("color:;margin: /* 1px */ ;top:/**/0", &["top:/**/0"]);
        check("top:-10px;margin:-1px", &["top:-10px", "margin:-1px"]);
    }
}
