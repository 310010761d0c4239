//! Used rules to text: one form for one set of rules.
//!
//! Rules are first written piece by piece, with everything that a browser would fetch replaced, and then tidied as one
//! list: what a later rule repeats goes, neighbours with the same head or the same body become one rule. So a sheet that
//! was written here comes out the same again.

use rustc_hash::FxHashSet;
use url::Url;

use super::declaration::says_more;
use super::font;
use super::purge::{Used, declarations_of, frames};
use super::rewrite::{rewrite_head, rewrite_value};
use super::scan;
use super::sheet::at_name;
use super::tree::{Entry, Named, Rule};
use super::trimmed;
use crate::resource::Resources;

/// How much white space a sheet gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A declaration a line.
    Readable,
    /// A rule a line.
    Dense,
}

/// A rule as text, still in parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Written {
    kind: Kind,
    /// Selectors, or `@` and all before the block.
    head: String,
    body: Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// All selectors are known to be valid, so lists can be joined.
    PlainStyle,
    Style,
    Group,
    /// Its place among others counts.
    Layer,
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Body {
    /// Declarations.
    Lines(Vec<(String, String)>),
    /// Declarations and rules, or rules.
    Parts(Vec<Part>),
    /// As it is.
    Text(String),
    /// No block.
    None,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Part {
    Line(String, String),
    Rule(Written),
}

/// Writes the used rules of all pieces as one sheet.
pub(super) fn sheet(pieces: &[Used<'_>], resources: Resources<'_>, format: Format) -> String {
    let mut rules: Vec<Part> = Vec::new();
    for Used { base, heads, entries } in pieces {
        let writer = Writer { base, resources, format };
        let mut parts = writer.parts(entries);
        for head in heads.iter().rev() {
            let head = writer.head(head);
            let kind = group_kind(&head);
            if !parts.is_empty() || kind == Kind::Layer {
                parts = vec![Part::Rule(Written { kind, head, body: Body::Parts(parts) })];
            }
        }
        rules.extend(parts);
    }
    tidy(&mut rules, comma(format));
    let count = rules.len();
    drop_idle_layers(&mut rules);
    if rules.len() < count {
        // Rules that stood around a layer are neighbours now.
        tidy(&mut rules, comma(format));
    }
    let mut out = String::new();
    print(&rules, 0, format, &mut out);
    trimmed(&out).to_owned()
}

fn comma(format: Format) -> &'static str {
    if format == Format::Readable { ", " } else { "," }
}

fn group_kind(head: &str) -> Kind {
    if at_name(head).eq_ignore_ascii_case("layer") { Kind::Layer } else { Kind::Group }
}

struct Writer<'a, 'r> {
    base: &'a Url,
    resources: Resources<'r>,
    format: Format,
}

impl Writer<'_, '_> {
    fn parts(&self, entries: &[Entry<'_>]) -> Vec<Part> {
        let part = |entry: &Entry<'_>| match entry {
            Entry::Declaration(declaration) => {
                self.line(declaration.name, declaration.value).map(|(n, v)| Part::Line(n, v))
            }
            Entry::Rule(rule) => self.rule(rule).map(Part::Rule),
        };
        entries.iter().filter_map(part).collect()
    }

    fn rule(&self, rule: &Rule<'_>) -> Option<Written> {
        Some(match rule {
            Rule::Style(style) => {
                let is_plain = style.selectors.iter().all(|selector| selector.sketch.is_plain);
                let selectors: Vec<String> =
                    style.selectors.iter().map(|selector| self.selector(selector.text, is_plain)).collect();
                let parts = self.parts(&style.body);
                // What had no value says nothing.
                if parts.is_empty() {
                    return None;
                }
                let only_lines = parts.iter().all(|part| matches!(part, Part::Line(..)));
                let (kind, body) = if only_lines {
                    let lines = parts.into_iter().filter_map(|part| match part {
                        Part::Line(name, value) => Some((name, value)),
                        Part::Rule(_) => None,
                    });
                    // Without the rules that were nested between them, lines may say the same.
                    (if is_plain { Kind::PlainStyle } else { Kind::Style }, Body::Lines(said_once(lines.collect())))
                } else {
                    (Kind::Style, Body::Parts(parts))
                };
                Written { kind, head: selectors.join(comma(self.format)), body }
            }
            Rule::Group(group) => {
                let head = self.head(group.head);
                let (kind, parts) = (group_kind(&head), self.parts(&group.rules));
                if parts.is_empty() && kind != Kind::Layer {
                    return None;
                }
                Written { kind, head, body: Body::Parts(parts) }
            }
            Rule::Statement(head) => Written { kind: Kind::Layer, head: self.head(head), body: Body::None },
            Rule::FontFace(body) => {
                let body = font::own_sources_only(body, self.base, self.resources)?;
                Written { kind: Kind::Other, head: "@font-face".to_owned(), body: self.lines(&body) }
            }
            Rule::Named(named) => self.named(named),
            Rule::Unknown(head, body) => Written {
                kind: Kind::Other,
                head: self.head(head),
                body: Body::Text(rewrite_value(body, self.base, self.resources)),
            },
        })
    }

    fn named(&self, named: &Named<'_>) -> Written {
        let body = if named.at.ends_with("keyframes") {
            let frame = |(head, body): (&str, &str)| {
                Part::Rule(Written { kind: Kind::Other, head: self.head(head), body: self.lines(body) })
            };
            Body::Parts(frames(named.body).map(frame).collect())
        } else {
            self.lines(named.body)
        };
        Written { kind: Kind::Other, head: self.head(named.head), body }
    }

    fn lines(&self, body: &str) -> Body {
        let lines = declarations_of(body).into_iter().filter_map(|d| self.line(d.name, d.value));
        Body::Lines(lines.collect())
    }

    fn line(&self, name: &str, value: &str) -> Option<(String, String)> {
        let is_custom = name.starts_with("--");
        let name = if is_custom { name.to_owned() } else { name.to_ascii_lowercase() };
        let value = if is_simple(value) {
            squeezed(value)
        } else {
            squeezed(trimmed(&rewrite_value(value, self.base, self.resources)))
        };
        (is_custom || !value.is_empty()).then_some((name, value))
    }

    fn selector(&self, text: &str, is_plain: bool) -> String {
        // A slash may begin a comment, which goes.
        let squeezed = if is_plain && !text.contains('/') { squeezed(text) } else { self.head(text) };
        if !is_plain {
            return squeezed;
        }
        if self.format == Format::Readable { spaced_combinators(&squeezed) } else { tight_combinators(&squeezed) }
    }

    fn head(&self, text: &str) -> String {
        if is_simple(text) { squeezed(text) } else { squeezed(trimmed(&rewrite_head(text, self.base, self.resources))) }
    }
}

/// Nothing in it opens, hides or names anything.
fn is_simple(text: &str) -> bool {
    text.bytes().all(|byte| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b' ' | b'-' | b'#' | b'.' | b'%' | b',' | b'+' | b'!' | b'_' | b'*' | b'\n' | b'\t' | b'>' | b'='
            )
    })
}

