//! HTML text to a tree, as a browser with scripting disabled builds it.
//!
//! The text is fed in chunks, and between chunks the tree is looked at: a page that grows past its caps is given up
//! long before it costs what it was made to cost.

use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{Attribute, LocalName, ParseOpts, QualName, local_name};

use super::{Dom, Element, Mode, NodeData, NodeId};

/// How far the tree may grow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caps {
    pub(crate) elements_max: usize,
    pub(crate) depth_max: usize,
}

/// The cap that a page passed, with what was counted by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overflow {
    Elements(usize),
    Depth(usize),
}

/// Bytes between two looks at the tree. Small enough that a chunk of `<b>` and `<p>`, which multiply, stays harmless;
/// large enough that looking costs nothing.
const CHUNK_BYTES: usize = 2048;

/// Parses a whole document.
pub(crate) fn parse(html: &str, caps: Caps) -> Result<Dom, Overflow> {
    let options = ParseOpts {
        tree_builder: TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() },
        ..ParseOpts::default()
    };
    let mut parser = html5ever::parse_document(Sink::default(), options);
    let text = StrTendril::from_slice(html);
    let mut start = 0;
    while start < html.len() {
        let end = html.floor_char_boundary((start + CHUNK_BYTES).min(html.len())).max(start + 1);
        // Shares the buffer, so that neighbouring pieces of one text join without a copy.
        parser.process(text.subtendril(start as u32, (end - start) as u32));
        start = end;
        parser.tokenizer.sink.sink.look(caps)?;
    }
    let mut dom = parser.finish();
    dom.may_not_round_trip |= has_self_in_self(&dom);
    // The open branch is where a tree grows, but nodes can be moved to another depth: count once more.
    match deepest(&dom) {
        depth if depth > caps.depth_max => Err(Overflow::Depth(depth)),
        _ => Ok(dom),
    }
}

/// Elements that a parser never puts into their own kind by plain nesting: it takes misnested end tags to get there, and
/// the same tree written well reads as another.
fn has_self_in_self(dom: &Dom) -> bool {
    const APART: [LocalName; 5] =
        [local_name!("a"), local_name!("nobr"), local_name!("form"), local_name!("button"), local_name!("option")];
    dom.descendants(Dom::DOCUMENT).any(|node| {
        let name = dom.element(node).and_then(Element::html_name).filter(|name| APART.contains(name));
        name.is_some_and(|name| dom.ancestors(node).any(|outer| dom.is(outer, name)))
    })
}

/// Depth of the deepest element, `html` being 1.
pub(crate) fn deepest(dom: &Dom) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let mut node = Dom::DOCUMENT;
    loop {
        if let Some(child) = dom.node(node).first {
            node = child;
            depth += 1;
        } else {
            loop {
                if let Some(next) = dom.node(node).next {
                    node = next;
                    break;
                }
                match dom.parent(node) {
                    Some(parent) => node = parent,
                    None => return deepest,
                }
                depth -= 1;
            }
        }
        if matches!(dom.data(node), NodeData::Element(_)) {
            deepest = deepest.max(depth);
        }
    }
}

/// Receives the tree from html5ever.
#[derive(Debug)]
struct Sink {
    dom: RefCell<Dom>,
    elements: Cell<usize>,
}

impl Default for Sink {
    fn default() -> Self {
        Self { dom: RefCell::new(Dom::new()), elements: Cell::new(0) }
    }
}

impl Sink {
    fn look(&self, caps: Caps) -> Result<(), Overflow> {
        if self.elements.get() > caps.elements_max {
            return Err(Overflow::Elements(self.elements.get()));
        }
        let dom = self.dom.borrow();
        let open_branch = std::iter::successors(Some(Dom::DOCUMENT), |&node| dom.node(node).last);
        // The branch may end in one text, and starts with the document.
        match open_branch.skip(1).filter(|&node| dom.element(node).is_some()).count() {
            depth if depth > caps.depth_max => Err(Overflow::Depth(depth)),
            _ => Ok(()),
        }
    }

    fn moved(&self) {
        self.dom.borrow_mut().may_not_round_trip = true;
    }
}

