//! Accessible names: what a screen reader calls an element, by the common part of the accname algorithm.
//!
//! In order: `aria-labelledby`, `aria-label`, what the tag itself offers (`alt`, a label, a caption), the content for roles
//! that are named by it, `title`, `placeholder`. CSS content and nested references are left out.

use std::collections::HashMap;

/// Longest name that is kept, in characters: names are words, and a list item may hold a page.
const NAME_CHARS_MAX: usize = 200;
/// Text that is gathered for a name before it is cut: no character needs more than four bytes, white space aside.
const CONTENT_BYTES_MAX: usize = 4 * NAME_CHARS_MAX;

/// Roles that are named by what is inside of them.
const NAMED_BY_CONTENT: &[&str] = &[
    "button",
    "cell",
    "checkbox",
    "columnheader",
    "heading",
    "link",
    "menuitem",
    "menuitemcheckbox",
    "menuitemradio",
    "option",
    "radio",
    "rowheader",
    "switch",
    "tab",
    "tooltip",
    "treeitem",
];
/// Types of `input` whose value is their caption.
const BUTTONS: &[&str] = &["button", "submit", "reset"];

/// What names are made of, of one element. The list is in document order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Element<'a> {
    pub(crate) tag: &'a str,
    pub(crate) role: Option<&'a str>,
    pub(crate) parent: Option<u32>,
    pub(crate) id: Option<&'a str>,
    pub(crate) labelled_by: Option<&'a str>,
    pub(crate) label: Option<&'a str>,
    pub(crate) alt: Option<&'a str>,
    pub(crate) title: Option<&'a str>,
    pub(crate) placeholder: Option<&'a str>,
    pub(crate) value: Option<&'a str>,
    pub(crate) kind: Option<&'a str>,
    /// `for` of a `label`.
    pub(crate) labels: Option<&'a str>,
    /// Texts in the list that come before anything inside of it.
    pub(crate) texts_before: usize,
    /// `display: none` and the like: not read out unless it is referred to.
    pub(crate) unseen: bool,
}

/// Elements, their texts in document order, and where each subtree ends.
pub(crate) struct Names<'a> {
    elements: &'a [Element<'a>],
    /// Text and the element that it stands in.
    texts: &'a [(u32, &'a str)],
    ends: &'a [usize],
    by_id: HashMap<&'a str, usize>,
    label_of: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    pub(crate) fn new(elements: &'a [Element<'a>], texts: &'a [(u32, &'a str)], ends: &'a [usize]) -> Self {
        let (mut by_id, mut label_of) = (HashMap::new(), HashMap::new());
        for (index, element) in elements.iter().enumerate() {
            if let Some(id) = element.id {
                by_id.entry(id).or_insert(index); // The first one counts, as in browsers.
            }
            if let (Some(id), "label") = (element.labels, element.tag) {
                label_of.entry(id).or_insert(index);
            }
        }
        Self { elements, texts, ends, by_id, label_of }
    }

    /// The name of an element; empty if it has none.
    pub(crate) fn of(&self, index: usize) -> String {
        let element = &self.elements[index];
        let referred = |ids: &str| {
            let texts = ids.split_ascii_whitespace().filter_map(|id| Some(self.content(*self.by_id.get(id)?, true)));
            collapse(&texts.collect::<Vec<_>>().join(" "))
        };
        let candidates: [&dyn Fn() -> String; 6] = [
            &|| element.labelled_by.map(referred).unwrap_or_default(),
            &|| element.label.map(collapse).unwrap_or_default(),
            &|| self.native(index),
            &|| {
                let named = element.role.is_some_and(|role| NAMED_BY_CONTENT.contains(&role));
                if named { self.content(index, false) } else { String::new() }
            },
            &|| element.title.map(collapse).unwrap_or_default(),
            &|| element.placeholder.map(collapse).unwrap_or_default(),
        ];
        candidates.iter().map(|candidate| candidate()).find(|name| !name.is_empty()).unwrap_or_default()
    }

    /// What the tag itself offers.
    fn native(&self, index: usize) -> String {
        let element = &self.elements[index];
        let text = |value: Option<&str>| value.map(collapse).unwrap_or_default();
        match element.tag {
            "img" | "area" => text(element.alt),
            "input" if element.kind == Some("image") => text(element.alt.or(element.value)),
            "input" if element.kind.is_some_and(|kind| BUTTONS.contains(&kind)) => match element.kind {
                Some("submit") => text(element.value.or(Some("Submit"))),
                Some("reset") => text(element.value.or(Some("Reset"))),
                _ => text(element.value),
            },
            "input" | "select" | "textarea" | "meter" | "progress" | "output" => self.label(index),
            "fieldset" => self.first_child(index, "legend"),
            "table" => self.first_child(index, "caption"),
            "figure" => self.first_child(index, "figcaption"),
            "svg" => self.first_child(index, "title"),
            _ => String::new(),
        }
    }

    fn label(&self, index: usize) -> String {
        let pointing = self.elements[index].id.and_then(|id| self.label_of.get(id).copied());
        let around = || {
            let parents = std::iter::successors(self.elements[index].parent, |at| self.elements[*at as usize].parent);
            parents.map(|at| at as usize).find(|at| self.elements[*at].tag == "label")
        };
        pointing.or_else(around).map(|label| self.content(label, true)).unwrap_or_default()
    }

    fn first_child(&self, index: usize, tag: &str) -> String {
        let mut below = index + 1..self.ends[index];
        let child = below.find(|at| {
            self.elements[*at].parent == Some(index as u32) && self.elements[*at].tag.eq_ignore_ascii_case(tag)
        });
        child.map(|child| self.content(child, true)).unwrap_or_default()
    }

    /// The text inside of an element, alternative texts of pictures included.
    fn content(&self, index: usize, even_unseen: bool) -> String {
        let end = self.ends[index];
        let last = self.elements.get(end).map_or(self.texts.len(), |next| next.texts_before);
        let mut words = String::new();
        for (element, text) in &self.texts[self.elements[index].texts_before..last] {
            // Between the last element of the subtree and the next one, its ancestors may have text.
            let inside = (index..end).contains(&(*element as usize));
            if inside && (even_unseen || !self.elements[*element as usize].unseen) && words.len() < CONTENT_BYTES_MAX {
                words.push(' ');
                words.push_str(text);
            }
        }
        collapse(&words)
    }
}