/// Runs of white space outside strings as one space.
fn squeezed(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' => {
                while at < bytes.len() && bytes[at].is_ascii_whitespace() {
                    at += 1;
                }
                out.push(' ');
            }
            b'"' | b'\'' => {
                let end = scan::skip(bytes, at);
                out.push_str(&text[at..end]);
                at = end;
            }
            b'\\' => {
                // What an escape ends with belongs to it.
                let mut end = super::sketch::name_end(bytes, at).max(at + 1);
                while !text.is_char_boundary(end) {
                    end += 1;
                }
                out.push_str(&text[at..end]);
                at = end;
            }
            _ => {
                let end = bytes[at + 1..]
                    .iter()
                    .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'\\'))
                    .map_or(bytes.len(), |length| at + 1 + length);
                out.push_str(&text[at..end]);
                at = end;
            }
        }
    }
    out
}

/// Combinators outside brackets with `around` on both sides.
fn with_combinators(selector: &str, around: &str) -> String {
    if !selector.contains(['>', '+', '~']) || selector.contains('\\') {
        return selector.to_owned();
    }
    let bytes = selector.as_bytes();
    let mut out = String::with_capacity(selector.len() + 8);
    let mut at = 0;
    while at < bytes.len() {
        if let combinator @ (b'>' | b'+' | b'~') = bytes[at] {
            out.truncate(out.trim_end_matches(' ').len());
            if !out.is_empty() {
                out.push_str(around);
            }
            out.push(char::from(combinator));
            out.push_str(around);
            at += 1;
            while bytes.get(at) == Some(&b' ') {
                at += 1;
            }
        } else {
            let mut end = scan::skip(bytes, at);
            while !selector.is_char_boundary(end) {
                end += 1;
            }
            out.push_str(&selector[at..end]);
            at = end;
        }
    }
    out
}

fn spaced_combinators(selector: &str) -> String {
    with_combinators(selector, " ")
}

fn tight_combinators(selector: &str) -> String {
    with_combinators(selector, "")
}

/// Most rounds of tidying; each takes rules away. Real sheets settle in two, one that has a pair of rules a hundred times in some
/// fifty.
const ROUNDS_MAX: usize = 512;

fn tidy(parts: &mut Vec<Part>, comma: &str) {
    for _ in 0..ROUNDS_MAX {
        for part in parts.iter_mut() {
            if let Part::Rule(Written { body: Body::Parts(parts), kind, .. }) = part
                && matches!(kind, Kind::Group | Kind::Layer)
            {
                tidy(parts, comma);
            }
        }
        let before = parts.len();
        drop_repeated(parts);
        join_neighbours(parts, comma);
        if parts.len() == before {
            return;
        }
    }
}

