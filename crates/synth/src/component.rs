//! Which parts of a page can stand for themselves.

use std::cmp::Reverse;

use item::{Node, Rect, Snapshot, Visibility};

/// Elements that mean a component by themselves; the others are boxes that may be one.
const TELLING: &[&str] = &[
    "article", "aside", "dialog", "fieldset", "figure", "footer", "form", "header", "menu", "nav", "section", "table",
];
/// Elements that mean nothing without their parents, and those that are the page itself.
const PARTS_OF_OTHERS: &[&str] = &[
    "html",
    "head",
    "body",
    "caption",
    "col",
    "colgroup",
    "dd",
    "dt",
    "figcaption",
    "legend",
    "li",
    "optgroup",
    "option",
    "param",
    "rp",
    "rt",
    "source",
    "summary",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "track",
];
/// How far, in CSS px, a child may reach out of its component: less than what is painted.
const REACH: f32 = 0.5;

/// What is taken for a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComponentPolicy {
    /// Narrowest one in CSS px.
    pub width_min: u32,
    /// Lowest one in CSS px.
    pub height_min: u32,
    /// Tallest one in CSS px.
    pub height_max: u32,
    /// Fewest elements, itself included.
    pub elements_min: usize,
    /// Most elements.
    pub elements_max: usize,
}

impl Default for ComponentPolicy {
    fn default() -> Self {
        Self { width_min: 120, height_min: 40, height_max: 1_600, elements_min: 4, elements_max: 300 }
    }
}

/// A part of a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component {
    /// Its index in the list of nodes.
    pub node: usize,
    /// Its border box, as laid out.
    pub rect: Rect,
    /// Left edge of the whole CSS px that hold the box.
    pub left: u32,
    /// Top edge.
    pub top: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// The parts that fit the policy, none inside of another, the best first: nothing of the part lies outside of its box, and
/// nothing of others inside.
pub fn components(snapshot: &Snapshot, policy: &ComponentPolicy) -> Vec<Component> {
    let nodes = &snapshot.nodes;
    let sizes = subtree_sizes(nodes);
    let page_height = f64::from(snapshot.height) / snapshot.viewport.device_scale_factor;
    let mut found: Vec<Component> = (0..nodes.len())
        .filter(|&index| (policy.elements_min..=policy.elements_max).contains(&sizes[index]))
        .filter_map(|index| as_component(nodes, index, policy))
        .filter(|component| f64::from(component.top + component.height) <= page_height)
        .filter(|component| component.left + component.width <= snapshot.viewport.width)
        .filter(|component| is_closed(nodes, component.node, sizes[component.node]))
        .collect();
    let is_telling = |component: &Component| TELLING.contains(&nodes[component.node].tag.as_str());
    found.sort_by_key(|component| (!is_telling(component), Reverse(sizes[component.node]), component.node));
    let mut chosen: Vec<Component> = Vec::new();
    for component in found {
        let apart = |other: &Component| {
            let (a, b) = (component.node, other.node);
            a + sizes[a] <= b || b + sizes[b] <= a
        };
        if chosen.iter().all(apart) {
            chosen.push(component);
        }
    }
    chosen
}

/// Elements in each subtree, its root included. Nodes stand in document order, parents first.
fn subtree_sizes(nodes: &[Node]) -> Vec<usize> {
    let mut sizes = vec![1; nodes.len()];
    for index in (0..nodes.len()).rev() {
        if let Some(parent) = nodes[index].parent {
            sizes[parent as usize] += sizes[index];
        }
    }
    sizes
}

fn as_component(nodes: &[Node], index: usize, policy: &ComponentPolicy) -> Option<Component> {
    let node = &nodes[index];
    let is_whole = node.range.is_some() && is_seen(node) && !PARTS_OF_OTHERS.contains(&node.tag.as_str());
    let Rect { x, y, width, height } = node.rect;
    if !is_whole || x < 0.0 || y < 0.0 {
        return None;
    }
    let (left, top) = (x.floor() as u32, y.floor() as u32);
    let (width, height) = ((x + width).ceil() as u32 - left, (y + height).ceil() as u32 - top);
    let fits = width >= policy.width_min && (policy.height_min..=policy.height_max).contains(&height);
    fits.then_some(Component { node: index, rect: node.rect, left, top, width, height })
}

