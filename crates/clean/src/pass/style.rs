//! Takes every style sheet of the page out of its place, in document order.
//!
//! The order of sheets decides the cascade, so it is the one thing that is kept; where in the document a sheet stood
//! does not matter to it.

use html5ever::{LocalName, local_name};

use super::Context;
use crate::css::Sheets;
use crate::dom::{Dom, Element, NodeId};

pub(super) fn take<'r>(dom: &mut Dom, context: &Context<'r>) -> Sheets<'r> {
    let holders: Vec<NodeId> = dom.descendants(Dom::DOCUMENT).filter(|&node| is_sheet_holder(dom, node)).collect();
    let mut sheets = Sheets::new(context.resources);
    let mut preferred: Option<String> = None;
    for holder in holders {
        if let Some(element) = dom.element(holder)
            && applies(element, &mut preferred)
        {
            let media = element.get("media").unwrap_or_default();
            if is_style(element) {
                sheets.embedded(dom.text_below(holder), &context.base, media);
            } else {
                sheets.linked(element.get("href").unwrap_or_default(), &context.base, media);
            }
        }
        dom.remove(holder);
    }
    sheets
}

fn is_style(element: &Element) -> bool {
    element.name.local == local_name!("style")
}

fn is_sheet_holder(dom: &Dom, node: NodeId) -> bool {
    dom.element(node).is_some_and(|element| is_style(element) || element.html_name().is_some_and(is_link))
}

fn is_link(name: &LocalName) -> bool {
    *name == local_name!("link")
}

/// Whether a `<link>` is a style sheet that browsers load.
pub(super) fn is_sheet_link(element: &Element) -> bool {
    element.has_word("rel", "stylesheet")
        && !element.has_word("rel", "alternate")
        && !element.has("disabled")
        && element.get("href").is_some_and(|href| !href.trim().is_empty())
}

/// Whether the sheet counts: it is CSS and does not belong to a set that the user would have to choose.
fn applies(element: &Element, preferred: &mut Option<String>) -> bool {
    // Browsers take a link's type for a MIME type, and a style's for a word: `text/css ` is none.
    let kind = element.get("type").unwrap_or_default();
    let mime = if is_link(&element.name.local) { kind.split(';').next().unwrap_or_default().trim() } else { kind };
    if !mime.is_empty() && !mime.eq_ignore_ascii_case("text/css") {
        return false;
    }
    // The first title names the preferred set, the others are alternates.
    match element.get("title").map(str::trim).filter(|title| !title.is_empty() && element.is_html()) {
        Some(title) => preferred.get_or_insert_with(|| title.to_owned()) == title,
        None => true,
    }
}

/// `</style` would end the element. In CSS an escaped slash is the same slash.
pub(super) fn closing_tag_escaped(css: String) -> String {
    const TAG: &str = "</style";
    let is_tag_at = |at: usize| css.get(at..at + TAG.len()).is_some_and(|text| text.eq_ignore_ascii_case(TAG));
    let places: Vec<usize> = css.match_indices("</").map(|(at, _)| at).filter(|&at| is_tag_at(at)).collect();
    if places.is_empty() {
        return css;
    }
    let mut escaped = String::with_capacity(css.len() + places.len());
    let mut written = 0;
    for at in places {
        escaped.push_str(&css[written..=at]);
        escaped.push('\\');
        written = at + 1;
    }
    escaped.push_str(&css[written..]);
    escaped
}
