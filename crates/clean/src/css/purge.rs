//! Which rules a page uses, and what those rules need.
//!
//! A style rule is used if one of its selectors could match. Then the closure: custom properties that a used value
//! reaches through `var()`, keyframes that it animates by, fonts that it names. What is left is only what some element
//! can show in some state, in some viewport.

use std::collections::HashSet;

use rustc_hash::FxHashSet;
use url::Url;

use super::declaration::{self, Declaration, Part};
use super::matcher::{Complex, Matcher};
use super::media::{self, Holds};
use super::scan::{self, List};
use super::sheet::{Condition, Names, Piece, at_name};
use super::sketch;
use super::tree::{self, Entry, Group, Named, Reader, Rule, Style};
use super::{trimmed, write};
use crate::dom::{Dom, NodeId};
use crate::resource::Resources;

/// The used rules of a page's sheets.
#[derive(Debug)]
pub(crate) struct Purge<'a> {
    pieces: Vec<Used<'a>>,
    /// Share of the page's classes that some rule names.
    pub(crate) coverage: f64,
}

/// The used rules of a piece.
#[derive(Debug)]
pub(super) struct Used<'a> {
    pub(super) base: &'a Url,
    /// What stands around the rules, outermost first: heads of conditions that do not always hold.
    pub(super) heads: Vec<String>,
    pub(super) entries: Vec<Entry<'a>>,
}

impl<'a> Purge<'a> {
    /// Reads the sheets, leaving out what matches nothing in the tree. `widths` are the viewports that count.
    pub(crate) fn read(pieces: &'a [Piece], dom: &Dom, widths: &[u32]) -> Self {
        let matcher = Matcher::new(dom);
        let reader = Reader { matcher: &matcher, widths };
        let mut read = Vec::new();
        for piece in pieces {
            let holds = |condition: &Condition| match condition {
                Condition::Media(query) => media::holds(query, widths),
                Condition::Layer(_) => Holds::Always,
                Condition::Supports(_) => Holds::Sometimes,
            };
            if piece.conditions.iter().any(|condition| holds(condition) == Holds::Never) {
                continue;
            }
            let is_unconditional = piece.conditions.iter().all(|condition| holds(condition) == Holds::Always);
            let is_said =
                |condition: &&Condition| matches!(condition, Condition::Layer(_)) || holds(condition) != Holds::Always;
            let heads = piece.conditions.iter().filter(is_said).map(Condition::head).collect();
            read.push(Used { base: &piece.base, heads, entries: reader.sheet(&piece.css, is_unconditional) });
        }
        Self { pieces: read, coverage: matcher.index.coverage() }
    }

    /// Leaves out what matches nothing any more.
    pub(crate) fn recheck(&mut self, dom: &Dom) {
        let matcher = Matcher::new(dom);
        self.pieces.iter_mut().for_each(|used| tree::recheck(&mut used.entries, &matcher));
    }

    /// Leaves out what no used rule and none of `inline`, the page's own declarations, reaches.
    pub(crate) fn close(&mut self, inline: &str) {
        // Each round can only take away; real sheets settle in two.
        loop {
            let before = self.count();
            self.drop_unused_custom(inline);
            self.drop_unused_named(inline);
            if self.count() == before {
                return;
            }
        }
    }

    fn count(&self) -> usize {
        fn below(entries: &[Entry<'_>]) -> usize {
            let inside = |entry: &Entry<'_>| match entry {
                Entry::Rule(Rule::Style(style)) => below(&style.body),
                Entry::Rule(Rule::Group(group)) => below(&group.rules),
                _ => 0,
            };
            entries.len() + entries.iter().map(inside).sum::<usize>()
        }
        self.pieces.iter().map(|used| below(&used.entries)).sum()
    }

