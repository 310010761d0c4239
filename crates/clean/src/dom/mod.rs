//! The tree of a page.
//!
//! Nodes live in one vector and name each other by index. So nothing here recurses, dropping a tree included: a page
//! nested a hundred thousand deep is an ordinary page. Attributes stay in source order, and the element names are
//! html5ever's interned atoms, which compare as integers.

mod parse;
mod serialize;

use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, QualName, local_name, ns};

pub(crate) use parse::{Caps, Overflow, deepest, parse};
pub(crate) use serialize::serialize;

/// Index of a node in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(u32);

impl NodeId {
    /// Its place in a table of all nodes, see [`Dom::size`].
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// An element's name and attributes.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: QualName,
    pub(crate) attributes: Vec<Attribute>,
    /// Root of a template's contents, which are no children.
    template_contents: Option<NodeId>,
    is_integration_point: bool,
}

impl Element {
    pub(crate) fn is_html(&self) -> bool {
        self.name.ns == ns!(html)
    }

    /// The local name if this is an HTML element; names of foreign elements mean other things.
    pub(crate) fn html_name(&self) -> Option<&LocalName> {
        self.is_html().then_some(&self.name.local)
    }

    /// The value of an attribute without namespace.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.name.ns == ns!() && &*a.name.local == name).map(|a| &*a.value)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Replaces the value in place, or adds the attribute at the end.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let value = StrTendril::from_slice(value);
        if let Some(known) = self.attributes.iter_mut().find(|a| a.name.ns == ns!() && &*a.name.local == name) {
            known.value = value;
        } else {
            let name = QualName::new(None, ns!(), LocalName::from(name));
            self.attributes.push(Attribute { name, value });
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.attributes.retain(|a| a.name.ns != ns!() || &*a.name.local != name);
    }

    /// Whether the white-space separated list in attribute `name` has `word`, ASCII case ignored.
    pub(crate) fn has_word(&self, name: &str, word: &str) -> bool {
        self.get(name).is_some_and(|list| list.split_ascii_whitespace().any(|w| w.eq_ignore_ascii_case(word)))
    }
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum NodeData {
    /// The document, or the root of a template's contents.
    Root,
    Element(Element),
    Text(StrTendril),
    Comment(StrTendril),
}

#[derive(Debug)]
struct Node {
    parent: Option<NodeId>,
    previous: Option<NodeId>,
    next: Option<NodeId>,
    first: Option<NodeId>,
    last: Option<NodeId>,
    data: NodeData,
}

/// How the page's doctype makes browsers lay it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Standards,
    AlmostStandards,
    Quirks,
}

/// A parsed document.
#[derive(Debug)]
pub(crate) struct Dom {
    nodes: Vec<Node>,
    pub(crate) mode: Mode,
    /// The parser moved nodes about, or a pass made a tree that a parser might not: only parsing the written document
    /// can tell whether it says what the tree says.
    pub(crate) may_not_round_trip: bool,
    /// Errors that the standard's parser met.
    pub(crate) parse_errors: usize,
}

impl Dom {
    pub(crate) const DOCUMENT: NodeId = NodeId(0);

