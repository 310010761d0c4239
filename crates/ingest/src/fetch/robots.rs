//! What a site's `robots.txt` lets us fetch (RFC 9309).

use std::borrow::Cow;
use std::time::Duration;

use robotxt::{AccessResult, Robots};
use url::{Position, Url};

/// The name that rules are looked up for.
pub const AGENT: &str = "databuild";

/// Longest wait between two requests that a site can ask for.
const DELAY_MAX: Duration = Duration::from_secs(30);

/// The rules of one site.
#[derive(Debug)]
pub struct Rules(Robots);

impl Rules {
    /// The rules in a file, for a crawler of this name.
    pub fn parse(text: &[u8], agent: &str) -> Self {
        Self(Robots::from_access(AccessResult::Successful(&with_product_tokens(text)), agent))
    }

    /// There is no such file: all is allowed.
    pub(super) fn none() -> Self {
        Self(Robots::allow_all())
    }

    /// The site could not be asked: nothing is allowed.
    pub(super) fn unreachable() -> Self {
        Self(Robots::disallow_all())
    }

    /// Whether `url` may be fetched.
    pub fn allow(&self, url: &Url) -> bool {
        self.0.is_allowed(&url[Position::BeforePath..Position::AfterQuery])
    }

    /// How long to wait between two requests, if the site asks for it.
    pub(super) fn delay(&self) -> Option<Duration> {
        self.0.crawl_delay().map(|delay| delay.min(DELAY_MAX))
    }
}

/// Where the rules for `url` stand.
pub(super) fn rules_url(url: &Url) -> Option<Url> {
    url.join("/robots.txt").ok()
}

/// The file with what follows the first word of a `User-agent` left out: names are one word, and many files add a version.
fn with_product_tokens(text: &[u8]) -> Cow<'_, [u8]> {
    let is_agent = |line: &[u8]| {
        let name = line.trim_ascii_start();
        name.get(..10).is_some_and(|name| name.eq_ignore_ascii_case(b"user-agent"))
    };
    if !text.split(|byte| *byte == b'\n').any(is_agent) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
        let value_at = line.iter().position(|byte| *byte == b':').filter(|_| is_agent(line));
        let Some(value_at) = value_at else {
            out.extend_from_slice(line);
            continue;
        };
        let (name, value) = line.split_at(value_at + 1);
        let word = value.trim_ascii_start().split(u8::is_ascii_whitespace).next().unwrap_or_default();
        out.extend_from_slice(name);
        out.push(b' ');
        out.extend_from_slice(word);
        out.push(b'\n');
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_those_of_our_name() {
        let check = |text: &str, url: &str, expected: bool| {
            let url = Url::parse(url).expect("a URL");
            assert_eq!(Rules::parse(text.as_bytes(), AGENT).allow(&url), expected, "{text:?} {url}");
        };
        check("", "https://a.example/x.css", true);
        check("User-agent: *\nDisallow: /", "https://a.example/x.css", false);
        check("User-agent: *\nDisallow: /\n\nUser-agent: databuild\nAllow: /", "https://a.example/x.css", true);
        check("User-agent: Databuild 1.0\nDisallow: /css/", "https://a.example/css/x.css?v=1", false);
        check("User-agent: databuild\r\nDisallow: /*.css$\r\n", "https://a.example/css/x.css", false);
        assert!(!Rules::unreachable().allow(&Url::parse("https://a.example/x").expect("a URL")));
        assert_eq!(Rules::parse(b"User-agent: *\nCrawl-delay: 600", AGENT).delay(), Some(DELAY_MAX));
    }
}
