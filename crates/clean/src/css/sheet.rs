//! Finding style sheets, and taking their imports in.

use std::collections::HashSet;

use cssparser::{ParseError, Parser, ParserInput, Token};
use encoding_rs::{Encoding, UTF_8};
use url::Url;

use super::scan::{List, Statements};
use crate::Asset;
use crate::resource::Resources;

/// What selectors name.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Class names.
    pub(crate) classes: HashSet<String>,
    /// Ids.
    pub(crate) ids: HashSet<String>,
    /// Attribute names, lower case.
    pub(crate) attributes: HashSet<String>,
}

/// Sheets that the page refers to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SheetCounts {
    pub(crate) found: usize,
    pub(crate) missing: usize,
}

/// A stretch of CSS with the address that its references start from, and the conditions that it stands under.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(super) css: String,
    pub(super) base: Url,
    /// Outermost first.
    pub(super) conditions: Vec<Condition>,
}

/// What an import or a `media` attribute puts around a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// The name; empty for an anonymous layer.
    Layer(String),
    Supports(String),
    Media(String),
}

impl Condition {
    /// The condition of a `media` attribute or an import; none if it holds for all media anyway.
    fn media(media: &str) -> Option<Self> {
        let media = media.trim();
        if media.is_empty() || media.eq_ignore_ascii_case("all") {
            return None;
        }
        // No media query has such characters; browsers read one that does as "not all".
        let is_odd = media.contains(['{', '}', ';', '<', '\\', '"', '\'', '/']);
        Some(Self::Media(if is_odd { "not all" } else { media }.to_owned()))
    }

    /// What stands before the block.
    pub(super) fn head(&self) -> String {
        match self {
            Self::Layer(name) if name.is_empty() => "@layer".to_owned(),
            Self::Layer(name) => format!("@layer {name}"),
            Self::Supports(condition) => format!("@supports ({condition})"),
            Self::Media(query) => format!("@media {query}"),
        }
    }
}

/// All style sheets of one page, in the order of the cascade.
pub(crate) struct Sheets<'r> {
    resources: Resources<'r>,
    pub(crate) counts: SheetCounts,
    pub(crate) pieces: Vec<Piece>,
    css_bytes: usize,
    /// The sheets that are being read, outermost first: an import of one of them is a cycle.
    open: Vec<String>,
    conditions: Vec<Condition>,
}

impl<'r> Sheets<'r> {
    pub(crate) fn new(resources: Resources<'r>) -> Self {
        Self {
            resources,
            counts: SheetCounts::default(),
            pieces: Vec::new(),
            css_bytes: 0,
            open: Vec::new(),
            conditions: Vec::new(),
        }
    }

    /// Adds the contents of a `<style>` element.
    pub(crate) fn embedded(&mut self, css: String, base: &Url, media: &str) {
        self.under(Condition::media(media), |sheets| sheets.add(css, base, 0));
    }

    /// Adds the sheet at a URL.
    pub(crate) fn linked(&mut self, reference: &str, base: &Url, media: &str) {
        self.under(Condition::media(media), |sheets| sheets.load(reference, base, 0));
    }

    fn under(&mut self, conditions: impl IntoIterator<Item = Condition>, add: impl FnOnce(&mut Self)) {
        let depth = self.conditions.len();
        self.conditions.extend(conditions);
        add(self);
        self.conditions.truncate(depth);
    }

    fn load(&mut self, reference: &str, base: &Url, depth: usize) {
        let policy = self.resources.policy;
        let url = base.join(reference.trim()).ok();
        let key = url.as_ref().map_or_else(String::new, without_fragment);
        let within_caps =
            depth <= policy.import_depth_max && self.counts.found + self.counts.missing < policy.sheets_max;
        let is_cycle = self.open.contains(&key);
        let asset = (within_caps && !is_cycle && url.is_some()).then(|| self.resources.sheet(&key)).flatten();
        let Some(asset) = asset
            .filter(|asset| is_style_sheet(&asset.mime) && self.css_bytes + asset.bytes.len() <= policy.css_bytes_max)
        else {
            self.counts.missing += 1;
            return;
        };
        self.counts.found += 1;
        self.css_bytes += asset.bytes.len();
        let css = decoded(&asset);
        // A data URL has no place that relative references could start from; the importing sheet's does no harm.
        let sheet_base = url.filter(|url| !url.cannot_be_a_base()).unwrap_or_else(|| base.clone());
        self.open.push(key);
        self.add(css, &sheet_base, depth);
        self.open.pop();
    }

