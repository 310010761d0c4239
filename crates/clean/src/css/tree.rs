//! The rules that a page uses, as a tree.
//!
//! Reading a sheet and purging it is one walk: a rule that cannot match becomes no node. What remains borrows from the
//! sheets' text, and is looked at again when the page's tree has changed.

use super::declaration::{self, Declaration, Part};
use super::matcher::{Complex, Matcher};
use super::media::{self, Holds};
use super::scan::{self, List, Statements};
use super::sheet::at_name;

/// Deepest nesting of rules that is followed; deeper ones are dropped. Real sheets nest four or five deep.
const DEPTH_MAX: usize = 32;

/// A rule that is used, or that may be.
#[derive(Debug)]
pub(super) enum Rule<'a> {
    Style(Style<'a>),
    Group(Group<'a>),
    /// `@keyframes` and other rules that are found by their name.
    Named(Named<'a>),
    FontFace(&'a str),
    /// `@layer a, b;` and other statements.
    Statement(&'a str),
    /// What is not known here.
    Unknown(&'a str, &'a str),
}

/// Selectors and what they apply.
#[derive(Debug)]
pub(super) struct Style<'a> {
    pub(super) selectors: Vec<Complex<'a>>,
    /// The list stays as it is, or goes as a whole.
    pub(super) is_whole: bool,
    /// Stands in another style rule, so that its selectors do not tell alone what they match.
    pub(super) is_nested: bool,
    /// Applies whenever its selectors match.
    pub(super) is_unconditional: bool,
    pub(super) body: Vec<Entry<'a>>,
}

/// A part of a style rule's body.
#[derive(Debug)]
pub(super) enum Entry<'a> {
    Declaration(Declaration<'a>),
    Rule(Rule<'a>),
}

/// `@media` and the like: rules under a condition.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// `@` and all that stands before the block.
    pub(super) head: &'a str,
    /// The condition always holds, so that the rules can stand without it.
    pub(super) is_transparent: bool,
    pub(super) rules: Vec<Entry<'a>>,
}

/// A rule that others refer to.
#[derive(Debug)]
pub(super) struct Named<'a> {
    /// Lower case, without the `@`.
    pub(super) at: String,
    pub(super) head: &'a str,
    pub(super) name: &'a str,
    pub(super) body: &'a str,
}

/// What is above a rule.
#[derive(Debug, Clone, Copy)]
struct Above {
    depth: usize,
    is_nested: bool,
    is_unconditional: bool,
}

/// Reads sheets.
pub(super) struct Reader<'m, 'd> {
    pub(super) matcher: &'m Matcher<'d>,
    pub(super) widths: &'m [u32],
}

impl Reader<'_, '_> {
    /// The used rules of a sheet.
    pub(super) fn sheet<'a>(&self, css: &'a str, is_unconditional: bool) -> Vec<Entry<'a>> {
        let above = Above { depth: 0, is_nested: false, is_unconditional };
        self.rules(css, List::Sheet, above)
    }

    fn rules<'a>(&self, css: &'a str, list: List, above: Above) -> Vec<Entry<'a>> {
        if above.depth > DEPTH_MAX {
            return Vec::new();
        }
        let mut entries = Vec::new();
        for statement in Statements::new(css, list) {
            match self.rule(statement.head, statement.block, above) {
                Some(Rule::Group(group)) if group.is_transparent => entries.extend(group.rules),
                Some(rule) => entries.push(Entry::Rule(rule)),
                None => {}
            }
        }
        entries
    }

    fn rule<'a>(&self, head: &'a str, block: Option<&'a str>, above: Above) -> Option<Rule<'a>> {
        if head.starts_with('@') {
            return self.at_rule(head, block, above);
        }
        let block = block?;
        if is_spoilt(head) {
            return None;
        }
        let mut selectors = Vec::new();
        let mut is_whole = false;
        for text in scan::split_commas(head) {
            let selector = self.matcher.read(text);
            if selector.sketch.is_foreign || text.is_empty() {
                return None;
            }
            let is_known = selector.sketch.is_plain || (above.is_nested && text.contains('&'));
            is_whole |= !is_known;
            selectors.push(selector);
        }
        let is_used = |selector: &Complex<'_>| {
            if above.is_nested { selector.sketch.is_possible } else { self.matcher.matches(selector) }
        };
        if !selectors.iter().any(is_used) {
            return None;
        }
        let inside = Above { depth: above.depth + 1, is_nested: true, ..above };
        let body = self.body(block, inside);
        if !is_whole && !has_rules(&body) {
            selectors.retain(is_used);
        }
        let style =
            Style { selectors, is_whole, is_nested: above.is_nested, is_unconditional: above.is_unconditional, body };
        (!style.body.is_empty()).then_some(Rule::Style(style))
    }

    fn body<'a>(&self, block: &'a str, above: Above) -> Vec<Entry<'a>> {
        if above.depth > DEPTH_MAX {
            return Vec::new();
        }
        let entry = |part| match part {
            Part::Declaration(declaration) => Some(Entry::Declaration(declaration)),
            Part::Rule(head, block) => self.rule(head, block, above).map(Entry::Rule),
        };
        declaration::parts(block).into_iter().filter_map(entry).collect()
    }

    fn at_rule<'a>(&self, head: &'a str, block: Option<&'a str>, above: Above) -> Option<Rule<'a>> {
        let at = at_name(head).to_ascii_lowercase();
        let prelude = super::trimmed(&head[1 + at.len()..]);
        let Some(block) = block else {
            let is_known = at == "layer" && !above.is_nested;
            return is_known.then_some(Rule::Statement(head));
        };
        if is_foreign(&at) {
            return None;
        }
        let group = |is_unconditional: bool, is_scope: bool| {
            let above = Above {
                depth: above.depth + 1,
                is_nested: above.is_nested || is_scope,
                is_unconditional: above.is_unconditional && is_unconditional,
            };
            // In a style rule a group's block is a body like the rule's own.
            let rules = if above.is_nested { self.body(block, above) } else { self.rules(block, List::Rules, above) };
            let is_transparent = at == "media" && is_unconditional;
            Some(Rule::Group(Group { head, is_transparent, rules }))
        };
        match at.as_str() {
            "media" => match media::holds(prelude, self.widths) {
                Holds::Never => None,
                holds => group(holds == Holds::Always, false),
            },
            "layer" => group(true, false),
            "scope" => group(false, true),
            "supports" | "container" | "starting-style" => group(false, false),
            "font-face" => Some(Rule::FontFace(block)),
            "keyframes"
            | "-webkit-keyframes"
            | "property"
            | "counter-style"
            | "font-palette-values"
            | "position-try"
            | "color-profile"
            | "function" => {
                let name = prelude.split('(').next().unwrap_or(prelude).trim().trim_matches(['"', '\'']);
                Some(Rule::Named(Named { at, head, name, body: block }))
            }
            // Of paper; and those that other parts of cleaning take care of.
            "page" | "import" | "charset" | "namespace" | "viewport" => None,
            _ => Some(Rule::Unknown(head, block)),
        }
    }
}