fn is_seen(node: &Node) -> bool {
    node.visibility == Visibility::Visible
}

/// Whether what is seen of the part lies in its box, and what lies in its box is of the part.
fn is_closed(nodes: &[Node], root: usize, size: usize) -> bool {
    let edges = |node: &Node| (node.rect.x, node.rect.y, node.rect.x + node.rect.width, node.rect.y + node.rect.height);
    let (left, top, right, bottom) = edges(&nodes[root]);
    let inside = |node: &Node| {
        let (l, t, r, b) = edges(node);
        l >= left - REACH && t >= top - REACH && r <= right + REACH && b <= bottom + REACH
    };
    let apart = |node: &Node| {
        let (l, t, r, b) = edges(node);
        r <= left + REACH || l >= right - REACH || b <= top + REACH || t >= bottom - REACH
    };
    let ancestors: Vec<usize> = std::iter::successors(nodes[root].parent, |&index| nodes[index as usize].parent)
        .map(|index| index as usize)
        .collect();
    let subtree = root..root + size;
    nodes.iter().enumerate().filter(|(_, node)| is_seen(node)).all(|(index, node)| {
        if subtree.contains(&index) { inside(node) } else { ancestors.contains(&index) || apart(node) }
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use item::Viewport;

    use super::*;

    fn node(tag: &str, parent: Option<u32>, [x, y, width, height]: [f32; 4]) -> Node {
        let rect = Rect { x, y, width, height };
        Node { tag: tag.to_owned(), parent, rect, range: Some((0, 1)), visible: true, ..Node::default() }
    }

    /// Boxes below a page of 1280 x 1000 px: tag, parent, place.
    fn check(below: &[(&str, u32, [f32; 4])], expected: &[usize]) {
        let page = [0.0, 0.0, 1280.0, 1000.0];
        let mut nodes = vec![node("html", None, page), node("body", Some(0), page)];
        nodes.extend(below.iter().map(|(tag, parent, place)| node(tag, Some(*parent), *place)));
        let snapshot = Snapshot {
            html: String::new(),
            viewport: Viewport { width: 1280, height: 720, device_scale_factor: 1.0 },
            screenshot: Bytes::new(),
            width: 1280,
            height: 1000,
            nodes,
        };
        let policy = ComponentPolicy { elements_min: 2, ..ComponentPolicy::default() };
        let found: Vec<usize> = components(&snapshot, &policy).iter().map(|component| component.node).collect();
        assert_eq!(found, expected, "{below:?}");
    }

    #[test]
    fn closed_boxes_are_found_the_telling_ones_first() {
        let (card, line) = ([10.0, 10.0, 300.0, 100.0], [20.0, 20.0, 100.0, 20.0]);
        check(&[("div", 1, card), ("p", 2, line)], &[2]);
        // The inner one is part of the outer one; a nav comes before a box.
        let nav = ("nav", 1, [400.0, 10.0, 300.0, 100.0]);
        check(&[("div", 1, card), ("p", 2, line), nav, ("a", 4, [420.0, 20.0, 50.0, 20.0])], &[4, 2]);
        check(&[("div", 1, [10.5, 10.0, 300.2, 100.7]), ("p", 2, line)], &[2]);
        check(&[("section", 1, card), ("div", 2, [10.0, 10.0, 300.0, 60.0]), ("p", 3, line)], &[2]);
    }

    #[test]
    fn what_is_not_closed_is_none() {
        let (card, line) = ([10.0, 10.0, 300.0, 100.0], [20.0, 20.0, 100.0, 20.0]);
        let p = ("p", 2, line);
        check(&[("div", 1, card), ("p", 2, [20.0, 90.0, 100.0, 40.0])], &[]);
        check(&[("div", 1, card), p, ("b", 1, [300.0, 50.0, 100.0, 100.0])], &[]);
        check(&[("td", 1, card), p], &[]);
        check(&[("div", 1, [10.0, 950.0, 300.0, 100.0]), ("p", 2, [20.0, 960.0, 9.0, 9.0])], &[]);
        check(&[("div", 1, [10.0, 10.0, 90.0, 100.0]), ("p", 2, [20.0, 20.0, 9.0, 9.0])], &[]);
        check(&[("div", 1, card)], &[]);
    }
}
