//! What cleaning takes from a page, and why: the tree before and after each pass, held against each other.
//!
//! The passes know nothing of it. Nodes keep their number while a tree is changed, so that what is no longer there, and what
//! it has lost, can be told from outside.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::css::selectors_of;
use crate::dom::{Dom, Element, NodeData, NodeId};

/// Most characters of a removed thing that are told.
const WHAT_CHARS_MAX: usize = 120;

/// Something that cleaning took from the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Why.
    pub why: &'static str,
    /// The beginning of it, as code.
    pub what: String,
    /// Bytes of names, values and texts.
    pub bytes: usize,
}

/// What has been taken so far.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    before: RefCell<Snapshot>,
    removed: RefCell<Vec<Removed>>,
}

#[derive(Debug, Default)]
struct Snapshot {
    nodes: Vec<(NodeId, State)>,
}

#[derive(Debug)]
struct State {
    parent: Option<NodeId>,
    /// As code, without children.
    label: String,
    bytes: usize,
    attributes: Vec<(String, String)>,
    is_blank: bool,
}

impl State {
    fn of(dom: &Dom, node: NodeId) -> Self {
        let parent = dom.parent(node);
        let plain = |label: String, bytes| Self { parent, label, bytes, attributes: Vec::new(), is_blank: false };
        match dom.data(node) {
            NodeData::Element(element) => {
                let attributes: Vec<(String, String)> =
                    element.attributes.iter().map(|a| (a.name.local.to_string(), a.value.to_string())).collect();
                let bytes = attributes.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>()
                    + 2 * element.name.local.len()
                    + 5;
                Self { parent, label: tag(element), bytes, attributes, is_blank: false }
            }
            NodeData::Text(text) => Self { is_blank: text.trim().is_empty(), ..plain(short(text), text.len()) },
            NodeData::Comment(text) => plain(short(&format!("<!--{text}-->")), text.len() + 7),
            NodeData::Root => plain(String::new(), 0),
        }
    }
}

fn tag(element: &Element) -> String {
    let attributes = element.attributes.iter().map(|a| format!(" {}=\"{}\"", a.name.local, a.value));
    short(&format!("<{}{}>", element.name.local, attributes.collect::<String>()))
}

/// One line of it.
fn short(code: &str) -> String {
    let line = code.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= WHAT_CHARS_MAX {
        return line;
    }
    line.chars().take(WHAT_CHARS_MAX).chain(['…']).collect()
}

impl Snapshot {
    fn of(dom: &Dom) -> Self {
        Self { nodes: dom.descendants(Dom::DOCUMENT).map(|node| (node, State::of(dom, node))).collect() }
    }
}

impl Trace {
    /// Looks at the tree as it was parsed.
    pub(crate) fn begin(&self, dom: &Dom) {
        *self.before.borrow_mut() = Snapshot::of(dom);
    }

    /// Looks at what a pass has left.
    pub(crate) fn step(&self, dom: &Dom, why: &'static str) {
        let before = self.before.replace(Snapshot::of(dom));
        let left: HashSet<NodeId> = self.before.borrow().nodes.iter().map(|(node, _)| *node).collect();
        let mut removed = self.removed.borrow_mut();
        // Where a removed node's bytes are counted: with the outermost that went.
        let mut outermost: HashMap<NodeId, usize> = HashMap::new();
        for (node, state) in &before.nodes {
            if left.contains(node) {
                removed.extend(lost(dom, *node, state, why));
                continue;
            }
            let above = state.parent.and_then(|parent| outermost.get(&parent).copied());
            let at = above.unwrap_or_else(|| {
                removed.push(Removed { why, what: state.label.clone(), bytes: 0 });
                removed.len() - 1
            });
            removed[at].bytes += state.bytes;
            outermost.insert(*node, at);
            // White space between elements is no news.
            if above.is_none() && state.is_blank {
                removed.pop();
                outermost.remove(node);
            }
        }
    }

    /// Looks at what has become of the style sheets.
    pub(crate) fn sheets(&self, before: &str, after: &str, why: &'static str) {
        let mut left: BTreeMap<String, usize> = BTreeMap::new();
        for (selector, _) in selectors_of(after) {
            *left.entry(selector).or_default() += 1;
        }
        let mut removed = self.removed.borrow_mut();
        for (selector, bytes) in selectors_of(before) {
            match left.get_mut(&selector) {
                Some(count) if *count > 0 => *count -= 1,
                _ => removed.push(Removed { why, what: short(&selector), bytes }),
            }
        }
    }

    /// All that was taken, in the order in which it was.
    pub(crate) fn into_removed(self) -> Vec<Removed> {
        self.removed.into_inner()
    }
}

/// Attributes and class names that an element does not have any more.
fn lost(dom: &Dom, node: NodeId, state: &State, why: &'static str) -> Vec<Removed> {
    let Some(element) = dom.element(node) else { return Vec::new() };
    let mut lost = Vec::new();
    for (name, value) in &state.attributes {
        let what = |what: String| format!("{} of <{}>", short(&what), element.name.local);
        match element.attributes.iter().find(|attribute| *attribute.name.local == **name) {
            None => {
                let bytes = name.len() + value.len() + 4;
                lost.push(Removed { why, what: what(format!("{name}=\"{value}\"")), bytes });
            }
            Some(now) if name == "class" => {
                let gone = value
                    .split_ascii_whitespace()
                    .filter(|class| !now.value.split_ascii_whitespace().any(|c| c == *class));
                lost.extend(gone.map(|class| Removed {
                    why,
                    what: what(format!("class {class}")),
                    bytes: class.len() + 1,
                }));
            }
            Some(_) => {}
        }
    }
    lost
}
