//! Which rows of an index are wanted.

use item::registrable_domain;
use serde::{Deserialize, Serialize};
use url::Url;

use super::IndexRow;

/// A row is wanted when it fits every list that is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexSelection {
    /// URL patterns; `*` stands for any characters.
    pub urls: Vec<String>,
    /// Registrable domains, such as `example.co.uk`.
    pub domains: Vec<String>,
    /// Languages as the index has them (`eng`); the first of a page's counts.
    pub languages: Vec<String>,
    /// MIME types, as detected where the index says so, else as sent.
    pub mimes: Vec<String>,
    /// HTTP statuses.
    pub statuses: Vec<u16>,
}

impl IndexSelection {
    /// Whether `row` is wanted.
    pub fn takes(&self, row: &IndexRow) -> bool {
        let fits = |list: &[String], value: Option<&str>| {
            list.is_empty() || value.is_some_and(|value| list.iter().any(|wanted| wanted.eq_ignore_ascii_case(value)))
        };
        let mime = row.mime_detected.as_deref().or(row.mime.as_deref());
        (self.statuses.is_empty() || row.status.is_some_and(|status| self.statuses.contains(&status)))
            && fits(&self.mimes, mime)
            && fits(&self.languages, row.languages.first().map(String::as_str))
            && (self.urls.is_empty() || self.urls.iter().any(|pattern| is_match(pattern, &row.url)))
            && (self.domains.is_empty() || fits(&self.domains, domain(&row.url).as_deref()))
    }
}

fn domain(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(registrable_domain)
}

/// Whether `pattern` covers all of `text`. Walks back to the last `*` only, so that no pattern takes long.
fn is_match(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut last_star = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            last_star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((star, taken)) = last_star {
            last_star = Some((star, taken + 1));
            (p, t) = (star + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_urls() {
        let check =
            |pattern: &str, url: &str, expected: bool| assert_eq!(is_match(pattern, url), expected, "{pattern}");
        check("https://a.example/*", "https://a.example/x/y", true);
        check("*/blog/*", "https://a.example/blog/1", true);
        check("*/blog/*", "https://a.example/news/1", false);
        check("*.pdf", "https://a.example/a.pdf", true);
        check("*.pdf", "https://a.example/a.pdf?x", false);
        check("https://a.example/", "https://a.example/", true);
        check("*a*a*a*a*b", &"a".repeat(2000), false);
        check("", "", true);
    }

    #[test]
    fn a_row_has_to_fit_every_list() {
        let row = IndexRow {
            url: "https://www.example.co.uk/a".into(),
            status: Some(200),
            mime: Some("application/octet-stream".into()),
            mime_detected: Some("text/html".into()),
            languages: vec!["eng".into(), "deu".into()],
            ..IndexRow::default()
        };
        let check =
            |selection: IndexSelection, expected: bool| assert_eq!(selection.takes(&row), expected, "{selection:?}");
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let all = IndexSelection {
            urls: list(&["*.uk/*"]),
            domains: list(&["example.co.uk"]),
            languages: list(&["eng"]),
            mimes: list(&["text/html"]),
            statuses: vec![200],
        };
        check(IndexSelection::default(), true);
        check(IndexSelection { statuses: vec![404], ..all.clone() }, false);
        check(IndexSelection { languages: list(&["deu"]), ..all.clone() }, false);
        check(IndexSelection { mimes: list(&["application/octet-stream"]), ..all.clone() }, false);
        check(IndexSelection { domains: list(&["co.uk"]), ..all.clone() }, false);
        check(all, true);
    }
}