fn is_foreign(at: &str) -> bool {
    ["-moz-", "-ms-", "-o-", "-khtml-"].iter().any(|prefix| at.starts_with(prefix))
}

/// Whether a semicolon or a brace of the sheet stands in a rule's head: then there is no such rule.
fn is_spoilt(head: &str) -> bool {
    let bytes = head.as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b';' | b'}')) {
        return false;
    }
    let mut at = 0;
    while at < bytes.len() {
        if matches!(bytes[at], b';' | b'}') {
            return true;
        }
        at = scan::skip(bytes, at);
    }
    false
}

/// Whether rules stand in a style rule. `&` in them is as specific as the most specific selector of the list, used or not, so such a
/// list stays as it is.
fn has_rules(body: &[Entry<'_>]) -> bool {
    body.iter().any(|entry| matches!(entry, Entry::Rule(_)))
}

/// Drops what no longer matches, then what is empty. Named rules stay.
pub(super) fn recheck(entries: &mut Vec<Entry<'_>>, matcher: &Matcher<'_>) {
    entries.retain_mut(|entry| match entry {
        Entry::Rule(Rule::Style(style)) => {
            let is_nested = style.is_nested;
            let is_used = |selector: &Complex<'_>| {
                if is_nested { matcher.is_possible(selector) } else { matcher.still_matches(selector) }
            };
            if !style.selectors.iter().any(is_used) {
                return false;
            }
            recheck(&mut style.body, matcher);
            if !style.is_whole && !has_rules(&style.body) {
                style.selectors.retain(is_used);
            }
            !style.body.is_empty()
        }
        Entry::Rule(Rule::Group(group)) => {
            recheck(&mut group.rules, matcher);
            keeps_its_place(group) || !group.rules.is_empty()
        }
        Entry::Declaration(_) | Entry::Rule(_) => true,
    });
}

/// A layer's first mention decides its rank, even if nothing is left in it.
pub(super) fn keeps_its_place(group: &Group<'_>) -> bool {
    at_name(group.head).eq_ignore_ascii_case("layer") && group.head.len() > "@layer".len()
}

/// Every style rule below, in order.
pub(super) fn styles<'t, 'a>(entries: &'t [Entry<'a>], visit: &mut dyn FnMut(&'t Style<'a>)) {
    for entry in entries {
        match entry {
            Entry::Rule(Rule::Style(style)) => {
                visit(style);
                styles(&style.body, visit);
            }
            Entry::Rule(Rule::Group(group)) => styles(&group.rules, visit),
            _ => {}
        }
    }
}

/// Every declaration below, in order; not those in named rules.
pub(super) fn declarations<'t, 'a>(entries: &'t [Entry<'a>], visit: &mut dyn FnMut(&'t Declaration<'a>)) {
    for entry in entries {
        match entry {
            Entry::Declaration(declaration) => visit(declaration),
            Entry::Rule(Rule::Style(style)) => declarations(&style.body, visit),
            Entry::Rule(Rule::Group(group)) => declarations(&group.rules, visit),
            Entry::Rule(_) => {}
        }
    }
}
