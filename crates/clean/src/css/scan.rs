//! Where rules and declarations begin and end, byte by byte.
//!
//! Most rules of a sheet are not used by the page, and what is not used is only skipped: this finds the end of a block
//! without making tokens of it. It follows CSS Syntax in what hides a bracket: strings, comments, escapes, unquoted
//! URLs, and brackets inside brackets.

/// What kind of list statements are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// A style sheet: `<!--` and `-->` are skipped.
    Sheet,
    /// The rules in an at-rule's block.
    Rules,
    /// Declarations and nested rules.
    Body,
}

/// A rule, an at-rule or a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statement<'a> {
    /// What stands before the block or the semicolon, white space at the ends left out.
    pub(super) head: &'a str,
    /// What stands inside the block, if there is one.
    pub(super) block: Option<&'a str>,
    /// Where the statement begins in the text.
    pub(super) start: usize,
}

/// The statements of a text, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Statements<'a> {
    css: &'a str,
    at: usize,
    list: List,
}

impl<'a> Statements<'a> {
    pub(super) fn new(css: &'a str, list: List) -> Self {
        Self { css, at: 0, list }
    }

    /// Where the next statement is looked for.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    fn skip_between(&mut self) {
        let bytes = self.css.as_bytes();
        loop {
            self.at = skip_space_and_comments(bytes, self.at);
            let rest = &bytes[self.at..];
            match self.list {
                List::Body if rest.first() == Some(&b';') => self.at += 1,
                List::Sheet if rest.starts_with(b"<!--") => self.at += 4,
                List::Sheet if rest.starts_with(b"-->") => self.at += 3,
                _ => return,
            }
        }
    }
}

impl<'a> Iterator for Statements<'a> {
    type Item = Statement<'a>;

    fn next(&mut self) -> Option<Statement<'a>> {
        self.skip_between();
        let bytes = self.css.as_bytes();
        let start = self.at;
        let first = *bytes.get(start)?;
        // Only a declaration's semicolon, or an at-rule's, ends a statement: elsewhere it spoils the rule it stands in.
        let ends_at_semicolon = first == b'@' || self.list == List::Body;
        let is_custom = self.list == List::Body && bytes[start..].starts_with(b"--");
        let mut at = start;
        loop {
            match bytes.get(at) {
                None => {
                    self.at = at;
                    let head = super::trimmed(&self.css[start..]);
                    // Only a declaration or an at-rule may end with the text.
                    let is_whole = ends_at_semicolon;
                    return is_whole.then_some(Statement { head, block: None, start });
                }
                Some(b';') if ends_at_semicolon => {
                    self.at = at + 1;
                    return Some(Statement { head: super::trimmed(&self.css[start..at]), block: None, start });
                }
                Some(b'{') if !is_custom => {
                    let (inner_end, end) = block_end(bytes, at);
                    self.at = end;
                    let block = &self.css[at + 1..inner_end];
                    return Some(Statement { head: super::trimmed(&self.css[start..at]), block: Some(block), start });
                }
                Some(_) => at = skip(bytes, at),
            }
        }
    }
}

pub(super) fn skip_space_and_comments(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at) {
            Some(b' ' | b'\t' | b'\n' | b'\r' | b'\x0c') => at += 1,
            Some(b'/') if bytes.get(at + 1) == Some(&b'*') => at = skip(bytes, at),
            _ => return at,
        }
    }
}

/// The place after what begins at `at`: a comment, a string, an escape, an unquoted URL, a block with all that is in it,
/// or one byte of anything else.
pub(super) fn skip(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        b'\\' if bytes.get(at + 1).is_some_and(|&next| next != b'\n') => at + 2,
        b'"' | b'\'' => skip_string(bytes, at),
        b'/' if bytes.get(at + 1) == Some(&b'*') => {
            find(&bytes[at + 2..], b"*/").map_or(bytes.len(), |length| at + 2 + length + 2)
        }
        b'(' if is_unquoted_url(bytes, at) => skip_url(bytes, at + 1),
        b'(' | b'[' | b'{' => block_end(bytes, at).1,
        _ => at + 1,
    }
    .min(bytes.len())
}

