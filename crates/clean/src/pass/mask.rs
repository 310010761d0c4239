//! Personal data is masked where it is shown, and where the code says the same again: in links, in the values and names of
//! controls. Done before the page is rendered, so that picture and code agree.

use html5ever::local_name;

use super::Context;
use crate::dom::{Dom, Element, NodeId};
use crate::mask::{Masker, Place};
use crate::policy;

/// Attributes that are shown or read out, sorted.
const SHOWN: &[&str] = &[
    "alt",
    "aria-description",
    "aria-label",
    "aria-placeholder",
    "aria-valuetext",
    "content",
    "label",
    "placeholder",
    "summary",
    "title",
    "value",
];

/// Schemes of links to a phone number.
const PHONE_SCHEMES: &[&str] = &["tel", "sms"];

/// What stands before a phone number in other links: parameters, and the address of a messenger.
const PHONE_MARKS: &[&str] = &["//wa.me/", "?phone=", "&phone=", "?tel=", "&tel="];

/// What a content delivery network makes of links to mailboxes: the address follows, in a code that any reader can undo.
const CODED_ADDRESS: &str = "/cdn-cgi/l/email-protection#";

/// The pass; it does nothing without masks.
pub(super) struct Mask<'a> {
    masker: Option<Masker<'a>>,
}

impl<'a> Mask<'a> {
    pub(super) fn of(context: &Context<'a>) -> Self {
        let masks = &context.resources.policy.text.mask;
        Self { masker: (!masks.is_empty()).then(|| Masker::new(masks)) }
    }

    pub(super) fn masked(&self) -> usize {
        self.masker.as_ref().map_or(0, |masker| masker.masked)
    }

    /// Masks texts and attributes, numbered in document order.
    pub(super) fn page(&mut self, dom: &mut Dom) {
        let Some(masker) = &mut self.masker else { return };
        let nodes: Vec<NodeId> = dom.descendants(Dom::DOCUMENT).collect();
        let mut phone_links = Vec::new();
        for &node in &nodes {
            if let Some(text) = dom.text(node) {
                masker.reserve(text);
            }
            let Some(element) = dom.element(node) else { continue };
            for attribute in element.attributes.iter().filter(|a| is_shown(&a.name.local) || is_href(&a.name.local)) {
                masker.reserve(&attribute.value);
            }
            if masker.has(policy::Mask::Phone)
                && let Some(number) = phone_link(element)
            {
                masker.know_phone(&number);
                phone_links.push((node, number));
            }
        }
        for (link, number) in phone_links {
            mask_link_text(dom, link, &number, masker);
        }
        for node in nodes {
            mask_text(dom, node, masker);
            mask_attributes(dom, node, masker);
        }
    }

    /// Masks what has become of the texts.
    pub(super) fn texts(&mut self, dom: &mut Dom) {
        let Some(masker) = &mut self.masker else { return };
        let texts: Vec<NodeId> = dom.descendants(Dom::DOCUMENT).filter(|&node| dom.text(node).is_some()).collect();
        for node in texts {
            mask_text(dom, node, masker);
        }
    }
}

fn mask_text(dom: &mut Dom, node: NodeId, masker: &mut Masker<'_>) {
    let Some(text) = dom.text(node) else { return };
    let is_sheet = || dom.parent(node).is_some_and(|parent| dom.is(parent, &local_name!("style")));
    let masked = if is_sheet() { None } else { masker.mask(text, Place::Text) };
    if let Some(masked) = masked {
        dom.set_text(node, &masked);
    }
}

/// The text of a link to a number, where it is that number: all of it together, or in one of its texts.
fn mask_link_text(dom: &mut Dom, link: NodeId, number: &str, masker: &mut Masker<'_>) {
    let is_number = crate::mask::is_same_phone(&dom.text_below(link), number);
    let texts: Vec<NodeId> = dom.descendants(link).filter(|&node| dom.text(node).is_some()).collect();
    for node in texts {
        let text = dom.text(node).unwrap_or_default();
        let masked = if is_number { masker.mask_phone(text) } else { masker.mask_phone_in(text, number) };
        if let Some(masked) = masked {
            dom.set_text(node, &masked);
        }
    }
}

fn mask_attributes(dom: &mut Dom, node: NodeId, masker: &mut Masker<'_>) {
    let Some(element) = dom.element_mut(node) else { return };
    for attribute in &mut element.attributes {
        let name = &*attribute.name.local;
        let masked = if is_href(name) {
            mask_href(&attribute.value, masker)
        } else if is_shown(name) {
            masker.mask(&attribute.value, Place::Text)
        } else {
            None
        };
        if let Some(masked) = masked {
            attribute.value = masked.as_str().into();
        }
    }
}

