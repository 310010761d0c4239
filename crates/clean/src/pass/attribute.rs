//! Attributes: what carries meaning or look stays, what acts, tracks or fetches goes.
//!
//! HTML attributes are kept by a list of known ones, so that what is invented tomorrow to fetch something is dropped
//! today. SVG and MathML have hundreds of harmless ones, so theirs are dropped by rule.

use std::borrow::Cow;
use std::collections::HashSet;

use html5ever::{Attribute, local_name, ns};

use super::Context;
use super::image::SOURCE_ATTRIBUTE;
use crate::ImagePolicy;
use crate::css::{rewrite_attribute_value, rewrite_declarations};
use crate::data_url::is_data_url;
use crate::dom::{Dom, Element, NodeId};

/// HTML attributes that stay, sorted. Beside them stay `aria-*` and what the page's selectors name.
const KEPT: &[&str] = &[
    "abbr",
    "align",
    "alink",
    "alt",
    "background",
    "behavior",
    "bgcolor",
    "bgproperties",
    "border",
    "bordercolor",
    "cellpadding",
    "cellspacing",
    "char",
    "charoff",
    "checked",
    "class",
    "clear",
    "color",
    "cols",
    "colspan",
    "compact",
    "content",
    "contenteditable",
    "controls",
    "controlslist",
    "coords",
    "datetime",
    "default",
    "dir",
    "direction",
    "disabled",
    "disablepictureinpicture",
    "face",
    "for",
    "form",
    "frame",
    "frameborder",
    "headers",
    "height",
    "hidden",
    "high",
    "href",
    "hspace",
    "id",
    "inert",
    "label",
    "lang",
    "leftmargin",
    "link",
    "list",
    "loop",
    "low",
    "marginheight",
    "marginwidth",
    "max",
    "maxlength",
    "min",
    "minlength",
    "multiple",
    "muted",
    "name",
    "noshade",
    "nowrap",
    "open",
    "optimum",
    "pattern",
    "placeholder",
    "popover",
    "poster",
    "readonly",
    "required",
    "reversed",
    "role",
    "rows",
    "rowspan",
    "rules",
    "scope",
    "scrolling",
    "selected",
    "shape",
    "size",
    "span",
    "src",
    "start",
    "step",
    "style",
    "summary",
    "text",
    "title",
    "topmargin",
    "type",
    "usemap",
    "valign",
    "value",
    "vlink",
    "vspace",
    "width",
    "wrap",
];

/// What even a selector does not keep: it fetches, sends or acts. `on*` beside it.
const NEVER: &[&str] = &[
    "action",
    "archive",
    "autofocus",
    "autoplay",
    "cite",
    "classid",
    "code",
    "codebase",
    "data",
    "dynsrc",
    "formaction",
    "http-equiv",
    "icon",
    "imagesrcset",
    "longdesc",
    "lowsrc",
    "manifest",
    "ping",
    "profile",
    "srcdoc",
    "srcset",
    "xmlns",
];

/// Attributes whose value a browser would fetch; only data URLs may stand there.
const FETCHED: &[&str] = &["background", "poster", "src"];

/// Schemes of links that stay. A link is not followed when a page is rendered, so any address is harmless.
const LINK_SCHEMES: &[&str] = &["http", "https", "mailto", "tel", "sms", "ftp"];

pub(super) fn filter(dom: &mut Dom, context: &Context<'_>, names: &HashSet<String>) {
    let elements: Vec<NodeId> = dom.descendants(Dom::DOCUMENT).filter(|&node| dom.element(node).is_some()).collect();
    for node in elements {
        let Some(element) = dom.element_mut(node) else { continue };
        let attributes = std::mem::take(&mut element.attributes);
        let kept = attributes.into_iter().filter_map(|attribute| {
            if element.is_html() {
                html_attribute(element, attribute, context, names)
            } else {
                foreign_attribute(element, attribute, context, names)
            }
        });
        let mut kept: Vec<Attribute> = kept.collect();
        if is_hidden_input(&kept, element) {
            // Tokens and view states: long, private, and never shown.
            kept.retain(|attribute| &*attribute.name.local != "value");
        }
        element.attributes = kept;
    }
}