impl Dom {
    fn append_text(&mut self, parent: NodeId, text: &StrTendril) {
        if let Some(last) = self.node(parent).last
            && let NodeData::Text(before) = &mut self.node_mut(last).data
        {
            before.push_tendril(text);
            return;
        }
        let node = self.add(NodeData::Text(text.clone()));
        self.append(parent, node);
    }

    fn insert_text_before(&mut self, sibling: NodeId, text: &StrTendril) {
        if let Some(previous) = self.node(sibling).previous
            && let NodeData::Text(before) = &mut self.node_mut(previous).data
        {
            before.push_tendril(text);
            return;
        }
        let node = self.add(NodeData::Text(text.clone()));
        self.insert_before(sibling, node);
    }
}

impl TreeSink for Sink {
    type Handle = NodeId;
    type Output = Dom;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Dom {
        self.dom.into_inner()
    }

    fn parse_error(&self, _message: Cow<'static, str>) {
        self.dom.borrow_mut().parse_errors += 1;
    }

    fn get_document(&self) -> NodeId {
        Dom::DOCUMENT
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> Ref<'a, QualName> {
        Ref::map(self.dom.borrow(), |dom| match dom.data(*target) {
            NodeData::Element(element) => &element.name,
            _ => unreachable!("html5ever asks for names of elements only"),
        })
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> NodeId {
        let mut dom = self.dom.borrow_mut();
        self.elements.set(self.elements.get() + 1);
        let template_contents = flags.template.then(|| dom.add(NodeData::Root));
        let is_integration_point = flags.mathml_annotation_xml_integration_point;
        dom.add(NodeData::Element(Element { name, attributes, template_contents, is_integration_point }))
    }

    fn create_comment(&self, text: StrTendril) -> NodeId {
        self.dom.borrow_mut().add(NodeData::Comment(text))
    }

    fn create_pi(&self, _target: StrTendril, data: StrTendril) -> NodeId {
        // HTML has none; XML's would be a comment to an HTML parser.
        self.create_comment(data)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        let mut dom = self.dom.borrow_mut();
        match child {
            NodeOrText::AppendNode(node) => dom.append(*parent, node),
            NodeOrText::AppendText(text) => dom.append_text(*parent, &text),
        }
    }

    fn append_based_on_parent_node(&self, element: &NodeId, previous: &NodeId, child: NodeOrText<NodeId>) {
        self.moved();
        let has_parent = self.dom.borrow().parent(*element).is_some();
        if has_parent {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public_id: StrTendril, _system_id: StrTendril) {}

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        let dom = self.dom.borrow();
        dom.element(*target).and_then(|element| element.template_contents).unwrap_or(*target)
    }

    fn same_node(&self, x: &NodeId, y: &NodeId) -> bool {
        x == y
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.dom.borrow_mut().mode = match mode {
            QuirksMode::Quirks => Mode::Quirks,
            QuirksMode::LimitedQuirks => Mode::AlmostStandards,
            QuirksMode::NoQuirks => Mode::Standards,
        };
    }

    fn append_before_sibling(&self, sibling: &NodeId, new_node: NodeOrText<NodeId>) {
        self.moved();
        let mut dom = self.dom.borrow_mut();
        match new_node {
            NodeOrText::AppendNode(node) => dom.insert_before(*sibling, node),
            NodeOrText::AppendText(text) => dom.insert_text_before(*sibling, &text),
        }
    }

    fn add_attrs_if_missing(&self, target: &NodeId, attributes: Vec<Attribute>) {
        if let Some(element) = self.dom.borrow_mut().element_mut(*target) {
            for attribute in attributes {
                if !element.attributes.iter().any(|a| a.name == attribute.name) {
                    element.attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.moved();
        self.dom.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &NodeId, new_parent: &NodeId) {
        self.moved();
        let mut dom = self.dom.borrow_mut();
        while let Some(child) = dom.node(*node).first {
            dom.append(*new_parent, child);
        }
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &NodeId) -> bool {
        self.dom.borrow().element(*target).is_some_and(|element| element.is_integration_point)
    }
}