    fn declarations<'s>(&'s self, mut visit: impl FnMut(&'s Declaration<'a>)) {
        self.pieces.iter().for_each(|used| tree::declarations(&used.entries, &mut visit));
    }

    fn styles<'s>(&'s self, mut visit: impl FnMut(&'s Style<'a>)) {
        self.pieces.iter().for_each(|used| tree::styles(&used.entries, &mut visit));
    }

    fn rules<'s>(&'s self, mut visit: impl FnMut(&'s Rule<'a>)) {
        fn below<'t, 'a>(entries: &'t [Entry<'a>], visit: &mut dyn FnMut(&'t Rule<'a>)) {
            for entry in entries {
                let Entry::Rule(rule) = entry else { continue };
                visit(rule);
                match rule {
                    Rule::Style(style) => below(&style.body, visit),
                    Rule::Group(group) => below(&group.rules, visit),
                    _ => {}
                }
            }
        }
        self.pieces.iter().for_each(|used| below(&used.entries, &mut visit));
    }

    fn drop_unused_custom(&mut self, inline: &str) {
        let mut custom = Vec::new();
        let mut used: FxHashSet<&str> = FxHashSet::default();
        let mut values = Vec::new();
        self.declarations(|declaration| {
            if declaration.is_custom() { custom.push(declaration) } else { values.push(declaration.value) }
        });
        if custom.is_empty() {
            return;
        }
        self.rules(|rule| match rule {
            Rule::Group(group) => values.push(group.head),
            Rule::Named(named) => values.push(named.body),
            Rule::Unknown(_, body) | Rule::FontFace(body) => values.push(body),
            _ => {}
        });
        values.push(inline);
        while let Some(value) = values.pop() {
            for name in custom_names(value) {
                if used.insert(name) {
                    values.extend(custom.iter().filter(|declaration| declaration.name == name).map(|d| d.value));
                }
            }
        }
        let used: HashSet<String> = used.into_iter().map(str::to_owned).collect();
        for Used { entries, .. } in &mut self.pieces {
            retain(entries, &|entry| match entry {
                Entry::Declaration(declaration) => !declaration.is_custom() || used.contains(declaration.name),
                Entry::Rule(Rule::Named(named)) if named.at == "property" => used.contains(named.name),
                Entry::Rule(_) => true,
            });
        }
    }

    fn drop_unused_named(&mut self, inline: &str) {
        let (mut animations, mut fonts, mut all) = (vec![inline], inline.to_ascii_lowercase(), vec![inline]);
        self.declarations(|declaration| {
            let name = declaration.name.to_ascii_lowercase();
            let is_custom = declaration.is_custom();
            if is_custom || name.ends_with("animation") || name.ends_with("animation-name") {
                animations.push(declaration.value);
            }
            if is_custom || name.starts_with("font") {
                fonts.push('\n');
                fonts.push_str(&declaration.value.to_ascii_lowercase());
            }
            all.push(declaration.value);
        });
        let mut plain_keyframes = HashSet::new();
        self.rules(|rule| match rule {
            Rule::Named(named) if named.at == "keyframes" => {
                plain_keyframes.insert(named.name);
            }
            Rule::FontFace(body) | Rule::Unknown(_, body) => all.push(body),
            _ => {}
        });
        let has = |texts: &[&str], name: &str| texts.iter().any(|text| has_word(text, name));
        let is_used = |named: &Named<'_>| match named.at.as_str() {
            "keyframes" => has(&animations, named.name),
            "-webkit-keyframes" => !plain_keyframes.contains(named.name) && has(&animations, named.name),
            "property" => true,
            _ => has(&all, named.name),
        };
        let mut verdicts = Vec::new();
        self.rules(|rule| match rule {
            Rule::Named(named) => verdicts.push(is_used(named)),
            Rule::FontFace(body) => {
                verdicts.push(family(body).is_none_or(|family| fonts.contains(&family.to_ascii_lowercase())));
            }
            _ => {}
        });
        let mut verdicts = verdicts.into_iter();
        for Used { entries, .. } in &mut self.pieces {
            retain_named(entries, &mut verdicts);
        }
    }

    /// Elements whose white space shows: their rules say so. `None` if that cannot be told.
    pub(crate) fn keeping_space(&self, dom: &Dom) -> Option<Vec<NodeId>> {
        let keeps = |declaration: &Declaration<'_>| {
            let is_about = declaration.is("white-space")
                || declaration.is("white-space-collapse")
                || declaration.is("all")
                || declaration.is("text-space-collapse");
            is_about && !matches!(declaration.keyword().as_str(), "normal" | "nowrap" | "collapse")
        };
        self.find(dom, |style| style.body.iter().any(|entry| matches!(entry, Entry::Declaration(d) if keeps(d))))
    }

    /// Elements that a rule with a wanted declaration could match; `None` if that cannot be told.
    pub(crate) fn declared(&self, dom: &Dom, wanted: impl Fn(Declared<'_>) -> bool) -> Option<Vec<NodeId>> {
        let is_wanted = |entry: &Entry<'_>| matches!(entry, Entry::Declaration(d) if wanted(Declared(*d)));
        self.find(dom, |style| style.body.iter().any(is_wanted))
    }

    /// The elements that the chosen rules could match; `None` if for one of the rules that cannot be told.
    fn find(&self, dom: &Dom, wanted: impl Fn(&Style<'_>) -> bool) -> Option<Vec<NodeId>> {
        let mut chosen = Vec::new();
        self.styles(|style| {
            if wanted(style) {
                chosen.push(style);
            }
        });
        if chosen.is_empty() {
            return Some(Vec::new());
        }
        let matcher = Matcher::new(dom);
        let mut found = Vec::new();
        for style in chosen {
            if style.is_nested || style.selectors.iter().any(|selector| !selector.sketch.is_plain) {
                return None;
            }
            found.extend(style.selectors.iter().flat_map(|selector| matcher.find(selector)));
        }
        Some(found)
    }

    /// What the used rules say about being shown.
    pub(crate) fn displays(&self, dom: &Dom) -> Displays {
        let mut displays = Displays { is_known: true, ..Displays::default() };
        let matcher = Matcher::new(dom);
        self.rules(|rule| {
            if let Rule::Named(named) = rule
                && named.body.contains("display")
            {
                displays.is_known = false;
            }
        });
        self.styles(|style| {
            let mut last = None;
            for entry in &style.body {
                if let Entry::Declaration(declaration) = entry
                    && (declaration.is("display") || declaration.is("all"))
                {
                    last = Some((declaration, last.is_some()));
                }
            }
            let Some((declaration, is_one_of_several)) = last else { return };
            let hides = declaration.is("display") && declaration.keyword() == "none";
            let is_important = declaration.is_important();
            if style.is_nested || style.selectors.iter().any(|selector| !selector.sketch.is_plain) {
                displays.is_known &= hides && !is_one_of_several;
                return;
            }
            for selector in style.selectors.iter().filter(|selector| !selector.sketch.has_pseudo_element) {
                let is_sure = hides && style.is_unconditional && !selector.sketch.has_state;
                let list = match (hides && !is_one_of_several, is_important) {
                    (true, _) if is_sure => &mut displays.hidden,
                    (true, _) => continue,
                    (false, true) => &mut displays.shown_important,
                    (false, false) => &mut displays.shown,
                };
                list.extend(matcher.find(selector));
            }
        });
        displays
    }

    /// The selectors that depend on siblings, on an element's place or on what it holds; `None` if one is not understood.
    pub(crate) fn placed(&self) -> Option<Vec<Placed<'a>>> {
        self.select(|selector| selector.sketch.has_place || (!selector.sketch.is_plain && names_a_place(selector.text)))
    }

    /// The selectors that depend on any other element; `None` if one is not understood.
    pub(crate) fn related(&self) -> Option<Vec<Placed<'a>>> {
        self.select(|selector| selector.sketch.has_place || selector.sketch.has_combinator || !selector.sketch.is_plain)
    }

    fn select(&self, depends: impl Fn(&Complex<'a>) -> bool) -> Option<Vec<Placed<'a>>> {
        let mut selected = Vec::new();
        let mut is_known = true;
        self.styles(|style| {
            for selector in style.selectors.iter().filter(|selector| depends(selector)) {
                is_known &= selector.sketch.is_plain && !style.is_nested;
                selected.push(Placed(selector.clone()));
            }
        });
        self.rules(|rule| {
            if let Rule::Group(Group { head, .. }) = rule {
                is_known &= !at_name(head).eq_ignore_ascii_case("scope");
            }
        });
        is_known.then_some(selected)
    }

    /// What the used rules name.
    pub(crate) fn names(&self) -> Names {
        let mut names = Names::default();
        self.styles(|style| style.selectors.iter().for_each(|selector| add_names(selector.text, &mut names)));
        self.rules(|rule| match rule {
            Rule::Group(group) => add_names(group.head, &mut names),
            Rule::Unknown(head, body) => {
                add_names(head, &mut names);
                add_names(body, &mut names);
            }
            _ => {}
        });
        self.declarations(|declaration| add_attribute_functions(declaration.value, &mut names));
        names
    }

    /// Ids that values refer to with `url(#id)`.
    pub(crate) fn referenced_ids(&self) -> Vec<&'a str> {
        let mut found = Vec::new();
        self.declarations(|declaration| {
            for (at, _) in declaration.value.match_indices('#') {
                let rest = &declaration.value[at + 1..];
                found.push(&rest[..rest.find(['"', '\'', ')']).unwrap_or(rest.len())]);
            }
        });
        found
    }

    /// The sheet as text.
    pub(crate) fn write(&self, resources: Resources<'_>, style: write::Format) -> String {
        write::sheet(&self.pieces, resources, style)
    }
}

