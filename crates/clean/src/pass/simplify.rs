//! Less code for the same look: what no rule uses, and what is never shown, goes.

use super::{Context, attribute, collapse, hidden, path, space, unused, why};
use crate::Level;
use crate::css::{self, Format, Piece, Purge};
use crate::dom::Dom;

/// Most rounds of taking away hidden subtrees and the rules that only they used. Real pages take one or two.
const ROUNDS_MAX: usize = 4;

/// Simplifies the tree; gives the sheet's text, and the share of classes that had a rule.
pub(super) fn run(dom: &mut Dom, context: &Context<'_>, pieces: &[Piece]) -> (String, f64) {
    let policy = context.resources.policy;
    // More than the used rules name, so that all selectors find what they look for; the rest goes when they are known.
    attribute::filter(dom, context, &css::attributes_named(pieces));
    context.step(dom, why::ATTRIBUTE);
    let mut purge = Purge::read(pieces, dom, &policy.viewport_widths);
    purge.close(&inline_style(dom));
    for _ in 0..ROUNDS_MAX {
        if !hidden::remove(dom, &purge) {
            break;
        }
        purge.recheck(dom);
        purge.close(&inline_style(dom));
    }
    context.step(dom, why::HIDDEN);
    unused::drop(dom, &purge);
    context.step(dom, why::UNUSED);
    if policy.level >= Level::Compact {
        for _ in 0..ROUNDS_MAX {
            if !collapse::run(dom, &purge) {
                break;
            }
            // Texts that stood apart are neighbours now, and further wrappers may be plain.
            dom.may_not_round_trip = true;
            context.step(dom, why::WRAPPER);
            purge.recheck(dom);
            purge.close(&inline_style(dom));
            unused::drop(dom, &purge);
            context.step(dom, why::UNUSED);
        }
    }
    path::shorten(dom);
    let format = if policy.level == Level::Compact { Format::Dense } else { Format::Readable };
    space::settle(dom, &purge, format);
    (purge.write(context.resources, format), purge.coverage)
}

/// Every declaration that stands in the page itself, one text.
fn inline_style(dom: &Dom) -> String {
    let mut text = String::new();
    for element in dom.descendants(Dom::DOCUMENT).filter_map(|node| dom.element(node)) {
        for attribute in &element.attributes {
            let name = &*attribute.name.local;
            let is_style = matches!(name, "style" | "face" | "font-family");
            if is_style || (!element.is_html() && attribute.value.contains("var(")) {
                text.push_str(&attribute.value);
                text.push('\n');
            }
        }
    }
    text
}
