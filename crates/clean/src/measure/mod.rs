//! What is measured on a page: before the passes what its metadata says, after them what it is.

mod content;
mod kind;
mod language;
mod shape;
mod signal;
mod token;
mod words;

use std::collections::BTreeSet;

use html5ever::local_name;
use item::{Attributes, name};

pub(crate) use content::Content;
pub use kind::PageKind;
pub(crate) use kind::Scripted;
pub(crate) use signal::{Signals, title};
pub use words::WordList;

use crate::dom::{self, Dom, Element, NodeId};
use crate::pass::Styling;

/// Counts of a cleaned tree.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) elements: usize,
    pub(crate) depth: usize,
    tags: usize,
    pub(crate) text_chars: usize,
    pub(crate) images: usize,
    /// Form controls and drawings: a page of these alone is not blank.
    pub(crate) others_seen: usize,
    simhash: u64,
}

/// Counts what is in the tree.
pub(crate) fn count(dom: &Dom) -> Counts {
    let mut counts = Counts { depth: dom::deepest(dom), simhash: shape::simhash(dom), ..Counts::default() };
    let mut tags = BTreeSet::new();
    let mut next = dom.following(Dom::DOCUMENT, Dom::DOCUMENT, false);
    // Where the walk leaves the subtree that is not shown.
    let mut hidden_until: Option<Option<NodeId>> = None;
    while let Some(node) = next {
        if hidden_until == Some(Some(node)) {
            hidden_until = None;
        }
        let is_shown = hidden_until.is_none();
        if let Some(text) = dom.text(node).filter(|_| is_shown) {
            counts.text_chars += visible_chars(text);
        }
        if let Some(element) = dom.element(node) {
            counts.elements += 1;
            tags.insert(&*element.name.local);
            if is_shown && is_hidden(element) {
                hidden_until = Some(dom.following(node, Dom::DOCUMENT, true));
            } else if is_shown {
                let (images, others) = seen(element);
                counts.images += usize::from(images);
                counts.others_seen += usize::from(others);
            }
        }
        next = dom.following(node, Dom::DOCUMENT, false);
    }
    counts.tags = tags.len();
    counts
}

/// Characters that are seen: runs of white space count as one, at the ends as none.
fn visible_chars(text: &str) -> usize {
    let words = text.split_whitespace().map(|word| word.chars().count());
    let (count, chars) = words.fold((0, 0), |(count, chars), word| (count + 1, chars + word));
    chars + usize::max(count, 1) - 1
}

fn is_hidden(element: &Element) -> bool {
    let by_name = matches!(
        element.html_name(),
        Some(&local_name!("head") | &local_name!("datalist") | &local_name!("style") | &local_name!("title"))
    );
    let by_style = element.get("style").is_some_and(|style| {
        style.contains("none") && {
            let packed: String = style.split_ascii_whitespace().collect();
            packed.to_ascii_lowercase().contains("display:none")
        }
    });
    by_name || by_style || (element.is_html() && element.has("hidden"))
}

/// Whether the element is an image, and whether it is something else that is seen without text.
fn seen(element: &Element) -> (bool, bool) {
    let Some(name) = element.html_name() else {
        let name = &*element.name.local;
        return (matches!(name, "image" | "svg"), false);
    };
    let is_control = matches!(
        *name,
        local_name!("input")
            | local_name!("select")
            | local_name!("textarea")
            | local_name!("button")
            | local_name!("canvas")
            | local_name!("video")
            | local_name!("iframe")
            | local_name!("meter")
            | local_name!("progress")
    );
    let is_input_of = |kind: &str| element.get("type").is_some_and(|t| t.trim().eq_ignore_ascii_case(kind));
    let is_image = *name == local_name!("img") || (*name == local_name!("input") && is_input_of("image"));
    let is_unseen = *name == local_name!("input") && is_input_of("hidden");
    (is_image, is_control && !is_image && !is_unseen)
}

/// What stands before and after the first place of `part`.
fn around<'h>(html: &'h str, part: &str) -> (&'h str, &'h str) {
    match html.find(part) {
        Some(at) if !part.is_empty() => (&html[..at], &html[at + part.len()..]),
        _ => (html, ""),
    }
}

/// The style sheet of a cleaned document, and what stands before and after it.
pub fn sheet_apart(html: &str) -> (&str, [&str; 2]) {
    let sheet = html.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).map_or("", |(css, _)| css);
    let (before, after) = around(html, sheet);
    (sheet, [before, after])
}

/// Tokens of the document without its sheet.
pub(crate) fn html_tokens(html: &str, css: &str) -> usize {
    let (before, after) = around(html, css);
    token::count(before) + token::count(after)
}

/// Everything that is known of the page, by name.
pub(crate) fn attributes(html: &str, counts: &Counts, styling: &Styling) -> Attributes {
    // The sheet stands once in the document, word for word.
    let css = styling.css.as_str();
    let (before, after) = around(html, css);
    Attributes::new()
        .with(name::DOM_SIMHASH, format!("{:016x}", counts.simhash))
        .with(name::HTML_BYTES, before.len() + after.len())
        .with(name::CSS_BYTES, css.len())
        .with(name::HTML_TOKENS, html_tokens(html, css))
        .with(name::CSS_TOKENS, token::count(css))
        .with(name::DOM_ELEMENTS, counts.elements)
        .with(name::DOM_DEPTH, counts.depth)
        .with(name::DOM_TAGS, counts.tags)
        .with(name::TEXT_CHARS, counts.text_chars)
        .with(name::IMAGES, counts.images)
        .with(name::CSS_COVERAGE, styling.coverage)
        .with(name::CSS_FOUND, styling.counts.found)
        .with(name::CSS_MISSING, styling.counts.missing)
}

#[cfg(test)]
mod tests {
    use super::visible_chars;

    #[test]
    fn white_space_counts_once() {
        let check = |text: &str, expected: usize| assert_eq!(visible_chars(text), expected, "{text:?}");
        check("", 0);
        check(" \n", 0);
        check(" a \n b ", 3);
        check("žluť", 4);
    }
}
