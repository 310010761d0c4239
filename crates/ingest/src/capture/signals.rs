//! What a page and its server say about its use: robots directives, reservations of text and data mining, licences.
//!
//! Headers count as they stand. In the page only a handful of tags matter, so they are looked for by themselves: no tree is
//! built, and what stands in comments and scripts is passed over.

use item::{Attributes, Rejection, Rule, name};
use serde::{Deserialize, Serialize};

use crate::http::HttpHead;

/// The robots directives ask search engines not to show the page.
pub const ROBOTS_NOINDEX: Rule = Rule {
    name: "robots-noindex",
    meaning: "The robots directives of the page or its server say `noindex` or `none`.",
};
/// The page asks not to be used for artificial intelligence.
pub const ROBOTS_NOAI: Rule =
    Rule { name: "robots-noai", meaning: "The robots directives of the page or its server say `noai`." };
/// The page asks that its images not be used for artificial intelligence.
pub const ROBOTS_NOIMAGEAI: Rule =
    Rule { name: "robots-noimageai", meaning: "The robots directives of the page or its server say `noimageai`." };
/// The rights holder reserves text and data mining.
pub const TDM_RESERVED: Rule = Rule {
    name: "tdm-reserved",
    meaning: "The page or its server reserves text and data mining (`tdm-reservation: 1`).",
};

/// Longest value that is kept: beyond are attacks, not addresses.
const VALUE_CHARS_MAX: usize = 1000;
/// Crawlers whose own directives count for us, besides those for everybody: we use what the first one fetched.
const AGENTS: &[&str] = &["*", "robots", "ccbot"];

/// Which signals reject a page.
#[expect(clippy::struct_excessive_bools, reason = "one switch a signal")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignalPolicy {
    /// `noindex` and `none` in robots directives.
    pub reject_noindex: bool,
    /// `noai` in robots directives.
    pub reject_noai: bool,
    /// `noimageai` in robots directives.
    pub reject_noimageai: bool,
    /// `tdm-reservation: 1`.
    pub reject_tdm_reserved: bool,
}

impl Default for SignalPolicy {
    /// What speaks of training and mining is obeyed; `noindex` speaks of search results.
    fn default() -> Self {
        Self { reject_noindex: false, reject_noai: true, reject_noimageai: true, reject_tdm_reserved: true }
    }
}

/// What was said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Signals {
    /// Robots directives, lower case, each once, in order.
    robots: Vec<String>,
    tdm_reserved: bool,
    tdm_policy: Option<String>,
    license: Option<String>,
    canonical: Option<String>,
    server: Option<String>,
    language: Option<String>,
}

impl Signals {
    /// Reads the headers and the page.
    pub(super) fn of(head: &HttpHead, html: &str) -> Self {
        let last = |name: &str| head.all(name).next_back().map(shortened).filter(|value| !value.is_empty());
        let mut signals = Self {
            tdm_reserved: last("tdm-reservation").as_deref() == Some("1"),
            tdm_policy: last("tdm-policy"),
            server: last("server"),
            language: last("content-language"),
            ..Self::default()
        };
        for value in head.all("x-robots-tag") {
            signals.add_header_directives(value);
        }
        for value in head.all("link") {
            for link in value.split(',') {
                signals.add_header_link(link);
            }
        }
        for tag in Tags::new(html) {
            signals.add_tag(&tag);
        }
        signals
    }

    /// `noindex, nofollow` or `ccbot: noindex`.
    fn add_header_directives(&mut self, value: &str) {
        let mut is_ours = true;
        for directive in value.split(',') {
            let directive = match directive.split_once(':') {
                Some((agent, rest)) if is_agent(agent) => {
                    is_ours = AGENTS.contains(&agent.trim().to_ascii_lowercase().as_str());
                    rest
                }
                _ => directive,
            };
            if is_ours {
                self.add_directive(directive);
            }
        }
    }

    fn add_directive(&mut self, directive: &str) {
        let directive = shortened(&directive.to_ascii_lowercase());
        if !directive.is_empty() && !self.robots.contains(&directive) {
            self.robots.push(directive);
        }
    }