/// Where the inside of the block ends that opens here, and where the block itself does: the same at the end of the text.
fn block_end(bytes: &[u8], open: usize) -> (usize, usize) {
    let closer = |byte: u8| match byte {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    };
    let mut expected = vec![closer(bytes[open])];
    let mut at = open + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'(' if is_unquoted_url(bytes, at) => at = skip_url(bytes, at + 1),
            b'(' | b'[' | b'{' => {
                expected.push(closer(byte));
                at += 1;
            }
            // A closer that nothing waits for is a token like any other.
            b')' | b']' | b'}' if expected.last() == Some(&byte) => {
                expected.pop();
                at += 1;
                if expected.is_empty() {
                    return (at - 1, at);
                }
            }
            b'\\' | b'"' | b'\'' | b'/' => at = skip(bytes, at),
            _ => at += 1,
        }
    }
    (bytes.len(), bytes.len())
}

fn skip_string(bytes: &[u8], open: usize) -> usize {
    let quote = bytes[open];
    let mut at = open + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            // A line's end ends the string, as a bad one.
            b'\n' => return at,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Whether the parenthesis at `open` belongs to `url(` with no quote after it.
fn is_unquoted_url(bytes: &[u8], open: usize) -> bool {
    let Some(start) = open.checked_sub(3) else { return false };
    let is_part_of_name =
        |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'-' | b'_' | b'\\');
    if !bytes[start..open].eq_ignore_ascii_case(b"url")
        || start.checked_sub(1).is_some_and(|before| is_part_of_name(bytes[before]))
    {
        return false;
    }
    let inside = bytes[open + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
    !matches!(inside, Some(b'"' | b'\''))
}

fn skip_url(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b')' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// The parts of a list between commas that stand outside any bracket, white space at their ends left out.
pub(super) fn split_commas(list: &str) -> impl Iterator<Item = &str> {
    split(list, b',').map(super::trimmed)
}

/// The parts of a text between `separator`s that stand outside any bracket.
pub(super) fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut start = Some(0);
    std::iter::from_fn(move || {
        let from = start?;
        let mut at = from;
        while at < bytes.len() && bytes[at] != separator {
            at = skip(bytes, at);
        }
        start = (at < bytes.len()).then_some(at + 1);
        Some(&text[from..at])
    })
}

#[cfg(test)]
mod tests {
    use super::{List, Statements, split_commas};

    fn check(css: &str, list: List, expected: &[(&str, Option<&str>)]) {
        let found: Vec<_> = Statements::new(css, list).map(|s| (s.head, s.block)).collect();
        assert_eq!(found, expected, "{css}");
    }

    #[test]
    fn statements_end_where_css_syntax_says() {
        check("a{b:c}d , e {f}", List::Sheet, &[("a", Some("b:c")), ("d , e", Some("f"))]);
        check("<!-- @x y; a{} -->b{", List::Sheet, &[("@x y", None), ("a", Some("")), ("b", Some(""))]);
        check("a{'}'/*}*/\\}url(})}b{}", List::Sheet, &[("a", Some("'}'/*}*/\\}url(})")), ("b", Some(""))]);
        check("a{};b{}", List::Sheet, &[("a", Some("")), (";b", Some(""))]);
        check("}a{(})]}b{}", List::Sheet, &[("}a", Some("(})]")), ("b", Some(""))]);
        check(
            "a:b;;c:(;);--d:{e};&f{g:h}i:j",
            List::Body,
            &[("a:b", None), ("c:(;)", None), ("--d:{e}", None), ("&f", Some("g:h")), ("i:j", None)],
        );
        check("a{b:'c\n}d{}", List::Sheet, &[("a", Some("b:'c\n")), ("d", Some(""))]);
        check("a{b:url( 'x)' )}", List::Sheet, &[("a", Some("b:url( 'x)' )"))]);
        check("lost", List::Sheet, &[]);
    }

    #[test]
    fn commas_in_brackets_part_nothing() {
        assert_eq!(split_commas("a , :is(b,c) ,[d=',']").collect::<Vec<_>>(), ["a", ":is(b,c)", "[d=',']"]);
    }
}
