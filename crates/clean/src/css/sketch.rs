//! A selector at a glance: what it names, and whether it could match anything in this page.
//!
//! A sketch is made of the text alone, without parsing: it decides most selectors, and for the others it says where to
//! look. What it does not know well it calls not plain, and such a selector is left as it is.

use super::index::{Index, Kind};
use super::scan;
use crate::dom::NodeId;

/// Pseudo-classes that depend on what the reader does, on state, or on the language: could be true.
const STATES: &[&str] = &[
    "active",
    "any-link",
    "autofill",
    "checked",
    "default",
    "defined",
    "dir",
    "disabled",
    "enabled",
    "focus",
    "focus-visible",
    "focus-within",
    "fullscreen",
    "future",
    "hover",
    "in-range",
    "indeterminate",
    "invalid",
    "lang",
    "link",
    "modal",
    "open",
    "optional",
    "out-of-range",
    "past",
    "picture-in-picture",
    "placeholder-shown",
    "popover-open",
    "read-only",
    "read-write",
    "required",
    "target",
    "user-invalid",
    "user-valid",
    "valid",
    "visited",
];

/// Pseudo-classes that depend on an element's place among others.
const PLACES: &[&str] = &[
    "empty",
    "first-child",
    "first-of-type",
    "has",
    "last-child",
    "last-of-type",
    "nth-child",
    "nth-last-child",
    "nth-last-of-type",
    "nth-of-type",
    "only-child",
    "only-of-type",
];

/// Pseudo-classes that select by themselves.
const LOGICAL: &[&str] = &["-webkit-any", "is", "not", "root", "scope", "where"];

/// Pseudo-elements, and the four that may be written with one colon.
const ELEMENTS: &[&str] = &[
    "after",
    "backdrop",
    "before",
    "details-content",
    "file-selector-button",
    "first-letter",
    "first-line",
    "grammar-error",
    "marker",
    "placeholder",
    "selection",
    "spelling-error",
    "target-text",
];
const OLD_ELEMENTS: &[&str] = &["after", "before", "first-letter", "first-line"];

/// Pseudo-classes and -elements of shadow trees and media cues, which a cleaned page does not have.
const ABSENT: &[&str] = &["cue", "cue-region", "host", "host-context", "part", "slotted"];

/// Beginnings of names that only other browsers know: a rule with one of them is dropped by the one that renders.
const FOREIGN: &[&str] = &["-moz-", "-ms-", "-o-", "-khtml-"];

/// What a selector's text says.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an observation of its own")]
pub(super) struct Sketch {
    /// Everything that it names stands somewhere in the page.
    pub(super) is_possible: bool,
    /// Made only of things that are known to be valid.
    pub(super) is_plain: bool,
    /// Not known to the browser that renders, so that it drops the whole rule.
    pub(super) is_foreign: bool,
    /// Depends on what the reader does, on state or language.
    pub(super) has_state: bool,
    /// Depends on siblings or on the order of elements.
    pub(super) has_place: bool,
    /// Depends on what stands above or beside.
    pub(super) has_combinator: bool,
    pub(super) has_pseudo_element: bool,
    /// Whether finding the names is all there is to it: one compound of one name.
    pub(super) is_single: bool,
    /// The rarest name of the last compound: all matches have it.
    pub(super) key: Option<(Kind, usize, usize)>,
}

