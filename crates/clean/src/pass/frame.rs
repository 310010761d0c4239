//! Boxes whose content comes from elsewhere: frames, video, audio, canvas.
//!
//! The element itself stays, empty: then it keeps the size that its attributes and the sheet give it, with every
//! selector that finds it. A neutral fill shows that something is missing.

use html5ever::local_name;

use super::Context;
use crate::dom::{Dom, NodeId};
use crate::resource::{NEUTRAL, css_pixels};

/// Most frames of a page; each is a document to the browser, and a thousand of them bring it to a stop.
const FRAMES_MAX: usize = 32;

pub(super) fn replace(dom: &mut Dom, context: &Context<'_>) {
    let nodes: Vec<NodeId> = dom.descendants(Dom::DOCUMENT).collect();
    let mut frames = 0;
    for node in nodes {
        let Some(name) = dom.element(node).and_then(|element| element.html_name()).cloned() else { continue };
        match name {
            local_name!("iframe") => {
                frames += 1;
                if frames > FRAMES_MAX || is_unseen(dom, node) {
                    dom.remove(node);
                    continue;
                }
                empty(dom, node);
                fill(dom, node);
            }
            local_name!("video") => {
                empty(dom, node);
                if !set_poster(dom, node, context) {
                    fill(dom, node);
                }
            }
            local_name!("audio") | local_name!("canvas") => empty(dom, node),
            _ => {}
        }
    }
}

/// Content of these shows only in browsers that do not know them.
fn empty(dom: &mut Dom, node: NodeId) {
    let children: Vec<NodeId> = dom.children(node).collect();
    for child in children {
        dom.detach(child);
    }
}

/// Frames of trackers: no larger than a dot, or hidden.
fn is_unseen(dom: &Dom, node: NodeId) -> bool {
    let Some(element) = dom.element(node) else { return false };
    let dot = |name: &str| element.get(name).and_then(css_pixels).is_some_and(|edge| edge <= 1.0);
    let style: String = element.get("style").unwrap_or_default().split_ascii_whitespace().collect();
    (dot("width") && dot("height")) || element.has("hidden") || style.to_ascii_lowercase().contains("display:none")
}

fn fill(dom: &mut Dom, node: NodeId) {
    let Some(element) = dom.element_mut(node) else { return };
    if let Some(filled) = filled(element.get("style").unwrap_or_default()) {
        element.set("style", &filled);
    }
}

/// The element's style with a neutral fill; `None` if it has a background of its own.
pub(crate) fn filled(style: &str) -> Option<String> {
    let style = style.trim();
    if style.contains("background") {
        return None;
    }
    let separator = if style.is_empty() || style.ends_with(';') { "" } else { ";" };
    Some(format!("{style}{separator}background-color:{NEUTRAL}"))
}

/// Puts the poster into the page; says whether there is one.
fn set_poster(dom: &mut Dom, node: NodeId, context: &Context<'_>) -> bool {
    let Some(element) = dom.element_mut(node) else { return false };
    let Some(poster) = element.get("poster").map(|poster| poster.trim().to_owned()) else { return false };
    if context.resources.keeps_data_url(&poster) {
        return true;
    }
    let own = context.resources.resolve(&poster, &context.base).and_then(|asset| context.resources.image(&asset, None));
    match own {
        Some(own) => element.set("poster", &own),
        None => element.remove("poster"),
    }
    element.has("poster")
}