fn html_attribute(
    element: &Element,
    mut attribute: Attribute,
    context: &Context<'_>,
    names: &HashSet<String>,
) -> Option<Attribute> {
    let name = &*attribute.name.local;
    let is_known = KEPT.binary_search(&name).is_ok() || name.starts_with("aria-");
    let is_charset = name == "charset" && element.name.local == local_name!("meta");
    let is_source = name == SOURCE_ATTRIBUTE
        && context.resources.policy.images == ImagePolicy::Original
        && super::image::is_image(element);
    if is_forbidden(name) || !(is_known || is_charset || is_source || names.contains(name)) {
        return None;
    }
    let value = &*attribute.value;
    let replaced = match name {
        "style" => Some(rewrite_declarations(value, &context.base, context.resources)),
        "href" => {
            let is_link = matches!(element.name.local, local_name!("a") | local_name!("area"));
            Some(is_link.then(|| harmless_link(value))?.into_owned())
        }
        "background" if !is_data_url(value) => {
            let asset = context.resources.resolve(value, &context.base)?;
            Some(context.resources.image(&asset, None)?)
        }
        _ if FETCHED.contains(&name) && !context.resources.keeps_data_url(value) => return None,
        _ => None,
    };
    if let Some(replaced) = replaced {
        if replaced.is_empty() && name == "style" {
            return None;
        }
        attribute.value = replaced.as_str().into();
    }
    Some(attribute)
}

fn foreign_attribute(
    element: &Element,
    mut attribute: Attribute,
    context: &Context<'_>,
    names: &HashSet<String>,
) -> Option<Attribute> {
    let name = &*attribute.name.local;
    let value = &*attribute.value;
    if attribute.name.ns == ns!(xmlns) || (attribute.name.ns == ns!(xml) && name == "base") {
        return None;
    }
    if name == "href" {
        let local = value.trim_start().starts_with('#');
        let is_image = super::image::is_image(element) && context.resources.keeps_data_url(value);
        if &*element.name.local == "a" {
            attribute.value = harmless_link(value).as_ref().into();
        } else if !(local || is_image) {
            return None;
        }
        return Some(attribute);
    }
    let lower = name.to_ascii_lowercase();
    if is_forbidden(&lower) || lower == "src" || (needs_a_selector(name, false) && !names.contains(&lower)) {
        return None;
    }
    if lower == "style" {
        let style = rewrite_declarations(value, &context.base, context.resources);
        if style.is_empty() {
            return None;
        }
        attribute.value = style.as_str().into();
    } else if value.contains('(') {
        attribute.value = rewrite_attribute_value(value, &context.base, context.resources).as_str().into();
    }
    Some(attribute)
}

/// Whether an attribute stays only because a selector names it.
pub(super) fn needs_a_selector(name: &str, is_html: bool) -> bool {
    if !is_html {
        let lower = name.to_ascii_lowercase();
        return lower.contains(':') || lower.starts_with("data-");
    }
    !(KEPT.binary_search(&name).is_ok() || name.starts_with("aria-") || name == "charset" || name == SOURCE_ATTRIBUTE)
}

fn is_forbidden(name: &str) -> bool {
    name.starts_with("on") || NEVER.binary_search(&name).is_ok()
}

fn is_hidden_input(attributes: &[Attribute], element: &Element) -> bool {
    element.html_name() == Some(&local_name!("input"))
        && attributes.iter().any(|a| &*a.name.local == "type" && a.value.trim().eq_ignore_ascii_case("hidden"))
}

/// The link as it is, or `#` in place of one that would run or embed something; it still looks like a link.
fn harmless_link(href: &str) -> Cow<'_, str> {
    // Browsers skip these characters when they look for the scheme.
    let seen: String = href
        .trim_start_matches(|c: char| c <= ' ')
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .take_while(|c| !matches!(c, '/' | '?' | '#'))
        .collect();
    match seen.split_once(':') {
        Some((scheme, _)) if !LINK_SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) => Cow::Borrowed("#"),
        _ => Cow::Borrowed(href),
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, NEVER, harmless_link};

    #[test]
    fn lists_are_sorted() {
        assert!(KEPT.is_sorted());
        assert!(NEVER.is_sorted());
    }

    #[test]
    fn links_that_run_become_empty() {
        let check = |href: &str, expected: &str| assert_eq!(harmless_link(href), expected, "{href}");
        check("a/b.html?x=y:z", "a/b.html?x=y:z");
        check("https://example.com/", "https://example.com/");
        check("#top", "#top");
        check("JavaScript:void(0)", "#");
        check(" \u{1}java\nscript:x", "#");
        check("data:text/html,x", "#");
    }
}