/// Looks at one complex selector.
pub(super) fn sketch(selector: &str, index: &Index<'_>) -> Sketch {
    let mut sketch = Sketch { is_possible: true, is_plain: !selector.is_empty(), ..Sketch::default() };
    let bytes = selector.as_bytes();
    let mut at = 0;
    let mut rarest = usize::MAX;
    let mut simples = 0;
    // Combinators and white space before the next compound.
    let mut is_between = true;
    let mut has_compound = false;
    while at < bytes.len() {
        let byte = bytes[at];
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'>' | b'+' | b'~') {
            sketch.has_place |= matches!(byte, b'+' | b'~');
            is_between = true;
            at += 1;
            continue;
        }
        if is_between {
            sketch.has_combinator |= has_compound;
            (is_between, has_compound) = (false, true);
            (sketch.key, rarest, simples) = (None, usize::MAX, 0);
        }
        let mut named = |kind: Kind, start: usize, end: usize| {
            let name = &selector[start..end];
            let count = if name.contains('\\') {
                match unescaped(name) {
                    Some(name) => index.find(kind, &name).len(),
                    None => return false,
                }
            } else {
                index.find(kind, name).len()
            };
            sketch.is_possible &= count > 0;
            if count < rarest {
                (sketch.key, rarest) = (Some((kind, start, end)), count);
            }
            true
        };
        match byte {
            b'.' | b'#' => {
                let end = name_end(bytes, at + 1);
                let kind = if byte == b'.' { Kind::Class } else { Kind::Id };
                // A class or an id that begins with a digit is none.
                let is_name = end > at + 1 && !bytes[at + 1].is_ascii_digit();
                sketch.is_plain &= is_name && named(kind, at + 1, end);
                simples += 1;
                at = end.max(at + 1);
            }
            b'*' => {
                simples += 1;
                at += 1;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = selector[at + 2..].find("*/").map_or(bytes.len(), |end| at + 2 + end + 2);
            }
            b'[' => {
                let start = scan::skip_space_and_comments(bytes, at + 1);
                let end = name_end(bytes, start);
                sketch.is_plain &= end > start && named(Kind::Attribute, start, end);
                simples += 2;
                at = scan::skip(bytes, at);
            }
            b':' => {
                let (end, restricts) = pseudo(selector, at, &mut sketch);
                simples += usize::from(restricts) * 2;
                at = end;
            }
            _ if is_name_start(byte) => {
                let end = name_end(bytes, at);
                sketch.is_plain &= simples == 0 && end > at && named(Kind::Tag, at, end);
                simples += 1;
                at = end.max(at + 1);
            }
            _ => {
                sketch.is_plain = false;
                at = scan::skip(bytes, at);
            }
        }
    }
    // A combinator at the end is a mistake.
    sketch.is_plain &= !matches!(bytes.last(), Some(b'>' | b'+' | b'~'));
    sketch.is_single =
        sketch.is_plain && simples == 1 && !sketch.has_combinator && !sketch.has_place && sketch.key.is_some();
    sketch
}

/// Reads a pseudo-class or -element; says where it ends, and whether the tree decides if it matches.
fn pseudo(selector: &str, at: usize, sketch: &mut Sketch) -> (usize, bool) {
    let bytes = selector.as_bytes();
    let is_element = bytes.get(at + 1) == Some(&b':');
    let start = at + 1 + usize::from(is_element);
    let end = name_end(bytes, start);
    let name = selector[start..end].to_ascii_lowercase();
    let name = name.as_str();
    let is_function = bytes.get(end) == Some(&b'(');
    let known = |list: &[&str]| list.binary_search(&name).is_ok();
    let restricts = !is_element && (known(PLACES) || known(LOGICAL));
    if FOREIGN.iter().any(|prefix| name.starts_with(prefix)) {
        sketch.is_foreign = true;
    } else if known(ABSENT) {
        sketch.is_possible = false;
    } else if is_element && (known(ELEMENTS) || name.starts_with("-webkit-"))
        || !is_element && !is_function && known(OLD_ELEMENTS)
    {
        sketch.has_pseudo_element = true;
        sketch.is_plain &= !is_function;
    } else if !is_element && known(STATES) {
        sketch.has_state = true;
        sketch.is_plain &= is_function == matches!(name, "dir" | "lang");
    } else if !is_element && known(PLACES) {
        sketch.has_place = true;
        sketch.is_plain &= is_function == (name.starts_with("nth-") || name == "has");
    } else if !is_element && known(LOGICAL) {
        // What stands inside may depend on anything.
        if is_function {
            sketch.has_state = true;
            sketch.has_place |= selector[end..].contains([':', '+', '~']);
            sketch.has_combinator |= selector[end..].contains([' ', '>']);
        }
        sketch.is_plain &= is_function != matches!(name, "root" | "scope");
    } else {
        sketch.is_plain = false;
        sketch.has_state = true;
    }
    (if is_function { scan::skip(bytes, end) } else { end }.max(at + 1), restricts)
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80 || matches!(byte, b'-' | b'_' | b'\\')
}

