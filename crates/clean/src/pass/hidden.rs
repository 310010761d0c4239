//! Subtrees that are never shown: no rule, in any state or viewport, can bring them up.
//!
//! Menus and dialogs that only a script would open are most of them. A subtree stays where its absence would change what
//! another selector matches, and where something that is shown refers into it.

use html5ever::local_name;

use super::undo::{self, Step};
use super::unused;
use crate::css::{self, Purge};
use crate::dom::{Dom, Element, NodeId};

/// A subtree that was taken out, and where it stood.
struct Removed {
    node: NodeId,
    parent: NodeId,
    next: Option<NodeId>,
}

impl Step for Removed {
    fn scope(&self, _: &Dom) -> NodeId {
        self.parent
    }

    fn undo(&self, dom: &mut Dom) {
        match self.next {
            Some(next) => dom.insert_before(next, self.node),
            None => dom.append(self.parent, self.node),
        }
    }

    fn removed(&self) -> NodeId {
        self.node
    }
}

/// Takes hidden subtrees out; says whether there were any.
pub(super) fn remove(dom: &mut Dom, purge: &Purge<'_>) -> bool {
    let candidates = candidates(dom, purge);
    if candidates.is_empty() {
        return false;
    }
    let Some(selectors) = purge.placed() else { return false };
    let before = css::matches(&selectors, dom);
    let mut steps = Vec::new();
    for node in candidates {
        let Some(parent) = dom.parent(node) else { continue };
        steps.push(Removed { node, parent, next: dom.next_sibling(node) });
        dom.detach(node);
    }
    let steps = undo::keep_harmless(dom, steps, &selectors, &before);
    for removed in &steps {
        dom.join_texts_in(removed.parent);
    }
    !steps.is_empty()
}

/// The outermost elements of hidden subtrees.
fn candidates(dom: &Dom, purge: &Purge<'_>) -> Vec<NodeId> {
    let displays = purge.displays(dom);
    let table = |nodes: &[NodeId]| {
        let mut table = vec![false; dom.size()];
        for node in nodes {
            table[node.index()] = true;
        }
        table
    };
    let (hidden, shown, shown_important) =
        (table(&displays.hidden), table(&displays.shown), table(&displays.shown_important));
    let needed = unused::Needed::of(dom, purge);
    let mut found = Vec::new();
    let Some(body) = dom.html_child(&local_name!("body")) else { return found };
    let mut next = dom.following(body, body, false);
    while let Some(node) = next {
        let is_hidden = dom.element(node).is_some_and(|element| {
            let (is_shown, is_shown_important) = (shown[node.index()], shown_important[node.index()]);
            let by_style = own_display(element);
            let is_hidden = if is_hidden_input(element) {
                true
            } else if !displays.is_known {
                false
            } else if let Some(display) = by_style {
                display == "none" && !is_shown_important
            } else {
                let by_attribute =
                    element.is_html() && element.get("hidden").is_some_and(|v| !v.eq_ignore_ascii_case("until-found"));
                (hidden[node.index()] || by_attribute) && !is_shown && !is_shown_important
            };
            is_hidden && may_go(dom, node, element) && !needed.is_any_in(dom, node)
        });
        if is_hidden {
            found.push(node);
        }
        next = dom.following(node, body, is_hidden);
    }
    found
}

/// The last `display` in the element's own style.
fn own_display(element: &Element) -> Option<String> {
    let style = element.get("style").filter(|style| style.contains("isplay") || style.contains("ISPLAY"))?;
    let mut found = None;
    for (name, value) in style.split(';').filter_map(|declaration| declaration.split_once(':')) {
        if name.trim().eq_ignore_ascii_case("display") {
            let value = value.split('!').next().unwrap_or_default().trim().to_ascii_lowercase();
            // Two of them: which one the browser takes depends on what it understands.
            found = Some(if found.is_some() { "unsure".to_owned() } else { value });
        }
    }
    found
}

fn is_hidden_input(element: &Element) -> bool {
    element.html_name() == Some(&local_name!("input"))
        && element.get("type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("hidden"))
}

/// Whether nothing but its own box depends on the element. Parts of controls, tables and drawings belong to these.
fn may_go(dom: &Dom, node: NodeId, element: &Element) -> bool {
    let is_part = dom.ancestors(node).any(|outer| {
        dom.element(outer).is_some_and(|outer| {
            !outer.is_html()
                || matches!(
                    outer.name.local,
                    local_name!("select")
                        | local_name!("datalist")
                        | local_name!("object")
                        | local_name!("ruby")
                        | local_name!("map")
                )
        })
    });
    let is_special = element.html_name().is_some_and(|name| {
        matches!(
            *name,
            local_name!("datalist")
                | local_name!("col")
                | local_name!("colgroup")
                | local_name!("map")
                | local_name!("summary")
                | local_name!("legend")
        )
    });
    !is_part && !is_special
}
