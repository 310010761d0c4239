//! Wrappers that change nothing: a plain `<div>` around one block, in a block.
//!
//! A wrapper goes if nothing is said of it that shows, if it stands in ordinary block flow, and if what it holds takes
//! neither its size nor its place from it. Then the box of the one is the box of the other, and margins collapse through
//! it. Every selector must match the same elements without it.

use html5ever::local_name;

use super::undo::{self, Step};
use crate::css::{self, Declared, Purge};
use crate::dom::{Dom, Element, Mode, NodeId};

/// Properties that show nothing on a box without size, border and text of its own.
const HARMLESS: &[&str] = &["-webkit-box-sizing", "-webkit-tap-highlight-color", "box-sizing", "outline"];

/// Values of the usual resets, which are what a `<div>` has anyway.
const INITIAL: &[(&str, &[&str])] = &[
    ("background", &["none", "transparent"]),
    ("border", &["0", "none"]),
    ("border-width", &["0"]),
    ("font", &["inherit"]),
    ("font-size", &["100%"]),
    ("margin", &["0", "0px"]),
    ("padding", &["0", "0px"]),
    ("text-decoration", &["none"]),
    ("vertical-align", &["baseline"]),
];

/// A wrapper that was taken away.
struct Unwrapped {
    wrapper: NodeId,
    child: NodeId,
    /// White space that stood behind the child.
    next: Option<NodeId>,
}

impl Step for Unwrapped {
    fn scope(&self, dom: &Dom) -> NodeId {
        dom.parent(self.child).unwrap_or(self.child)
    }

    fn undo(&self, dom: &mut Dom) {
        dom.insert_before(self.child, self.wrapper);
        match self.next {
            Some(next) => dom.insert_before(next, self.child),
            None => dom.append(self.wrapper, self.child),
        }
    }

    fn removed(&self) -> NodeId {
        self.wrapper
    }
}

/// Takes wrappers away; says whether there were any.
pub(super) fn run(dom: &mut Dom, purge: &Purge<'_>) -> bool {
    // In quirks mode margins collapse by other rules.
    if dom.mode == Mode::Quirks {
        return false;
    }
    let (Some(styled), Some(containers), Some(placed)) = (
        purge.declared(dom, |d| !is_harmless(d)),
        purge.declared(dom, breaks_flow_inside),
        purge.declared(dom, depends_on_parent),
    ) else {
        return false;
    };
    let Some(selectors) = purge.related() else { return false };
    let before = css::matches(&selectors, dom);
    let table = |nodes: &[NodeId]| {
        let mut table = vec![false; dom.size()];
        for node in nodes {
            table[node.index()] = true;
        }
        table
    };
    let (styled, containers, placed) = (table(&styled), table(&containers), table(&placed));
    let Some(body) = dom.html_child(&local_name!("body")) else { return false };
    let nodes: Vec<NodeId> = dom.descendants(body).collect();
    let mut steps = Vec::new();
    // Innermost first, so that chains shrink to what they hold.
    for &wrapper in nodes.iter().rev() {
        let is_plain = dom.is(wrapper, &local_name!("div"))
            && !styled[wrapper.index()]
            && dom.element(wrapper).is_some_and(|element| element.attributes.is_empty());
        if !is_plain {
            continue;
        }
        let (Some(parent), Some(child)) = (dom.parent(wrapper), only_child(dom, wrapper)) else { continue };
        let is_in_flow = !containers[parent.index()] && dom.element(parent).is_some_and(is_block_container);
        let is_free = !placed[child.index()] && dom.element(child).is_some_and(is_free_block);
        if is_in_flow && is_free {
            let next = dom.next_sibling(child);
            dom.insert_before(wrapper, child);
            dom.detach(wrapper);
            steps.push(Unwrapped { wrapper, child, next });
        }
    }
    !undo::keep_harmless(dom, steps, &selectors, &before).is_empty()
}

/// The one element in the wrapper, if there is nothing beside it but white space.
fn only_child(dom: &Dom, wrapper: NodeId) -> Option<NodeId> {
    let mut only = None;
    for child in dom.children(wrapper) {
        match dom.text(child) {
            Some(text) if text.chars().all(|c| matches!(c, ' ' | '\t' | '\n')) => {}
            Some(_) => return None,
            None if only.is_some() => return None,
            None => only = Some(child),
        }
    }
    only
}

fn is_harmless(declaration: Declared<'_>) -> bool {
    let (name, value) = (declaration.name(), declaration.value());
    HARMLESS.contains(&name.as_str())
        || INITIAL.iter().any(|(known, values)| *known == name && values.contains(&value.as_str()))
}

/// Makes children something else than blocks in a flow, or could.
fn breaks_flow_inside(declaration: Declared<'_>) -> bool {
    match declaration.name().as_str() {
        "display" => {
            !matches!(declaration.value().as_str(), "block" | "none" | "inline-block" | "list-item" | "flow-root")
        }
        "all"
        | "columns"
        | "column-count"
        | "column-width"
        | "-webkit-column-count"
        | "writing-mode"
        | "line-clamp"
        | "-webkit-line-clamp" => true,
        _ => false,
    }
}

/// Takes size or place from the parent in a way that a wrapper could change.
fn depends_on_parent(declaration: Declared<'_>) -> bool {
    let name = declaration.name();
    match name.as_str() {
        "display" => declaration.value() != "block",
        "height" | "min-height" | "max-height" | "block-size" => {
            let value = declaration.value();
            !value.strip_suffix("px").unwrap_or(&value).bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        }
        "all" | "float" | "position" | "clear" | "grid-area" | "writing-mode" | "zoom" => true,
        _ => name.starts_with("break-") || name.starts_with("page-break") || name.starts_with("column"),
    }
}

fn is_block_container(element: &Element) -> bool {
    let has_own_display = element.get("style").is_some_and(|style| {
        let style = style.to_ascii_lowercase();
        ["display", "column", "writing-mode", "all"].iter().any(|word| style.contains(word))
    });
    !has_own_display
        && element.html_name().is_some_and(|name| {
            matches!(
                &**name,
                "article"
                    | "aside"
                    | "blockquote"
                    | "body"
                    | "dd"
                    | "div"
                    | "figure"
                    | "footer"
                    | "form"
                    | "header"
                    | "li"
                    | "main"
                    | "nav"
                    | "section"
            )
        })
}

fn is_free_block(element: &Element) -> bool {
    let has_own_place = element.get("style").is_some_and(|style| {
        let style = style.to_ascii_lowercase();
        ["display", "height", "float", "position", "clear", "block-size", "all"].iter().any(|word| style.contains(word))
    });
    !has_own_place
        && !element.has("hidden")
        && !element.has("popover")
        && element.html_name().is_some_and(|name| {
            matches!(
                &**name,
                "article"
                    | "aside"
                    | "blockquote"
                    | "div"
                    | "dl"
                    | "figure"
                    | "footer"
                    | "form"
                    | "h1"
                    | "h2"
                    | "h3"
                    | "h4"
                    | "h5"
                    | "h6"
                    | "header"
                    | "main"
                    | "nav"
                    | "ol"
                    | "p"
                    | "section"
                    | "ul"
            )
        })
}
