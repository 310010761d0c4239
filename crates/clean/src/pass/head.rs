//! The head in its final order: charset first, the one style sheet last, and no metadata that changes nothing.

use html5ever::local_name;

use crate::dom::{Dom, Element, NodeId};

/// Names of `<meta>` that change how the page is laid out or shown.
const SHOWN_META: &[&str] = &["viewport", "color-scheme", "supported-color-schemes"];

/// Takes metadata out wherever it stands, before white space around it is looked at.
pub(super) fn drop_idle(dom: &mut Dom) {
    let is_idle =
        |&node: &NodeId| dom.is(node, &local_name!("meta")) && !dom.element(node).is_some_and(changes_what_is_shown);
    let idle: Vec<NodeId> = dom.descendants(Dom::DOCUMENT).filter(is_idle).collect();
    for meta in idle {
        dom.remove(meta);
    }
}

pub(super) fn settle(dom: &mut Dom, css: &str) {
    let Some(head) = dom.html_child(&local_name!("head")) else { return };
    let charset = dom.add_element(local_name!("meta"));
    if let Some(element) = dom.element_mut(charset) {
        element.set("charset", "utf-8");
    }
    dom.prepend(head, charset);
    if !css.is_empty() {
        let style = dom.add_element(local_name!("style"));
        let text = dom.add_text(css);
        dom.append(style, text);
        dom.append(head, style);
    }
}

fn changes_what_is_shown(meta: &Element) -> bool {
    let name = meta.get("name").unwrap_or_default().trim();
    SHOWN_META.iter().any(|shown| shown.eq_ignore_ascii_case(name)) && !meta.has("http-equiv") && !meta.has("charset")
}
