//! Long runs of like elements: list items, rows, options, cards.
//!
//! A run is elements that follow each other, nothing but white space and line breaks between them. Rows and list items are
//! alike whatever their classes; others are if they have the same tag and the same classes, and no id. Boxes have to begin
//! alike inside as well: the parts of a page are often plain boxes side by side.

use html5ever::{LocalName, local_name};

use super::refer::Referred;
use super::text::is_phrasing;
use crate::dom::{Dom, Element, NodeId};

/// What elements of a run have in common.
#[derive(PartialEq, Eq)]
struct Kind<'d> {
    name: &'d str,
    class: &'d str,
    /// Tags inside, with their depth.
    shape: Vec<(usize, &'d LocalName)>,
}

/// Elements inside that are compared. Cards of one class differ in badges and buttons further in; boxes without a class may
/// be any part of a page, which only shows below their wrappers.
const SHAPE_WITH_CLASS: usize = 3;
const SHAPE_WITHOUT_CLASS: usize = 8;

/// Cuts each run to `most` items; gives how many elements went.
pub(super) fn cut(dom: &mut Dom, most: usize, referred: &Referred) -> usize {
    let Some(body) = dom.html_child(&local_name!("body")) else { return 0 };
    let mut count = 0;
    let mut next = Some(body);
    while let Some(node) = next {
        let is_open = dom.element(node).is_some_and(is_open);
        if is_open {
            let ends = ends_of_runs(dom, node, most, referred);
            count += ends.len();
            for &item in &ends {
                remove(dom, item);
            }
            if !ends.is_empty() {
                dom.join_texts_in(node);
            }
        }
        next = dom.following(node, body, !is_open);
    }
    count
}

/// Elements in which nothing is cut: text that is laid out by hand, drawings, and what belongs together.
fn is_open(element: &Element) -> bool {
    let is_closed = |name: &LocalName| {
        matches!(
            *name,
            local_name!("audio")
                | local_name!("canvas")
                | local_name!("iframe")
                | local_name!("listing")
                | local_name!("map")
                | local_name!("object")
                | local_name!("picture")
                | local_name!("pre")
                | local_name!("ruby")
                | local_name!("style")
                | local_name!("textarea")
                | local_name!("video")
                | local_name!("xmp")
        )
    };
    element.html_name().is_some_and(|name| !is_closed(name))
}

/// The items beyond the first `most` of each run among the children.
fn ends_of_runs(dom: &Dom, parent: NodeId, most: usize, referred: &Referred) -> Vec<NodeId> {
    let mut ends = Vec::new();
    let mut run: Option<Kind<'_>> = None;
    let mut count = 0;
    let mut was_term = false;
    for child in dom.children(parent).filter(|&child| !is_gap(dom, child)) {
        let element = dom.element(child);
        let kind = element.and_then(|element| kind(dom, child, element));
        let is_term = dom.is(child, &local_name!("dt"));
        // In a list of terms, an item is a term with all that is said of it.
        let begins_item = if is_term { !was_term } else { !dom.is(child, &local_name!("dd")) };
        was_term = is_term;
        if kind.is_none() || kind != run {
            run = kind;
            count = 1;
            continue;
        }
        count += usize::from(begins_item);
        let is_chosen = element.is_some_and(|element| element.has("selected"));
        if count > most && !is_chosen && !referred.has_any_in(dom, child) {
            ends.push(child);
        }
    }
    ends
}

/// What stands between items and goes with them.
fn is_gap(dom: &Dom, node: NodeId) -> bool {
    dom.is(node, &local_name!("br")) || dom.text(node).is_some_and(|text| text.trim().is_empty())
}

fn remove(dom: &mut Dom, item: NodeId) {
    while let Some(gap) = dom.previous_sibling(item).filter(|&node| is_gap(dom, node)) {
        dom.detach(gap);
    }
    dom.detach(item);
}

/// `None` for elements that are no items: columns belong to a table, and a rule parts what is around it.
fn kind<'d>(dom: &'d Dom, node: NodeId, element: &'d Element) -> Option<Kind<'d>> {
    let class = element.get("class").unwrap_or_default();
    let alike = |name: &'d str, class: &'d str| Some(Kind { name, class, shape: Vec::new() });
    let Some(name) = element.html_name() else {
        let is_icon = &*element.name.local == "svg" && !element.has("id");
        return if is_icon { alike("svg", class) } else { None };
    };
    match *name {
        local_name!("dd") | local_name!("dt") => alike("dd", ""),
        local_name!("li") | local_name!("option") | local_name!("tr") => alike(name, ""),
        local_name!("caption")
        | local_name!("col")
        | local_name!("colgroup")
        | local_name!("hr")
        | local_name!("legend")
        | local_name!("rp")
        | local_name!("rt")
        | local_name!("summary")
        | local_name!("td")
        | local_name!("tfoot")
        | local_name!("th")
        | local_name!("thead")
        | local_name!("wbr") => None,
        _ if element.has("id") => None,
        ref name if is_text_or_control(name) => alike(name, class),
        _ => {
            let length = if class.is_empty() { SHAPE_WITHOUT_CLASS } else { SHAPE_WITH_CLASS };
            Some(Kind { name, class, shape: shape(dom, node, length) })
        }
    }
}

fn is_text_or_control(name: &LocalName) -> bool {
    let is_block = matches!(
        *name,
        local_name!("blockquote")
            | local_name!("button")
            | local_name!("h1")
            | local_name!("h2")
            | local_name!("h3")
            | local_name!("h4")
            | local_name!("h5")
            | local_name!("h6")
            | local_name!("img")
            | local_name!("input")
            | local_name!("label")
            | local_name!("p")
    );
    is_block || is_phrasing(name)
}

/// The first elements inside.
fn shape(dom: &Dom, root: NodeId, length: usize) -> Vec<(usize, &LocalName)> {
    let depth = |node: NodeId| dom.ancestors(node).take_while(|&outer| outer != root).count();
    let inside = dom.descendants(root).filter_map(|node| Some((node, dom.element(node)?)));
    inside.take(length).map(|(node, element)| (depth(node), &element.name.local)).collect()
}