/// Drops a rule that comes again later in the same list: the later one decides, whatever stands between.
fn drop_repeated(parts: &mut Vec<Part>) {
    let mut seen: FxHashSet<&Written> = FxHashSet::default();
    let keep: Vec<bool> = parts
        .iter()
        .rev()
        .map(|part| match part {
            Part::Rule(rule) if rule.kind != Kind::Layer => seen.insert(rule),
            _ => true,
        })
        .collect();
    let mut keep = keep.into_iter().rev();
    parts.retain(|_| keep.next().unwrap_or(true));
}

/// Makes one rule of neighbours that have the same head or the same declarations.
fn join_neighbours(parts: &mut Vec<Part>, comma: &str) {
    let mut joined: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts.drain(..) {
        match (joined.last_mut(), part) {
            (Some(Part::Rule(last)), Part::Rule(rule)) => {
                if let Some(rule) = join(last, rule, comma) {
                    joined.push(Part::Rule(rule));
                }
            }
            (_, part) => joined.push(part),
        }
    }
    *parts = joined;
}

/// Declarations without those that others say again.
fn said_once(mut lines: Vec<(String, String)>) -> Vec<(String, String)> {
    let pairs: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut says_more = says_more(&pairs).into_iter();
    lines.retain(|_| says_more.next().unwrap_or(true));
    lines
}

/// Takes `rule` into `last`, or gives it back.
fn join(last: &mut Written, rule: Written, comma: &str) -> Option<Written> {
    if last.kind != rule.kind {
        return Some(rule);
    }
    match (rule.kind, &mut last.body, rule.body) {
        (Kind::PlainStyle | Kind::Style, Body::Lines(lines), Body::Lines(more)) if last.head == rule.head => {
            lines.extend(more);
            *lines = said_once(std::mem::take(lines));
            None
        }
        (Kind::PlainStyle, Body::Lines(lines), Body::Lines(more)) if *lines == more => {
            last.head.push_str(comma);
            last.head.push_str(&rule.head);
            None
        }
        (Kind::Group, Body::Parts(parts), Body::Parts(more)) if last.head == rule.head => {
            parts.extend(more);
            None
        }
        (kind, _, body) => Some(Written { kind, head: rule.head, body }),
    }
}

/// Layers order what is in layers; without any such rule they say nothing.
fn drop_idle_layers(rules: &mut Vec<Part>) {
    fn holds_anything(part: &Part) -> bool {
        match part {
            Part::Line(..) => true,
            Part::Rule(Written { body: Body::Parts(parts), kind, .. }) => {
                *kind == Kind::Layer && parts.iter().any(|part| !is_empty_layer(part))
                    || *kind == Kind::Group && parts.iter().any(holds_anything)
            }
            Part::Rule(_) => false,
        }
    }
    fn is_empty_layer(part: &Part) -> bool {
        match part {
            Part::Rule(Written { kind: Kind::Layer, body: Body::Parts(parts), .. }) => parts.iter().all(is_empty_layer),
            Part::Rule(Written { kind: Kind::Layer, body: Body::None, .. }) => true,
            _ => false,
        }
    }
    if !rules.iter().any(holds_anything) {
        rules.retain(|part| !is_empty_layer(part));
    }
}

fn print(parts: &[Part], depth: usize, format: Format, out: &mut String) {
    for part in parts {
        match part {
            Part::Line(name, value) => print_line(name, value, depth, format, out),
            Part::Rule(rule) => print_rule(rule, depth, format, out),
        }
    }
}

fn indent(depth: usize, format: Format, out: &mut String) {
    if format == Format::Readable {
        (0..depth).for_each(|_| out.push_str("  "));
    }
}

fn print_line(name: &str, value: &str, depth: usize, format: Format, out: &mut String) {
    indent(depth, format, out);
    let colon = if format == Format::Readable { ": " } else { ":" };
    let end = if format == Format::Readable { ";\n" } else { ";" };
    for text in [name, colon, value, end] {
        out.push_str(text);
    }
}

fn print_rule(rule: &Written, depth: usize, format: Format, out: &mut String) {
    let is_readable = format == Format::Readable;
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    indent(depth, format, out);
    out.push_str(&rule.head);
    match &rule.body {
        Body::None => {
            out.push_str(";\n");
            return;
        }
        Body::Text(text) => {
            out.push('{');
            out.push_str(text);
            out.push_str("}\n");
            return;
        }
        Body::Lines(lines) => {
            out.push_str(if is_readable { " {\n" } else { "{" });
            for (name, value) in lines {
                print_line(name, value, depth + 1, format, out);
            }
            if !is_readable && out.ends_with(';') {
                out.pop();
            }
        }
        Body::Parts(parts) => {
            out.push_str(if is_readable { " {\n" } else { "{\n" });
            print(parts, depth + 1, format, out);
        }
    }
    if is_readable {
        indent(depth, format, out);
    }
    out.push_str("}\n");
}