/// White space collapsed, and not too long.
fn collapse(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(NAME_CHARS_MAX) {
        Some((end, _)) => words[..end].trim_end().to_owned(),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_best_source() {
        let check = |element: Element<'static>, expected: &str| {
            // `<div id=d>far <label for=i>Mail</label></div> ELEMENT <b>bold</b> end`
            let div = Element { tag: "div", id: Some("d"), ..Element::default() };
            let label =
                Element { tag: "label", labels: Some("i"), parent: Some(0), texts_before: 1, ..Element::default() };
            let bold = Element { tag: "b", parent: Some(2), texts_before: 3, ..Element::default() };
            let elements = [div, label, Element { texts_before: 2, ..element }, bold];
            let texts = [(0, "far"), (1, "Mail"), (2, " own "), (3, "bold"), (2, "end")];
            assert_eq!(Names::new(&elements, &texts, &[2, 2, 4, 4]).of(2), expected, "{element:?}");
        };
        check(Element { tag: "p", role: Some("paragraph"), ..Element::default() }, "");
        check(Element { tag: "a", role: Some("link"), ..Element::default() }, "own bold end");
        check(Element { tag: "a", role: Some("link"), title: Some("t"), ..Element::default() }, "own bold end");
        check(Element { tag: "p", title: Some("t"), ..Element::default() }, "t");
        check(Element { tag: "p", label: Some(" said "), title: Some("t"), ..Element::default() }, "said");
        check(Element { tag: "p", labelled_by: Some("none d"), label: Some("l"), ..Element::default() }, "far Mail");
        check(Element { tag: "img", alt: Some("sun"), ..Element::default() }, "sun");
        check(Element { tag: "input", id: Some("i"), placeholder: Some("p"), ..Element::default() }, "Mail");
        check(Element { tag: "input", placeholder: Some("p"), ..Element::default() }, "p");
        check(Element { tag: "input", kind: Some("submit"), ..Element::default() }, "Submit");
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(collapse(&"word ".repeat(500)).chars().count(), NAME_CHARS_MAX - 1);
    }
}