    /// Adds a sheet: what it imports, then the rest of it. Layers that it names before its imports are named before them.
    fn add(&mut self, mut css: String, base: &Url, depth: usize) {
        let mut imports = Vec::new();
        let mut rest = 0;
        let mut statements = Statements::new(&css, List::Sheet);
        while let Some(statement) = statements.next() {
            let is = |name: &str| at_name(statement.head).eq_ignore_ascii_case(name);
            if statement.block.is_some() || !(is("import") || is("charset") || is("layer")) {
                break;
            }
            if is("import") {
                let mut input = ParserInput::new(&statement.head["@import".len()..]);
                let import = Import::parse(&mut Parser::new(&mut input));
                imports.push((css[rest..statement.start].to_owned(), import));
                rest = statements.position();
            }
        }
        for (before, import) in imports {
            self.push(before, base);
            if let Some(import) = import {
                let Import { url, conditions } = import;
                self.under(conditions, |sheets| sheets.load(&url, base, depth + 1));
            }
        }
        css.drain(..rest);
        self.push(css, base);
    }

    fn push(&mut self, css: String, base: &Url) {
        // An empty layer still takes its place in the order of layers; other empty blocks say nothing.
        let is_layer = self.conditions.iter().any(|condition| matches!(condition, Condition::Layer(_)));
        if is_layer || !css.trim().is_empty() {
            self.pieces.push(Piece { css, base: base.clone(), conditions: self.conditions.clone() });
        }
    }
}

/// The name of an at-rule, without the `@`; empty for other rules.
pub(super) fn at_name(head: &str) -> &str {
    let Some(name) = head.strip_prefix('@') else { return "" };
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    &name[..name.find(|c| !is_part(c)).unwrap_or(name.len())]
}

fn without_fragment(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    url.into()
}

/// Servers answer missing sheets with pages. Anything else may be CSS under a wrong name.
fn is_style_sheet(mime: &str) -> bool {
    let mime = mime.trim_start().to_ascii_lowercase();
    !(mime.starts_with("text/html") || mime.starts_with("image/") || mime.starts_with("font/"))
}

/// Bytes to text by byte order mark, `Content-Type`, `@charset`, else UTF-8; line ends as CSS counts them.
pub(crate) fn decoded(asset: &Asset) -> String {
    let label_of = |text: &str| Encoding::for_label(text.trim_matches(['"', '\'', ' ']).as_bytes());
    let by_header = asset
        .mime
        .to_ascii_lowercase()
        .split_once("charset=")
        .and_then(|(_, label)| label_of(label.split(';').next()?));
    let by_rule = || {
        let rest = asset.bytes.strip_prefix(b"@charset \"")?;
        let end = rest.iter().take(64).position(|&byte| byte == b'"')?;
        Encoding::for_label(&rest[..end])
    };
    let encoding = by_header.or_else(by_rule).unwrap_or(UTF_8);
    let (text, _, _) = encoding.decode(&asset.bytes);
    text.replace("\r\n", "\n").replace(['\r', '\u{c}'], "\n").replace('\0', "\u{fffd}")
}

/// An `@import`: where to, and under which conditions, outermost first.
#[derive(Debug, PartialEq, Eq)]
struct Import {
    url: String,
    conditions: Vec<Condition>,
}

impl Import {
    /// Reads what stands between `@import` and `;`.
    fn parse(parser: &mut Parser<'_, '_>) -> Option<Self> {
        let url = parser.expect_url_or_string().ok()?.to_string();
        let (mut layer, mut supports) = (None, None);
        loop {
            let state = parser.state();
            match parser.next() {
                Ok(Token::Ident(name)) if name.eq_ignore_ascii_case("layer") && layer.is_none() => {
                    layer = Some(Condition::Layer(String::new()));
                }
                Ok(Token::Function(name)) if name.eq_ignore_ascii_case("layer") && layer.is_none() => {
                    layer = contents(parser).map(Condition::Layer);
                }
                Ok(Token::Function(name)) if name.eq_ignore_ascii_case("supports") && supports.is_none() => {
                    supports = contents(parser).map(Condition::Supports);
                }
                _ => {
                    parser.reset(&state);
                    break;
                }
            }
        }
        let start = parser.position();
        while parser.next().is_ok() {}
        let media = Condition::media(parser.slice_from(start));
        Some(Self { url, conditions: [media, supports, layer].into_iter().flatten().collect() })
    }
}

fn contents(parser: &mut Parser<'_, '_>) -> Option<String> {
    parser
        .parse_nested_block(|parser| {
            let start = parser.position();
            while parser.next().is_ok() {}
            Ok::<_, ParseError<'_, ()>>(parser.slice_from(start).to_owned())
        })
        .ok()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.contains(['{', '}', ';']))
}
