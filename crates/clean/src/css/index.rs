//! Where in a tree each class, id, tag and attribute stands.
//!
//! Nearly all selectors of a big sheet name something that the page does not have; one look here is all that they cost.

use std::borrow::Cow;
use std::cell::Cell;

use rustc_hash::FxHashMap;

use crate::dom::{Dom, Mode, NodeId};

/// Elements by what selectors name.
#[derive(Debug)]
pub(super) struct Index<'d> {
    pub(super) elements: Vec<NodeId>,
    classes: FxHashMap<Cow<'d, str>, Entry>,
    ids: FxHashMap<Cow<'d, str>, Entry>,
    tags: FxHashMap<Cow<'d, str>, Entry>,
    attributes: FxHashMap<Cow<'d, str>, Entry>,
    /// In quirks mode case of classes and ids does not count.
    ignores_case: bool,
}

#[derive(Debug, Default)]
struct Entry {
    elements: Vec<NodeId>,
    is_named: Cell<bool>,
}

/// What kind of name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Class,
    Id,
    Tag,
    Attribute,
}

impl<'d> Index<'d> {
    pub(super) fn new(dom: &'d Dom) -> Self {
        let ignores_case = dom.mode == Mode::Quirks;
        let mut index = Self {
            elements: Vec::new(),
            classes: FxHashMap::default(),
            ids: FxHashMap::default(),
            tags: FxHashMap::default(),
            attributes: FxHashMap::default(),
            ignores_case,
        };
        let add = |map: &mut FxHashMap<Cow<'d, str>, Entry>, name: Cow<'d, str>, node: NodeId| {
            let elements = &mut map.entry(name).or_default().elements;
            if elements.last() != Some(&node) {
                elements.push(node);
            }
        };
        for node in dom.descendants(Dom::DOCUMENT) {
            let Some(element) = dom.element(node) else { continue };
            index.elements.push(node);
            add(&mut index.tags, lower(&element.name.local, true), node);
            for attribute in &element.attributes {
                let name = &*attribute.name.local;
                match name {
                    "class" => {
                        for class in attribute.value.split_ascii_whitespace() {
                            add(&mut index.classes, lower(class, ignores_case), node);
                        }
                    }
                    "id" => add(&mut index.ids, lower(&attribute.value, ignores_case), node),
                    _ => {}
                }
                add(&mut index.attributes, lower(name, true), node);
            }
        }
        index
    }

    /// The elements that have the name, in document order.
    pub(super) fn find(&self, kind: Kind, name: &str) -> &[NodeId] {
        let (map, ignores_case) = match kind {
            Kind::Class => (&self.classes, self.ignores_case),
            Kind::Id => (&self.ids, self.ignores_case),
            Kind::Tag => (&self.tags, true),
            Kind::Attribute => (&self.attributes, true),
        };
        map.get(&*lower(name, ignores_case)).map_or(&[], |entry| {
            entry.is_named.set(true);
            &entry.elements
        })
    }

    /// Share of the classes that were looked for; 1 if there are none.
    pub(super) fn coverage(&self) -> f64 {
        if self.classes.is_empty() {
            return 1.0;
        }
        let named = self.classes.values().filter(|entry| entry.is_named.get()).count();
        named as f64 / self.classes.len() as f64
    }
}

fn lower(name: &str, ignores_case: bool) -> Cow<'_, str> {
    if ignores_case && name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}