/// Elements by what is said about showing them.
#[derive(Debug, Default)]
pub(crate) struct Displays {
    /// Nothing is said that could not be told.
    pub(crate) is_known: bool,
    /// Some rule always hides them.
    pub(crate) hidden: Vec<NodeId>,
    /// Some rule could show them.
    pub(crate) shown: Vec<NodeId>,
    /// Some rule could show them against all others.
    pub(crate) shown_important: Vec<NodeId>,
}

/// A declaration, as its name and value in lower case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declared<'a>(Declaration<'a>);

impl Declared<'_> {
    pub(crate) fn name(self) -> String {
        self.0.name.to_ascii_lowercase()
    }

    pub(crate) fn value(self) -> String {
        self.0.value.split('!').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// A selector whose matches depend on other elements.
#[derive(Debug)]
pub(crate) struct Placed<'a>(Complex<'a>);

/// What each selector matches.
pub(crate) fn matches(placed: &[Placed<'_>], dom: &Dom) -> Vec<Vec<NodeId>> {
    let matcher = Matcher::new(dom);
    placed.iter().map(|selector| matcher.find(&selector.0)).collect()
}

fn names_a_place(text: &str) -> bool {
    text.contains(['+', '~']) || [":first", ":last", ":nth", ":only", ":empty", ":has"].iter().any(|p| text.contains(p))
}

/// Keeps what `wanted` says, and drops the rules that have nothing left.
fn retain(entries: &mut Vec<Entry<'_>>, wanted: &dyn Fn(&Entry<'_>) -> bool) {
    entries.retain_mut(|entry| {
        if !wanted(entry) {
            return false;
        }
        match entry {
            Entry::Rule(Rule::Style(style)) => {
                retain(&mut style.body, wanted);
                !style.body.is_empty()
            }
            Entry::Rule(Rule::Group(group)) => {
                retain(&mut group.rules, wanted);
                tree::keeps_its_place(group) || !group.rules.is_empty()
            }
            _ => true,
        }
    });
}

