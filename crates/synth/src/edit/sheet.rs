//! Just enough of a style sheet's syntax to change it in place: top-level rules and their declarations.

use std::ops::Range;

use super::patch::Change;

/// A style rule at the top level of a sheet; ranges are bytes of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The selector list.
    pub(crate) selector: Range<usize>,
    /// What stands between the braces.
    pub(crate) block: Range<usize>,
}

/// One declaration; ranges are bytes of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declaration<'a> {
    /// Property, as written.
    pub(crate) name: &'a str,
    /// Its value, trimmed.
    pub(crate) value: Range<usize>,
}

/// The style rules of a sheet, at-rules and what is in them left out.
pub(crate) fn rules(html: &str, sheet: Range<usize>) -> Vec<Rule> {
    let mut rules = Vec::new();
    let mut at = sheet.start;
    while let Some(open) = find(html, at..sheet.end, b"{;") {
        if html.as_bytes()[open] == b';' {
            at = open + 1; // `@import …;`
            continue;
        }
        let close = closing(html, open + 1..sheet.end);
        let prelude = skip_space(html, at..open);
        if !html[prelude.clone()].starts_with('@') && !prelude.is_empty() {
            rules.push(Rule { selector: prelude, block: open + 1..close });
        }
        at = (close + 1).min(sheet.end);
    }
    rules
}

/// Declarations of a block.
pub(crate) fn declarations(html: &str, block: Range<usize>) -> Vec<Declaration<'_>> {
    let mut found = Vec::new();
    let mut at = block.start;
    while at < block.end {
        let end = find(html, at..block.end, b";").unwrap_or(block.end);
        let part = skip_space(html, at..end);
        if let Some(colon) = find(html, part.clone(), b":") {
            let name = html[part.start..colon].trim();
            let value = skip_space(html, colon + 1..end);
            if !name.is_empty() && !value.is_empty() {
                found.push(Declaration { name, value });
            }
        }
        at = end + 1;
    }
    found
}

impl Rule {
    /// The change that sets declarations: values in place, the others at the end of the block.
    pub(crate) fn set(&self, html: &str, wanted: &[(&str, String)]) -> Change {
        let known = declarations(html, self.block.clone());
        let mut block = html[self.block.clone()].to_owned();
        let mut added = String::new();
        let mut values: Vec<(Range<usize>, &str)> = Vec::new();
        for (name, value) in wanted {
            match known.iter().rev().find(|known| known.name.eq_ignore_ascii_case(name)) {
                Some(known) => values.push((known.value.clone(), value.as_str())),
                None => added = format!("{added}{name}: {value}; "),
            }
        }
        // From behind, so that the places before stay where they are.
        values.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        for (range, value) in values {
            block.replace_range(range.start - self.block.start..range.end - self.block.start, value);
        }
        if !added.is_empty() {
            let (text, tail) = block.split_at(block.trim_end().len());
            let glue = if text.is_empty() || text.ends_with(';') { " " } else { "; " };
            let tail = if tail.is_empty() { " " } else { tail };
            block = format!("{text}{glue}{}{tail}", added.trim_end());
        }
        Change::replace(self.block.clone(), block)
    }
}

/// The first of `wanted` outside of strings, comments and parentheses.
fn find(html: &str, range: Range<usize>, wanted: &[u8]) -> Option<usize> {
    let bytes = html.as_bytes();
    let mut at = range.start;
    let mut depth = 0_u32;
    while at < range.end {
        match bytes[at] {
            b'\\' => at += 1,
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at += 2 + html[at + 2..range.end].find("*/").map_or(range.end, |found| found + 1);
            }
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < range.end && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            byte if depth == 0 && wanted.contains(&byte) => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The brace that closes a block, or the end.
fn closing(html: &str, range: Range<usize>) -> usize {
    let mut at = range.start;
    let mut depth = 0_u32;
    while let Some(found) = find(html, at..range.end, b"{}") {
        if html.as_bytes()[found] == b'{' {
            depth += 1;
        } else if depth == 0 {
            return found;
        } else {
            depth -= 1;
        }
        at = found + 1;
    }
    range.end
}

/// Without white space and comments at its beginning, and white space at its end.
fn skip_space(html: &str, range: Range<usize>) -> Range<usize> {
    let mut start = range.start;
    loop {
        let rest = &html[start..range.end];
        let trimmed = rest.trim_start();
        start = range.end - trimmed.len();
        match trimmed.strip_prefix("/*").and_then(|comment| comment.find("*/")) {
            Some(end) => start += end + 4,
            None => return start..start + trimmed.trim_end().len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(css: &str, expected: &[(&str, &[(&str, &str)])]) {
        let found = rules(css, 0..css.len());
        let found: Vec<(&str, Vec<(&str, &str)>)> = found
            .iter()
            .map(|rule| {
                let list = declarations(css, rule.block.clone());
                (&css[rule.selector.clone()], list.iter().map(|d| (d.name, &css[d.value.clone()])).collect())
            })
            .collect();
        let expected: Vec<(&str, Vec<(&str, &str)>)> = expected.iter().map(|(s, list)| (*s, list.to_vec())).collect();
        assert_eq!(found, expected, "{css}");
    }

    #[test]
    fn rules_and_declarations() {
        check("", &[]);
        check("a{b:c}", &[("a", &[("b", "c")])]);
        check("/* x{ */ a , b > c { d : e ; f: g } ", &[("a , b > c", &[("d", "e"), ("f", "g")])]);
        check("@import 'x;y'; a{b:url(;{})}", &[("a", &[("b", "url(;{})")])]);
        check("@media (x) { a{b:c} } d{e:\"}\";f:g}", &[("d", &[("e", "\"}\""), ("f", "g")])]);
        check("a{b:c", &[("a", &[("b", "c")])]);
        check("a{/* b:c */ d:e}", &[("a", &[("d", "e")])]);
    }

    #[test]
    fn setting_declarations() {
        for (css, expected) in [
            ("a{b:c}", "a{b:x; n: m; }"),
            ("a { b: c; }", "a { b: x; n: m; }"),
            ("a {}", "a { b: x; n: m; }"),
            ("a {\n  b: c\n}", "a {\n  b: x; n: m;\n}"),
        ] {
            let rule = rules(css, 0..css.len()).remove(0);
            let change = rule.set(css, &[("b", "x".to_owned()), ("n", "m".to_owned())]);
            let patch = super::super::Patch::new(css, vec![change]).expect("fits");
            assert_eq!(patch.apply(css), expected);
        }
    }
}