    fn new() -> Self {
        let mut dom = Self { nodes: Vec::new(), mode: Mode::Standards, may_not_round_trip: false, parse_errors: 0 };
        dom.add(NodeData::Root);
        dom
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// A new node that stands nowhere yet.
    fn add(&mut self, data: NodeData) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node { parent: None, previous: None, next: None, first: None, last: None, data });
        id
    }

    pub(crate) fn add_element(&mut self, name: LocalName) -> NodeId {
        let name = QualName::new(None, ns!(html), name);
        let element = Element { name, attributes: Vec::new(), template_contents: None, is_integration_point: false };
        self.add(NodeData::Element(element))
    }

    pub(crate) fn add_text(&mut self, text: &str) -> NodeId {
        self.add(NodeData::Text(StrTendril::from_slice(text)))
    }

    pub(crate) fn data(&self, id: NodeId) -> &NodeData {
        &self.node(id).data
    }

    pub(crate) fn element(&self, id: NodeId) -> Option<&Element> {
        match self.data(id) {
            NodeData::Element(element) => Some(element),
            _ => None,
        }
    }

    pub(crate) fn element_mut(&mut self, id: NodeId) -> Option<&mut Element> {
        match &mut self.node_mut(id).data {
            NodeData::Element(element) => Some(element),
            _ => None,
        }
    }

    pub(crate) fn template_contents(&self, id: NodeId) -> Option<NodeId> {
        self.element(id)?.template_contents
    }

    /// Whether the node is the HTML element of that name.
    pub(crate) fn is(&self, id: NodeId, name: &LocalName) -> bool {
        self.element(id).and_then(Element::html_name) == Some(name)
    }

    pub(crate) fn text(&self, id: NodeId) -> Option<&str> {
        match self.data(id) {
            NodeData::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).parent
    }

    pub(crate) fn previous_sibling(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).previous
    }

    pub(crate) fn next_sibling(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).next
    }

    /// Nodes that there ever were, those that stand nowhere included.
    pub(crate) fn size(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn set_text(&mut self, id: NodeId, text: &str) {
        if let NodeData::Text(own) = &mut self.node_mut(id).data {
            *own = StrTendril::from_slice(text);
        }
    }

    /// Makes one text of neighbours, as a parser would read them.
    pub(crate) fn join_texts_in(&mut self, parent: NodeId) {
        let mut next = self.node(parent).first;
        while let Some(node) = next {
            next = self.node(node).next;
            if let Some(right) = next
                && self.text(node).is_some()
                && self.text(right).is_some()
            {
                self.join_texts(node, right);
                next = Some(node);
            }
        }
    }

    pub(crate) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.node(id).first, |&child| self.node(child).next)
    }

    pub(crate) fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.parent(id), |&node| self.parent(node))
    }

    /// The node after `id` in document order that stands below `root`; with `skip_children`, the one after its subtree.
    pub(crate) fn following(&self, id: NodeId, root: NodeId, skip_children: bool) -> Option<NodeId> {
        if !skip_children && let Some(child) = self.node(id).first {
            return Some(child);
        }
        let mut node = id;
        while node != root {
            if let Some(next) = self.node(node).next {
                return Some(next);
            }
            node = self.parent(node)?;
        }
        None
    }

    /// Everything below `root` in document order.
    pub(crate) fn descendants(&self, root: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.following(root, root, false), move |&node| self.following(node, root, false))
    }

    /// The text below `root`, in order.
    pub(crate) fn text_below(&self, root: NodeId) -> String {
        self.descendants(root).filter_map(|node| self.text(node)).collect()
    }

    /// The first `html` child of the document; every parsed document has one.
    pub(crate) fn html(&self) -> Option<NodeId> {
        self.children(Self::DOCUMENT).find(|&node| self.is(node, &local_name!("html")))
    }

    pub(crate) fn html_child(&self, name: &LocalName) -> Option<NodeId> {
        self.children(self.html()?).find(|&node| self.is(node, name))
    }

    pub(crate) fn is_frameset(&self) -> bool {
        self.html_child(&local_name!("frameset")).is_some()
    }

    /// The address in the first `<base>` that has one.
    pub(crate) fn base_href(&self) -> Option<&str> {
        let bases = self.descendants(Self::DOCUMENT).filter(|&node| self.is(node, &local_name!("base")));
        bases.filter_map(|node| self.element(node)).find_map(|element| element.get("href"))
    }

    /// Takes the node and what is below it out of its place. It can be put elsewhere.
    pub(crate) fn detach(&mut self, id: NodeId) {
        let (parent, previous, next) = {
            let node = self.node_mut(id);
            (node.parent.take(), node.previous.take(), node.next.take())
        };
        match (previous, parent) {
            (Some(previous), _) => self.node_mut(previous).next = next,
            (None, Some(parent)) => self.node_mut(parent).first = next,
            (None, None) => {}
        }
        match (next, parent) {
            (Some(next), _) => self.node_mut(next).previous = previous,
            (None, Some(parent)) => self.node_mut(parent).last = previous,
            (None, None) => {}
        }
    }

    /// Takes the node out and joins the texts that it kept apart: a parser would read them as one.
    pub(crate) fn remove(&mut self, id: NodeId) {
        let (previous, next) = (self.node(id).previous, self.node(id).next);
        self.detach(id);
        if let (Some(previous), Some(next)) = (previous, next) {
            self.join_texts(previous, next);
        }
    }

    /// Puts the children in the element's place.
    pub(crate) fn unwrap(&mut self, id: NodeId) {
        let (previous, next) = (self.node(id).previous, self.node(id).next);
        let (first, last) = (self.node(id).first, self.node(id).last);
        while let Some(child) = self.node(id).first {
            self.insert_before(id, child);
        }
        self.detach(id);
        match (first, last) {
            (Some(first), Some(last)) => {
                if let Some(next) = next {
                    self.join_texts(last, next);
                }
                if let Some(previous) = previous {
                    self.join_texts(previous, first);
                }
            }
            _ => {
                if let (Some(previous), Some(next)) = (previous, next) {
                    self.join_texts(previous, next);
                }
            }
        }
    }

    fn join_texts(&mut self, left: NodeId, right: NodeId) {
        let NodeData::Text(tail) = self.data(right) else { return };
        let tail = tail.clone();
        if let NodeData::Text(head) = &mut self.node_mut(left).data {
            head.push_tendril(&tail);
            self.detach(right);
        }
    }

    pub(crate) fn append(&mut self, parent: NodeId, child: NodeId) {
        self.detach(child);
        let last = self.node_mut(parent).last.replace(child);
        match last {
            Some(last) => self.node_mut(last).next = Some(child),
            None => self.node_mut(parent).first = Some(child),
        }
        let node = self.node_mut(child);
        node.parent = Some(parent);
        node.previous = last;
    }

    pub(crate) fn prepend(&mut self, parent: NodeId, child: NodeId) {
        match self.node(parent).first {
            Some(first) => self.insert_before(first, child),
            None => self.append(parent, child),
        }
    }

    pub(crate) fn insert_before(&mut self, sibling: NodeId, child: NodeId) {
        self.detach(child);
        let (parent, previous) = (self.node(sibling).parent, self.node(sibling).previous);
        {
            let node = self.node_mut(child);
            node.parent = parent;
            node.previous = previous;
            node.next = Some(sibling);
        }
        self.node_mut(sibling).previous = Some(child);
        match (previous, parent) {
            (Some(previous), _) => self.node_mut(previous).next = Some(child),
            (None, Some(parent)) => self.node_mut(parent).first = Some(child),
            (None, None) => {}
        }
    }
}