/// Drops the named rules and fonts that the verdicts, in order, say.
fn retain_named(entries: &mut Vec<Entry<'_>>, verdicts: &mut impl Iterator<Item = bool>) {
    entries.retain_mut(|entry| match entry {
        Entry::Rule(Rule::Named(_) | Rule::FontFace(_)) => verdicts.next().unwrap_or(true),
        Entry::Rule(Rule::Style(style)) => {
            retain_named(&mut style.body, verdicts);
            !style.body.is_empty()
        }
        Entry::Rule(Rule::Group(group)) => {
            retain_named(&mut group.rules, verdicts);
            tree::keeps_its_place(group) || !group.rules.is_empty()
        }
        _ => true,
    });
}

/// Names of custom properties in a value: `--x` that is not the middle of a longer name.
fn custom_names(value: &str) -> impl Iterator<Item = &str> {
    let bytes = value.as_bytes();
    value.match_indices("--").filter_map(move |(at, _)| {
        let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
        let is_start = !(before.is_ascii_alphanumeric() || matches!(before, b'-' | b'_' | b'\\') || before >= 0x80);
        is_start.then(|| &value[at..sketch::name_end(bytes, at)]).filter(|name| name.len() > 2)
    })
}

/// Whether `name` stands in the text as a word of its own.
fn has_word(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '\\');
    !name.is_empty()
        && text.match_indices(name).any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + name.len()..]);
            !before.ends_with(is_part) && !after.starts_with(is_part)
        })
}