    /// `<https://a.example/>; rel="license"`
    fn add_header_link(&mut self, link: &str) {
        let Some((target, parameters)) = link.trim().strip_prefix('<').and_then(|link| link.split_once('>')) else {
            return;
        };
        let rel = parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("rel").then(|| value.trim().trim_matches('"').to_ascii_lowercase())
        });
        self.add_link(&rel.unwrap_or_default(), target);
    }

    fn add_link(&mut self, rel: &str, target: &str) {
        let mut rels = rel.split_ascii_whitespace();
        let place = if rels.clone().any(|rel| rel == "license") {
            &mut self.license
        } else if rels.any(|rel| rel == "canonical") {
            &mut self.canonical
        } else if is_creative_commons(target) {
            &mut self.license
        } else {
            return;
        };
        if place.is_none() && !target.trim().is_empty() {
            *place = Some(shortened(target));
        }
    }

    fn add_tag(&mut self, tag: &Tag<'_>) {
        if tag.name != "meta" {
            if let Some(target) = tag.get("href") {
                self.add_link(&tag.get("rel").unwrap_or_default().to_ascii_lowercase(), &target);
            }
            return;
        }
        let content = tag.get("content").unwrap_or_default();
        match tag.get("name").unwrap_or_default().to_ascii_lowercase().as_str() {
            agent if AGENTS.contains(&agent) => content.split(',').for_each(|directive| self.add_directive(directive)),
            "tdm-reservation" => self.tdm_reserved |= content.trim() == "1",
            "tdm-policy" => self.tdm_policy = self.tdm_policy.take().or_else(|| Some(shortened(&content))),
            _ => {}
        }
    }

    /// What was said, as attributes.
    pub(super) fn write(&self, attributes: &mut Attributes) {
        if !self.robots.is_empty() {
            attributes.set(name::ROBOTS, self.robots.join(","));
        }
        if self.tdm_reserved {
            attributes.set(name::TDM_RESERVED, true);
        }
        let texts = [
            (name::TDM_POLICY, &self.tdm_policy),
            (name::LICENSE, &self.license),
            (name::CANONICAL, &self.canonical),
            (name::SERVER, &self.server),
            (name::CONTENT_LANGUAGE, &self.language),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                attributes.set(name, value.as_str());
            }
        }
    }

    /// The first rule of `policy` that applies.
    pub(super) fn reject(&self, policy: SignalPolicy) -> Option<Rejection> {
        let says = |directive: &str| self.robots.iter().any(|said| said == directive);
        let rules = [
            (policy.reject_noai && says("noai"), ROBOTS_NOAI),
            (policy.reject_noimageai && says("noimageai"), ROBOTS_NOIMAGEAI),
            (policy.reject_noindex && (says("noindex") || says("none")), ROBOTS_NOINDEX),
        ];
        if policy.reject_tdm_reserved && self.tdm_reserved {
            let detail =
                self.tdm_policy.as_ref().map_or("reserved".to_owned(), |url| format!("reserved, policy {url}"));
            return Some(Rejection { rule: TDM_RESERVED, detail });
        }
        let (_, rule) = rules.into_iter().find(|(applies, _)| *applies)?;
        Some(Rejection { rule, detail: format!("robots `{}`", self.robots.join(",")) })
    }
}

/// A word before a colon in `X-Robots-Tag` is a crawler's name, unless it is one of the directives with a value.
fn is_agent(word: &str) -> bool {
    const WITH_VALUE: &[&str] = &["max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"];
    !WITH_VALUE.contains(&word.trim().to_ascii_lowercase().as_str()) && !word.trim().contains(' ')
}

fn is_creative_commons(target: &str) -> bool {
    let host_and_path = target.trim().split_once("//").map_or("", |(_, rest)| rest);
    let host_and_path = host_and_path.strip_prefix("www.").unwrap_or(host_and_path);
    ["creativecommons.org/licenses/", "creativecommons.org/publicdomain/"].iter().any(|s| host_and_path.starts_with(s))
}

fn shortened(text: &str) -> String {
    text.trim().chars().take(VALUE_CHARS_MAX).collect()
}

/// A start tag of interest.
struct Tag<'a> {
    name: &'static str,
    attributes: &'a str,
}

impl Tag<'_> {
    /// The value of the first attribute of that name.
    fn get(&self, name: &str) -> Option<String> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/')).unwrap_or(rest.len());
            let (found, behind) = rest.split_at(end);
            if found.is_empty() && behind.is_empty() {
                return None;
            }
            let (value, next) = value(behind);
            if found.eq_ignore_ascii_case(name) {
                return Some(value.replace("&amp;", "&"));
            }
            rest = next;
        }
    }
}

/// `= "value" rest` to `value` and ` rest`.
fn value(text: &str) -> (&str, &str) {
    let Some(value) = text.trim_start().strip_prefix('=').map(str::trim_start) else { return ("", text) };
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
        _ => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
    }
}

/// The `meta`, `link` and `a` tags of a document.
struct Tags<'a> {
    rest: &'a str,
}

impl<'a> Tags<'a> {
    fn new(html: &'a str) -> Self {
        Self { rest: html }
    }

    /// Goes on behind the end of the script, or to the end.
    fn skip_script(&mut self) {
        let bytes = self.rest.as_bytes();
        let is_end = |at: &usize| bytes.get(at + 2..at + 8).is_some_and(|name| name.eq_ignore_ascii_case(b"script"));
        let end = memchr::memmem::find_iter(bytes, b"</").find(is_end);
        self.rest = end.map_or("", |end| &self.rest[end + 2..]);
    }

