//! Code without its embedded pictures and fonts: a model would read megabytes of them for nothing.

use std::fmt::Write as _;

/// URLs that are shorter stay.
const URL_BYTES_MAX: usize = 80;

/// A document with short names in the place of its `data:` URLs, and what they stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shortened {
    /// The text, with `asset:1`, `asset:2`, … in it.
    pub(super) text: String,
    name: String,
    urls: Vec<String>,
}

impl Shortened {
    /// Takes the URLs out of a document.
    pub(super) fn new(html: &str) -> Self {
        let mut name = "asset".to_owned();
        while html.contains(&format!("{name}:")) {
            name.push('x');
        }
        let mut shortened = Self { text: String::with_capacity(html.len()), name, urls: Vec::new() };
        let mut rest = html;
        while let Some(at) = rest.find("data:") {
            let end = at + url_bytes(&rest[..at], &rest[at..]);
            let url = &rest[at..end];
            shortened.text.push_str(&rest[..at]);
            if url.len() > URL_BYTES_MAX {
                let number = shortened.number(url);
                // Writing to memory does not fail.
                let _infallible = write!(shortened.text, "{}:{number}", shortened.name);
            } else {
                shortened.text.push_str(url);
            }
            rest = &rest[end..];
        }
        shortened.text.push_str(rest);
        shortened
    }

    /// The same URL has the same number.
    fn number(&mut self, url: &str) -> usize {
        let known = self.urls.iter().position(|other| other == url);
        known.unwrap_or_else(|| {
            self.urls.push(url.to_owned());
            self.urls.len() - 1
        }) + 1
    }

    /// A text that a model wrote, with the URLs again.
    pub(super) fn restore(&self, text: &str) -> String {
        let mark = format!("{}:", self.name);
        let mut restored = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(&mark) {
            let behind = &rest[at + mark.len()..];
            let digits = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
            let number: Option<usize> = behind[..digits].parse().ok();
            let url = number.and_then(|number| self.urls.get(number.checked_sub(1)?));
            restored.push_str(&rest[..at]);
            // A number that stands for nothing stays as it is: a reference to nowhere.
            match url {
                Some(url) => restored.push_str(url),
                None => restored.push_str(&rest[at..at + mark.len() + digits]),
            }
            rest = &behind[digits..];
        }
        restored.push_str(rest);
        restored
    }
}

/// How long the URL is: to the quote or the bracket that was opened before it, or to a blank.
fn url_bytes(before: &str, url: &str) -> usize {
    let ends = |c: char| match before.as_bytes().last() {
        Some(b'"') => c == '"',
        Some(b'\'') => c == '\'',
        Some(b'(') => c == ')',
        _ => c.is_ascii_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | ')'),
    };
    url.find(ends).unwrap_or(url.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_urls_get_numbers() {
        let (one, two) = (format!("data:image/png;base64,{}", "A".repeat(90)), format!("data:x,{}", "b c".repeat(40)));
        let html =
            format!("<img src=\"{one}\"><i style='a:url({one})'></i><b c='{two}'>data: short</b><img src=data:,>");
        let shortened = Shortened::new(&html);
        let expected =
            "<img src=\"asset:1\"><i style='a:url(asset:1)'></i><b c='asset:2'>data: short</b><img src=data:,>";
        assert_eq!(shortened.text, expected);
        assert_eq!(shortened.restore(&shortened.text), html);
        assert_eq!(shortened.restore("asset:7 asset: asset:2x"), format!("asset:7 asset: {two}x"));
        assert_eq!(Shortened::new("asset:1").restore("asset:1"), "asset:1");
    }

    proptest! {
        #[test]
        fn what_is_not_changed_comes_back(html in "(data:|asset:|[a-c\"'()<> 0-9]|data:[a-z]{90}){0,40}") {
            let shortened = Shortened::new(&html);
            prop_assert_eq!(shortened.restore(&shortened.text), html);
        }
    }
}