/// The family that an `@font-face` defines.
fn family(body: &str) -> Option<&str> {
    declaration::parts(body).into_iter().find_map(|part| match part {
        Part::Declaration(declaration) if declaration.is("font-family") => {
            Some(trimmed(declaration.value.trim_matches(['"', '\''])))
        }
        _ => None,
    })
}

/// Adds the names that stand anywhere in a selector.
fn add_names(selector: &str, names: &mut Names) {
    let bytes = selector.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match byte {
            b'.' | b'#' | b'[' => {
                let start = if byte == b'[' { scan::skip_space_and_comments(bytes, at + 1) } else { at + 1 };
                let end = sketch::name_end(bytes, start);
                let name = &selector[start..end];
                let name = if name.contains('\\') { sketch::unescaped(name) } else { Some(name.to_owned()) };
                match (byte, name) {
                    (b'.', Some(name)) => names.classes.insert(name),
                    (b'#', Some(name)) => names.ids.insert(name),
                    (_, Some(name)) => names.attributes.insert(name.to_ascii_lowercase()),
                    (_, None) => false,
                };
                at = end.max(at + 1);
            }
            b'"' | b'\'' | b'\\' | b'/' => at = scan::skip(bytes, at),
            _ => at += 1,
        }
    }
}

/// Adds the attributes that `attr()` reads.
fn add_attribute_functions(value: &str, names: &mut Names) {
    for (at, _) in value.match_indices("attr(") {
        let start = scan::skip_space_and_comments(value.as_bytes(), at + "attr(".len());
        let end = sketch::name_end(value.as_bytes(), start);
        names.attributes.insert(value[start..end].to_ascii_lowercase());
    }
}

/// Attributes that the sheets' selectors and values could name: more than they do, found without reading rules.
pub(crate) fn attributes_named(pieces: &[Piece]) -> HashSet<String> {
    let mut names = Names::default();
    for css in pieces.iter().map(|piece| piece.css.as_str()) {
        for (at, _) in css.match_indices('[') {
            let start = scan::skip_space_and_comments(css.as_bytes(), at + 1);
            let end = sketch::name_end(css.as_bytes(), start);
            let name = &css[start..end];
            let name = if name.contains('\\') { sketch::unescaped(name) } else { Some(name.to_owned()) };
            names.attributes.extend(name.map(|name| name.to_ascii_lowercase()));
        }
        add_attribute_functions(css, &mut names);
    }
    names.attributes
}

/// The declarations of a body, nested rules left out.
pub(super) fn declarations_of(body: &str) -> Vec<Declaration<'_>> {
    let only = |part| match part {
        Part::Declaration(declaration) => Some(declaration),
        Part::Rule(..) => None,
    };
    declaration::parts(body).into_iter().filter_map(only).collect()
}

/// The frames of `@keyframes`.
pub(super) fn frames(body: &str) -> impl Iterator<Item = (&str, &str)> {
    scan::Statements::new(body, List::Rules).filter_map(|statement| Some((statement.head, statement.block?)))
}