    /// Goes on behind the first `needle`, or to the end.
    fn skip_past(&mut self, needle: &str) {
        let at = memchr::memmem::find(self.rest.as_bytes(), needle.as_bytes());
        self.rest = at.map_or("", |at| &self.rest[at + needle.len()..]);
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        const WANTED: &[&str] = &["meta", "link", "a"];
        loop {
            let at = memchr::memchr(b'<', self.rest.as_bytes())?;
            self.rest = &self.rest[at + 1..];
            if self.rest.starts_with("!--") {
                self.skip_past("-->");
                continue;
            }
            let bytes = self.rest.as_bytes();
            let letters = bytes.iter().take_while(|b| b.is_ascii_alphabetic()).count().min(8);
            let found = &bytes[..letters];
            if found.eq_ignore_ascii_case(b"script") {
                self.skip_script();
                continue;
            }
            let Some(name) = WANTED.iter().find(|name| found.eq_ignore_ascii_case(name.as_bytes())) else { continue };
            let end = tag_end(bytes);
            let attributes = &self.rest[letters..end];
            self.rest = &self.rest[end..];
            return Some(Tag { name, attributes });
        }
    }
}

/// Where the tag ends: at a `>` outside of quotes, or at the end.
fn tag_end(bytes: &[u8]) -> usize {
    let mut quote = None;
    let mut before = b' ';
    for (at, &byte) in bytes.iter().enumerate() {
        match quote {
            Some(open) if byte == open => quote = None,
            None if byte == b'>' => return at,
            // A quote in the middle of an unquoted value is a letter.
            None if matches!(byte, b'"' | b'\'') && before == b'=' => quote = Some(byte),
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signals(headers: &[(&str, &str)], html: &str) -> Attributes {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut attributes = Attributes::new();
        Signals::of(&HttpHead { status: 200, headers, bytes: 0 }, html).write(&mut attributes);
        attributes
    }

    #[test]
    fn robots_directives_of_headers_and_page() {
        let check = |headers: &[(&str, &str)], html: &str, expected: Option<&str>| {
            assert_eq!(signals(headers, html).text(name::ROBOTS), expected, "{headers:?} {html}");
        };
        check(&[], "<p>", None);
        check(&[("X-Robots-Tag", "NoIndex, nofollow")], "", Some("noindex,nofollow"));
        check(&[("x-robots-tag", "googlebot: noindex"), ("x-robots-tag", "CCBot: noai")], "", Some("noai"));
        check(&[("x-robots-tag", "max-snippet: 3, noai")], "", Some("max-snippet: 3,noai"));
        check(&[], "<META content='noai, noimageai' NAME=Robots>", Some("noai,noimageai"));
        check(&[], "<meta name=googlebot content=noindex>", None);
        check(&[("X-Robots-Tag", "noai")], "<meta name=\"robots\" content=\"index,NOAI\" />", Some("noai,index"));
        check(&[], "<!-- <meta name=robots content=noai> -->", None);
        check(&[], "<script>'<meta name=robots content=noai>'</script>", None);
        check(&[], "<meta name=robots content=", None); // cut off
    }

    #[test]
    fn links_name_licence_and_canonical_address() {
        let check = |headers: &[(&str, &str)], html: &str, license: Option<&str>, canonical: Option<&str>| {
            let attributes = signals(headers, html);
            let found = (attributes.text(name::LICENSE), attributes.text(name::CANONICAL));
            assert_eq!(found, (license, canonical), "{html}");
        };
        check(
            &[],
            "<link rel=canonical href=https://A.example/X?a=1&amp;b=2>",
            None,
            Some("https://A.example/X?a=1&b=2"),
        );
        check(&[], "<a href='/by' rel='nofollow License'>x</a>", Some("/by"), None);
        check(
            &[],
            "<a href=\"https://creativecommons.org/licenses/by/4.0/\">x</a>",
            Some("https://creativecommons.org/licenses/by/4.0/"),
            None,
        );
        check(&[], "<a href='https://creativecommons.org/about'>", None, None);
        check(
            &[("Link", "</a>; rel=preload, <https://l.example/>; rel=\"license\"")],
            "",
            Some("https://l.example/"),
            None,
        );
        check(&[], "<a title='a > b' href=/l rel=license><a rel=license href=/m>", Some("/l"), None);
    }

    #[test]
    fn the_policy_decides() {
        let check = |headers: &[(&str, &str)], html: &str, policy: SignalPolicy, expected: Option<&str>| {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let signals = Signals::of(&HttpHead { status: 200, headers, bytes: 0 }, html);
            assert_eq!(signals.reject(policy).map(|rejection| rejection.rule.name), expected, "{html}");
        };
        let strict = SignalPolicy { reject_noindex: true, ..SignalPolicy::default() };
        let none = SignalPolicy {
            reject_noindex: false,
            reject_noai: false,
            reject_noimageai: false,
            reject_tdm_reserved: false,
        };
        let page = "<meta name=robots content='noindex, noai'>";
        check(&[], page, SignalPolicy::default(), Some("robots-noai"));
        check(&[], page, none, None);
        check(&[], "<meta name=robots content=none>", SignalPolicy::default(), None);
        check(&[], "<meta name=robots content=none>", strict, Some("robots-noindex"));
        check(&[], "<meta name=tdm-reservation content=1>", strict, Some("tdm-reserved"));
        check(&[("TDM-Reservation", "1")], "", strict, Some("tdm-reserved"));
        check(&[("TDM-Reservation", "0")], "", strict, None);
        check(&[("X-Robots-Tag", "noimageai")], "", strict, Some("robots-noimageai"));
    }
}
