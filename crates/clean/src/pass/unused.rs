//! Names that nothing uses: classes and ids without a rule, a label or a link, attributes without a selector.

use std::collections::HashSet;

use html5ever::{local_name, ns};

use super::attribute;
use crate::css::Purge;
use crate::dom::{Dom, Element, Mode, NodeId};

/// Attributes that hold ids of other elements, and change what these show or do.
const BINDING: &[&str] = &["for", "form", "headers", "list"];

/// Drops what no used rule and nothing in the page refers to.
pub(super) fn drop(dom: &mut Dom, purge: &Purge<'_>) {
    let names = purge.names();
    let needed = Needed::of(dom, purge);
    let ignores_case = dom.mode == Mode::Quirks;
    let folded =
        |set: &HashSet<String>| -> HashSet<String> { set.iter().map(|name| name.to_ascii_lowercase()).collect() };
    let (classes, ids) =
        if ignores_case { (folded(&names.classes), folded(&names.ids)) } else { (names.classes, names.ids) };
    let has = |set: &HashSet<String>, name: &str| {
        if ignores_case { set.contains(&name.to_ascii_lowercase()) } else { set.contains(name) }
    };
    let (any_class, any_id) = (names.attributes.contains("class"), names.attributes.contains("id"));
    let elements: Vec<NodeId> = dom.descendants(Dom::DOCUMENT).filter(|&node| dom.element(node).is_some()).collect();
    for node in elements {
        let Some(element) = dom.element_mut(node) else { continue };
        let is_html = element.is_html();
        element.attributes.retain_mut(|attribute| {
            let name = &*attribute.name.local;
            match name {
                "class" if !any_class => {
                    let kept: Vec<&str> =
                        attribute.value.split_ascii_whitespace().filter(|class| has(&classes, class)).collect();
                    let kept = kept.join(" ");
                    if *kept != *attribute.value {
                        attribute.value = kept.as_str().into();
                    }
                    !kept.is_empty()
                }
                "id" if !any_id => {
                    let id = &*attribute.value;
                    has(&ids, id) || needed.linked.contains(id) || needed.bound.contains(id)
                }
                _ if attribute::needs_a_selector(name, is_html) => {
                    names.attributes.contains(&name.to_ascii_lowercase())
                }
                _ => true,
            }
        });
    }
}

/// Ids that something in the page refers to.
#[derive(Debug, Default)]
pub(super) struct Needed {
    /// By links and descriptions: the look does not depend on it.
    linked: HashSet<String>,
    /// By controls, drawings and style: what is shown depends on it.
    bound: HashSet<String>,
    /// Image maps, by name.
    maps: HashSet<String>,
}

impl Needed {
    pub(super) fn of(dom: &Dom, purge: &Purge<'_>) -> Self {
        let mut needed = Self::default();
        needed.bound.extend(purge.referenced_ids().into_iter().map(str::to_owned));
        for element in dom.descendants(Dom::DOCUMENT).filter_map(|node| dom.element(node)) {
            needed.add(element);
        }
        needed
    }

    fn add(&mut self, element: &Element) {
        for attribute in &element.attributes {
            let (name, value) = (&*attribute.name.local, &*attribute.value);
            let words = || value.split_ascii_whitespace().map(str::to_owned);
            if BINDING.contains(&name) {
                self.bound.extend(words());
            } else if name.starts_with("aria-") {
                self.linked.extend(words());
            } else if name == "usemap" {
                self.maps.insert(value.trim().trim_start_matches('#').to_owned());
            } else if name == "href" && matches!(&*element.name.local, "a" | "area") {
                if let Some(id) = value.trim().strip_prefix('#') {
                    self.linked.insert(id.to_owned());
                    self.linked.insert(percent_encoding_undone(id));
                }
            } else if name == "href" || value.contains("(#") || value.contains("(\"#") || value.contains("('#") {
                for (at, _) in value.match_indices('#') {
                    let rest = &value[at + 1..];
                    self.bound.insert(rest[..rest.find(['"', '\'', ')']).unwrap_or(rest.len())].trim().to_owned());
                }
            } else if attribute.name.ns == ns!() && !element.is_html() && matches!(name, "begin" | "end") {
                self.bound.extend(value.split([';', '.', '+']).map(|word| word.trim().to_owned()));
            }
        }
    }

    /// Whether something that is shown may need an element of the subtree.
    pub(super) fn is_any_in(&self, dom: &Dom, root: NodeId) -> bool {
        let is_needed = |node: NodeId| {
            dom.element(node).is_some_and(|element| {
                element.get("id").is_some_and(|id| self.bound.contains(id))
                    || (element.html_name() == Some(&local_name!("map"))
                        && element.get("name").is_some_and(|name| self.maps.contains(name)))
            })
        };
        is_needed(root) || dom.descendants(root).any(is_needed)
    }
}

fn percent_encoding_undone(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B").replace('&', "%26")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}