/// In a link to a mailbox all is looked at; in others what names the server, and the query.
fn mask_href(href: &str, masker: &mut Masker<'_>) -> Option<String> {
    if masker.has(policy::Mask::Email)
        && let Some(at) = href.find(CODED_ADDRESS)
    {
        masker.masked += 1;
        return Some(href[..at + CODED_ADDRESS.len() - 1].to_owned());
    }
    let is_mail = scheme(href).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto"));
    if is_mail {
        return masker.mask(&unescaped(href), Place::Text);
    }
    let mut changed = false;
    let mut masked = href.to_owned();
    let mut mask = |masked: &mut String, range: std::ops::Range<usize>, masker: &mut Masker<'_>, place: Place| {
        if let Some(part) = masked.get(range.clone()).and_then(|part| masker.mask(part, place)) {
            masked.replace_range(range, &part);
            changed = true;
        }
    };
    // From the end, so that places stay what they are.
    let query = href.find('?').unwrap_or(href.len());
    mask(&mut masked, query..href.len(), masker, Place::Link);
    mask(&mut masked, server(href), masker, Place::Link);
    if masker.has(policy::Mask::Phone)
        && let Some(range) = phone_range(&masked)
        && let Some(number) = masker.mask_phone(&masked[range.clone()])
    {
        masked.replace_range(range, &number);
        changed = true;
    }
    changed.then_some(masked)
}

/// The link without escapes that it does not need: some pages escape every letter of an address.
fn unescaped(href: &str) -> String {
    let mut out = String::with_capacity(href.len());
    let mut rest = href;
    while let Some(at) = rest.find('%') {
        let byte = rest.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push_str(&rest[..at]);
        let plain = byte.map(char::from).filter(|&c| c.is_ascii_alphanumeric() || "@.-_+".contains(c));
        out.push(plain.unwrap_or('%'));
        rest = &rest[at + if plain.is_some() { 3 } else { 1 }..];
    }
    out.push_str(rest);
    out
}

/// The name of the server in a link, and who logs in to it.
fn server(href: &str) -> std::ops::Range<usize> {
    let before_query = &href[..href.find(['?', '#']).unwrap_or(href.len())];
    let Some(start) = before_query.find("//").map(|at| at + 2) else { return 0..0 };
    let end = before_query[start..].find('/').map_or(before_query.len(), |length| start + length);
    start..end
}

fn scheme(href: &str) -> Option<&str> {
    let (scheme, _) = href.split_once(':')?;
    let scheme = scheme.trim_start_matches(|c: char| c <= ' ');
    scheme.bytes().all(|byte| byte.is_ascii_alphabetic()).then_some(scheme)
}

/// Where the phone number stands in a link to one.
fn phone_range(href: &str) -> Option<std::ops::Range<usize>> {
    if scheme(href).is_some_and(|scheme| PHONE_SCHEMES.iter().any(|phone| phone.eq_ignore_ascii_case(scheme))) {
        let start = href.find(':')? + 1;
        return Some(start..href.find('?').filter(|&end| end >= start).unwrap_or(href.len()));
    }
    let start = PHONE_MARKS.iter().find_map(|mark| Some(href.find(mark)? + mark.len()))?;
    let length = href[start..].find(['&', '#', '?', '/']).unwrap_or(href.len() - start);
    Some(start..start + length)
}

fn phone_link(element: &Element) -> Option<String> {
    let href = element.attributes.iter().find(|a| is_href(&a.name.local))?;
    let number = &href.value[phone_range(&href.value)?];
    let mut digits = String::new();
    let mut rest = number;
    while let Some(at) = rest.find('%') {
        digits.push_str(&rest[..at]);
        rest = rest.get(at + 3..).unwrap_or_default();
    }
    digits.push_str(rest);
    // An extension is not part of the number that is shown.
    let number = digits.split(';').next().unwrap_or_default();
    let number: String = number.chars().filter(char::is_ascii_digit).collect();
    (!number.is_empty()).then_some(number)
}

fn is_href(name: &str) -> bool {
    name == "href"
}

fn is_shown(name: &str) -> bool {
    SHOWN.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{SHOWN, server};

    #[test]
    fn lists_are_sorted() {
        assert!(SHOWN.is_sorted());
    }

    #[test]
    fn the_server_of_a_link() {
        let check = |href: &str, expected: &str| assert_eq!(&href[server(href)], expected, "{href}");
        check("https://a@b.c/d?e", "a@b.c");
        check("//b.c", "b.c");
        check("d?e=//f", "");
        check("mailto:a@b.c", "");
    }
}
