//! Ids that something in the page refers to: a label to its control, a drawing to its parts.

use std::collections::HashSet;

use crate::dom::{Dom, Element, NodeId};

/// Attributes with ids in them, sorted.
const REFERRING: &[&str] = &[
    "aria-activedescendant",
    "aria-controls",
    "aria-describedby",
    "aria-details",
    "aria-errormessage",
    "aria-flowto",
    "aria-labelledby",
    "aria-owns",
    "for",
    "form",
    "headers",
    "list",
    "usemap",
];

pub(super) struct Referred(HashSet<String>);

impl Referred {
    pub(super) fn of(dom: &Dom) -> Self {
        let mut ids = HashSet::new();
        for element in dom.descendants(Dom::DOCUMENT).filter_map(|node| dom.element(node)) {
            for attribute in &element.attributes {
                let name = &*attribute.name.local;
                if REFERRING.binary_search(&name).is_ok() {
                    let words = attribute.value.split_ascii_whitespace();
                    ids.extend(words.map(|word| word.trim_start_matches('#').to_owned()));
                } else if !element.is_html() {
                    ids.extend(in_drawing(name, &attribute.value));
                }
            }
        }
        Self(ids)
    }

    /// Whether the element, or one in it, is referred to.
    pub(super) fn has_any_in(&self, dom: &Dom, node: NodeId) -> bool {
        if self.0.is_empty() {
            return false;
        }
        std::iter::once(node).chain(dom.descendants(node)).filter_map(|node| dom.element(node)).any(|e| self.has(e))
    }

    fn has(&self, element: &Element) -> bool {
        element.get("id").is_some_and(|id| self.0.contains(id))
    }
}

/// `href="#i"` and `fill="url(#i)"`.
fn in_drawing(name: &str, value: &str) -> Option<String> {
    if name == "href" {
        return value.trim().strip_prefix('#').map(str::to_owned);
    }
    let (_, rest) = value.split_once("url(")?;
    let id = rest.trim_start_matches(['"', '\'', ' ']).strip_prefix('#')?;
    Some(id.split(['"', '\'', ')']).next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::REFERRING;

    #[test]
    fn lists_are_sorted() {
        assert!(REFERRING.is_sorted());
    }
}
