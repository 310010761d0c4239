//! What the page says about itself, read before the passes take its metadata away.

use std::collections::BTreeSet;

use html5ever::local_name;
use item::{Attributes, Capture, name};
use url::Url;

use crate::dom::{Dom, Element};

/// Longest title, licence address or robots list that is kept: beyond are attacks, not titles.
const TEXT_CHARS_MAX: usize = 1000;

/// Title, language, robots directives and licence.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    pub(crate) title: String,
    pub(crate) lang: String,
    pub(crate) robots: String,
    pub(crate) license: String,
}

impl Signals {
    pub(crate) fn of(dom: &Dom, capture: &Capture, base: &Url) -> Self {
        let elements = || dom.descendants(Dom::DOCUMENT).filter_map(|node| dom.element(node)).filter(|e| e.is_html());
        let license = elements()
            .filter(|e| matches!(e.name.local, local_name!("a") | local_name!("link")) && e.has_word("rel", "license"))
            .find_map(|e| base.join(e.get("href")?.trim()).ok());
        Self {
            title: title(dom),
            lang: lang(dom, capture),
            robots: shortened(&robots(elements(), capture)),
            license: license.map(|url| shortened(url.as_str())).unwrap_or_default(),
        }
    }
    /// Adds what is told as it stands; the language is weighed against what the text is written in.
    pub(crate) fn describe(self, attributes: &mut Attributes) {
        attributes.set(name::TITLE, self.title);
        attributes.set(name::ROBOTS, self.robots);
        attributes.set(name::LICENSE, self.license);
    }
}

/// The first title, white space collapsed.
pub(crate) fn title(dom: &Dom) -> String {
    let title = dom.descendants(Dom::DOCUMENT).find(|&node| dom.is(node, &local_name!("title")));
    let title = title.map(|node| dom.text_below(node)).unwrap_or_default();
    shortened(&title.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn shortened(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

/// Primary tag of `<html lang>`, else of the header if that names one language.
fn lang(dom: &Dom, capture: &Capture) -> String {
    let declared = dom.html().and_then(|html| dom.element(html)).and_then(|html| {
        let xml = html.attributes.iter().find(|a| &*a.name.local == "xml:lang").map(|a| &*a.value);
        html.get("lang").or(xml)
    });
    let header = capture.header("content-language").filter(|list| !list.contains(','));
    [declared, header].into_iter().flatten().find_map(primary_tag).unwrap_or_default()
}

fn primary_tag(tag: &str) -> Option<String> {
    let primary = tag.trim().split(['-', '_']).next()?.to_ascii_lowercase();
    let is_tag = (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_lowercase());
    is_tag.then_some(primary)
}

/// Directives of the page and its headers: each once, sorted. Those for one crawler only are left out, but Google's.
fn robots<'a>(elements: impl Iterator<Item = &'a Element>, capture: &Capture) -> String {
    let is_robots = |e: &&Element| {
        let name = e.get("name").unwrap_or_default().trim();
        e.name.local == local_name!("meta")
            && (name.eq_ignore_ascii_case("robots") || name.eq_ignore_ascii_case("googlebot"))
    };
    let in_page = elements.filter(is_robots).filter_map(|e| e.get("content"));
    let in_headers = capture.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-robots-tag"));
    let directives: BTreeSet<String> = in_page
        .chain(in_headers.map(|(_, value)| value.as_str()))
        .flat_map(|list| list.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase())
        .filter(|directive| !directive.is_empty())
        .collect();
    directives.into_iter().collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::primary_tag;

    #[test]
    fn a_primary_tag_is_two_or_three_letters() {
        let check = |tag: &str, expected: Option<&str>| assert_eq!(primary_tag(tag).as_deref(), expected, "{tag}");
        check("en-US", Some("en"));
        check(" DE_at ", Some("de"));
        check("gsw", Some("gsw"));
        check("english", None);
        check("{{lang}}", None);
        check("", None);
    }
}
