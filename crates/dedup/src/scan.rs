//! A page as a stream of tags and text.
//!
//! Sketches of a page need neither a tree by the standard nor entities undone, only the same answer for the same
//! markup; so this reads tags as they stand. Pages of a run are written by our own serialiser, pages of a benchmark come
//! as they are, and both must go the same way for their sketches to meet.

/// One piece of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// `<name attributes>`
    Open {
        /// As written.
        name: &'a str,
        /// All between the name and `>`.
        attributes: &'a str,
    },
    /// `</name>`
    Close {
        /// As written.
        name: &'a str,
    },
    /// Text between tags; entities as written.
    Text(&'a str),
    /// What stands in an element whose content is no markup.
    Raw {
        /// The element.
        name: &'a str,
        /// Its content.
        content: &'a str,
    },
}

/// Elements whose content ends only at their own end tag.
const RAW: [&str; 5] = ["style", "script", "title", "textarea", "xmp"];

/// Reads all pieces of `html`, in order.
pub(crate) fn pieces(html: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut scanner = Scanner { rest: html, raw: None };
    std::iter::from_fn(move || scanner.next())
}

struct Scanner<'a> {
    rest: &'a str,
    /// The raw element whose content comes next.
    raw: Option<&'a str>,
}

impl<'a> Scanner<'a> {
    fn next(&mut self) -> Option<Piece<'a>> {
        if let Some(name) = self.raw.take() {
            let content = self.take(find_end_tag(self.rest, name));
            return Some(Piece::Raw { name, content });
        }
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let Some(tag) = self.rest.strip_prefix('<') else {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                return Some(Piece::Text(self.take(end)));
            };
            match tag.as_bytes().first() {
                Some(b'!' | b'?') => self.skip_declaration(),
                Some(b'/') => {
                    let name = name_of(&tag[1..]);
                    let end = self.rest.find('>').map_or(self.rest.len(), |at| at + 1);
                    self.take(end);
                    return Some(Piece::Close { name });
                }
                Some(byte) if byte.is_ascii_alphabetic() => return Some(self.open(tag)),
                // A bare `<` is text.
                _ => {
                    let end = tag.find('<').map_or(self.rest.len(), |at| at + 1);
                    return Some(Piece::Text(self.take(end)));
                }
            }
        }
    }

    fn open(&mut self, tag: &'a str) -> Piece<'a> {
        let name = name_of(tag);
        let attributes = &tag[name.len()..][..tag_end(&tag[name.len()..])];
        self.take(1 + name.len() + attributes.len() + 1);
        if RAW.iter().any(|raw| name.eq_ignore_ascii_case(raw)) {
            self.raw = Some(name);
        }
        Piece::Open { name, attributes }
    }

    fn skip_declaration(&mut self) {
        let end = match self.rest.strip_prefix("<!--") {
            Some(comment) => comment.find("-->").map(|at| 4 + at + 3),
            None => self.rest.find('>').map(|at| at + 1),
        };
        self.take(end.unwrap_or(self.rest.len()));
    }

    /// The next `bytes` of the page, or what is left of it.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.rest = rest;
        taken
    }
}

fn name_of(tag: &str) -> &str {
    let end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>').unwrap_or(tag.len());
    &tag[..end]
}

/// Where the tag ends: the first `>` outside of quotes.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    let end = text.bytes().position(|byte| {
        match quote {
            Some(open) if byte == open => quote = None,
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            _ => {}
        }
        byte == b'>' && quote.is_none()
    });
    end.unwrap_or(text.len())
}

fn find_end_tag(text: &str, name: &str) -> usize {
    let is_end = |at: &usize| {
        let after = &text.as_bytes()[at + 2..];
        after.len() >= name.len() && after[..name.len()].eq_ignore_ascii_case(name.as_bytes())
    };
    text.match_indices("</").map(|(at, _)| at).find(is_end).unwrap_or(text.len())
}

/// The value of an attribute among `attributes`, as written.
pub(crate) fn attribute<'a>(attributes: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let after = after.trim_start();
        let Some(value) = after.strip_prefix('=') else {
            // A name without a value; at least one byte goes, so this ends.
            rest = if end == 0 { rest.get(1..).unwrap_or_default() } else { after };
            continue;
        };
        let value = value.trim_start();
        let (value, after) = match value.bytes().next() {
            Some(quote @ (b'"' | b'\'')) => {
                let inside = &value[1..];
                let end = inside.bytes().position(|byte| byte == quote).unwrap_or(inside.len());
                (&inside[..end], inside.get(end + 1..).unwrap_or_default())
            }
            _ => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(html: &str, expected: &str) {
        let shown: Vec<String> = pieces(html)
            .map(|piece| match piece {
                Piece::Open { name, attributes } => format!("<{name}|{attributes}>"),
                Piece::Close { name } => format!("</{name}>"),
                Piece::Text(text) => text.to_owned(),
                Piece::Raw { content, .. } => format!("[{content}]"),
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{html}");
    }

    #[test]
    fn pieces_are_tags_text_and_raw_content() {
        check("<!doctype html><p class=a>x</p>", "<p| class=a> x </p>");
        check("a<!-- <p> -->b", "a b");
        check("<style>a>b{}</style>c", "<style|> [a>b{}] </style> c");
        check("<a title='>'>1 < 2</a>", "<a| title='>'> 1  < 2 </a>");
        check("<br/><p", "<br|/> <p|>");
        check("<script>if (a</b/) x</SCRIPT>y", "<script|> [if (a</b/) x] </SCRIPT> y");
    }

    #[test]
    fn attributes_are_found_in_any_quotes() {
        let check = |attributes, expected| assert_eq!(attribute(attributes, "class"), expected, "{attributes}");
        check(" id=x class=\"a b\"", Some("a b"));
        check(" CLASS='a'", Some("a"));
        check(" class = a/", Some("a/"));
        check(" data-class=b hidden", None);
        check(" = = class=a", Some("a"));
        check(" class", None);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(html in "[<>/!a-c'\"= é-]{0,60}") {
            let parts = pieces(&html).count();
            prop_assert!(parts <= html.len() * 2 + 1);
            attribute(&html, "class");
        }
    }
}