/// Where the name ends that begins at `at`.
pub(super) fn name_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\\' && bytes.get(at + 1).is_some_and(|&next| next != b'\n') {
            let digits = bytes[at + 1..].iter().take(6).take_while(|byte| byte.is_ascii_hexdigit()).count();
            at += 1 + digits.max(1);
            // A space ends the digits and belongs to them.
            at += usize::from(digits > 0 && bytes.get(at).is_some_and(u8::is_ascii_whitespace));
        } else if is_name_start(byte) && byte != b'\\' || byte.is_ascii_digit() {
            at += 1;
        } else {
            break;
        }
    }
    at.min(bytes.len())
}

/// A name with its escapes resolved; `None` if it is no name.
pub(super) fn unescaped(name: &str) -> Option<String> {
    let mut input = cssparser::ParserInput::new(name);
    let mut parser = cssparser::Parser::new(&mut input);
    let ident = parser.expect_ident_cloned().ok()?;
    parser.is_exhausted().then(|| ident.to_string())
}

/// The elements that can match a selector, by its sketch.
pub(super) fn candidates<'i>(selector: &str, sketch: &Sketch, index: &'i Index<'_>) -> &'i [NodeId] {
    let Some((kind, start, end)) = sketch.key else { return &index.elements };
    let name = &selector[start..end];
    if name.contains('\\') {
        unescaped(name).map_or(&[], |name| index.find(kind, &name))
    } else {
        index.find(kind, name)
    }
}

#[cfg(test)]
mod tests {
    use super::{ABSENT, ELEMENTS, LOGICAL, OLD_ELEMENTS, PLACES, STATES, name_end, sketch};
    use crate::css::index::Index;
    use crate::dom::{Caps, parse};

    #[test]
    fn lists_are_sorted() {
        for list in [ABSENT, ELEMENTS, LOGICAL, OLD_ELEMENTS, PLACES, STATES] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }

    #[test]
    fn names_end() {
        let check = |text: &str, expected: usize| assert_eq!(name_end(text.as_bytes(), 0), expected, "{text}");
        check("a-b_c1.d", 6);
        check("md\\:x:hover", 5);
        check("\\31 0 b", 5);
    }

    #[test]
    fn a_glance_decides_most() {
        let caps = Caps { elements_max: 100, depth_max: 100 };
        let dom = parse("<p id=i class='a b'><svg><linearGradient></svg><i data-x>", caps).expect("no caps");
        let index = Index::new(&dom);
        let check = |selector: &str, is_possible: bool, is_plain: bool| {
            let found = sketch(selector, &index);
            assert_eq!((found.is_possible, found.is_plain), (is_possible, is_plain), "{selector}");
        };
        check("p.a > i:hover", true, true);
        check("p .c", false, true);
        check("/* first */ p.a", true, true);
        check("p /* > */ .c", false, true);
        check("P#i::before", true, true);
        check("#j", false, true);
        check("lineargradient", true, true);
        check("[data-x=')']", true, true);
        check("[data-y]", false, true);
        check(".\\61", true, true);
        check("p:unknown", true, false);
        check("p:hover(", true, false);
        check("p,,", true, false);
        check(":host(.x)", false, true);
        check("p >", true, false);
        check("& p", true, false);
        assert!(sketch("p::-moz-selection", &index).is_foreign);
        assert!(sketch(".a:hover", &index).is_single);
        assert!(!sketch(".a:first-child", &index).is_single);
        assert!(!sketch("p.a", &index).is_single);
    }
}
