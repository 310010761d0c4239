//! Removes what shows nothing when scripts do not run: scripts, comments, templates, plug-ins, metadata.
//!
//! `<noscript>` is opened up: its content is what a browser without scripts shows.

use html5ever::{LocalName, QualName, local_name, ns};

use super::image::LAZY_ATTRIBUTES;
use crate::dom::{Dom, Element, NodeData, NodeId};

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Stay,
    Remove,
    /// The children stand in its place.
    Open,
    /// Only its tag changes.
    Preformatted,
}

pub(crate) fn remove(dom: &mut Dom) {
    let mut next = dom.following(Dom::DOCUMENT, Dom::DOCUMENT, false);
    while let Some(node) = next {
        let fate = fate(dom, node);
        match fate {
            Fate::Stay => next = dom.following(node, Dom::DOCUMENT, false),
            Fate::Remove => {
                next = dom.following(node, Dom::DOCUMENT, true);
                // The text after it may be joined to the one before, which has been passed.
                if next.is_some_and(|next| dom.previous_sibling(next) == Some(node) && dom.text(next).is_some())
                    && dom.previous_sibling(node).is_some_and(|previous| dom.text(previous).is_some())
                {
                    next = next.and_then(|next| dom.following(next, Dom::DOCUMENT, true));
                }
                dom.remove(node);
            }
            Fate::Open => {
                next = open(dom, node);
            }
            Fate::Preformatted => {
                if let Some(element) = dom.element_mut(node) {
                    element.name = QualName::new(None, ns!(html), local_name!("pre"));
                }
                dom.may_not_round_trip = true;
                next = dom.following(node, Dom::DOCUMENT, false);
            }
        }
    }
}

/// What `<noscript>` mostly holds, and what a parser puts into the same place with and without it.
const TAME: &[&str] = &["br", "div", "em", "iframe", "img", "link", "meta", "p", "span", "strong", "style"];

/// Opens the element and says where the walk goes on: at what stood inside, or after it.
fn open(dom: &mut Dom, node: NodeId) -> Option<NodeId> {
    // The element may have kept its content apart from what is around it (an option from an option, a list item from
    // a list item); without it a parser would see other neighbours.
    let is_plug_in = !dom.is(node, &local_name!("noscript"));
    let inside = |child| dom.element(child);
    let is_tame = dom
        .descendants(node)
        .filter_map(inside)
        .all(|element| element.html_name().is_some_and(|name| is_one_of(name, TAME)));
    dom.may_not_round_trip |= is_plug_in || !is_tame;
    let first = dom.children(node).find(|&child| dom.text(child).is_none());
    let after = dom.following(node, Dom::DOCUMENT, true);
    let after_text = after.filter(|&after| dom.text(after).is_some());
    let resume = first.or(match after_text {
        // Texts may be joined around the element; nothing is to be done to them.
        Some(text) => dom.following(text, Dom::DOCUMENT, true),
        None => after,
    });
    dom.unwrap(node);
    resume
}

fn fate(dom: &Dom, node: NodeId) -> Fate {
    let element = match dom.data(node) {
        NodeData::Comment(_) => return Fate::Remove,
        NodeData::Root | NodeData::Text(_) => return Fate::Stay,
        NodeData::Element(element) => element,
    };
    let Some(name) = element.html_name() else {
        return if is_dead_foreign(element) { Fate::Remove } else { Fate::Stay };
    };
    match *name {
        local_name!("script")
        | local_name!("template")
        | local_name!("embed")
        | local_name!("param")
        | local_name!("base")
        | local_name!("bgsound")
        | local_name!("noembed")
        | local_name!("noframes")
        | local_name!("keygen") => Fate::Remove,
        local_name!("link") if !super::style::is_sheet_link(element) => Fate::Remove,
        local_name!("noscript") if is_fallback_of_lazy_image(dom, node) => Fate::Remove,
        local_name!("noscript") | local_name!("object") | local_name!("applet") => Fate::Open,
        // It has no end tag: everything after it would be its text.
        local_name!("plaintext") => Fate::Preformatted,
        ref name if is_one_of(name, &["portal", "fencedframe"]) => Fate::Remove,
        _ => Fate::Stay,
    }
}

fn is_one_of(name: &LocalName, names: &[&str]) -> bool {
    names.contains(&&**name)
}

/// Scripts in SVG, and animations that change what an element refers to.
fn is_dead_foreign(element: &Element) -> bool {
    let animates_reference = || {
        let target = element.get("attributeName").unwrap_or_default();
        target.trim().to_ascii_lowercase().ends_with("href")
    };
    match &*element.name.local {
        "script" | "metadata" | "iframe" | "embed" | "object" | "cursor" | "font-face-uri" | "handler" | "link"
        | "base" => true,
        "animate" | "set" => animates_reference(),
        _ => false,
    }
}

/// The usual pair of an image that a script loads and a `<noscript>` with the same image: one of them is enough.
fn is_fallback_of_lazy_image(dom: &Dom, noscript: NodeId) -> bool {
    let mut inside = dom.descendants(noscript).filter_map(|node| dom.element(node)).filter(|e| !is_source(e));
    let only_an_image = inside.next().is_some_and(is_image) && inside.next().is_none();
    let before = std::iter::successors(dom.previous_sibling(noscript), |&node| dom.previous_sibling(node))
        .find_map(|node| dom.element(node));
    only_an_image && before.is_some_and(|e| is_image(e) && LAZY_ATTRIBUTES.iter().any(|name| e.has(name)))
}

fn is_image(element: &Element) -> bool {
    element.html_name() == Some(&local_name!("img"))
}

fn is_source(element: &Element) -> bool {
    matches!(element.html_name(), Some(&local_name!("source") | &local_name!("picture")))
}
