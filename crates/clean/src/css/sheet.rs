//! Finding style sheets, and taking their imports in.

use std::collections::HashSet;

use cssparser::{ParseError, Parser, Token};
use encoding_rs::{Encoding, UTF_8};
use url::Url;

use super::rewrite::rewrite_sheet;
use super::trimmed;
use crate::Asset;
use crate::resource::Resources;

/// What the selectors of the page's sheets name.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Class names.
    pub(crate) classes: HashSet<String>,
    /// Attribute names, lower case.
    pub(crate) attributes: HashSet<String>,
}

/// Sheets that the page refers to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SheetCounts {
    pub(crate) found: usize,
    pub(crate) missing: usize,
}

/// All style sheets of one page.
pub(crate) struct Sheets<'r> {
    pub(super) resources: Resources<'r>,
    pub(crate) names: Names,
    pub(crate) counts: SheetCounts,
    css_bytes: usize,
    /// The sheets that are being read, outermost first: an import of one of them is a cycle.
    open: Vec<String>,
}

impl<'r> Sheets<'r> {
    pub(crate) fn new(resources: Resources<'r>) -> Self {
        Self { resources, names: Names::default(), counts: SheetCounts::default(), css_bytes: 0, open: Vec::new() }
    }

    /// The contents of a `<style>` element.
    pub(crate) fn embedded(&mut self, css: &str, base: &Url) -> String {
        trimmed(&rewrite_sheet(css, base, self, 0)).to_owned()
    }

    /// The sheet at a URL, written as the page writes it.
    pub(crate) fn linked(&mut self, reference: &str, base: &Url) -> Option<String> {
        self.load(reference, base, 0)
    }

    pub(super) fn import(&mut self, import: &Import, base: &Url, depth: usize) -> Option<String> {
        let text = self.load(&import.url, base, depth)?;
        Some(import.wrap(&text))
    }

    fn load(&mut self, reference: &str, base: &Url, depth: usize) -> Option<String> {
        let policy = self.resources.policy;
        let url = base.join(reference.trim()).ok();
        let key = url.as_ref().map_or_else(String::new, without_fragment);
        let within_caps =
            depth <= policy.import_depth_max && self.counts.found + self.counts.missing < policy.sheets_max;
        let is_cycle = self.open.contains(&key);
        let asset = (within_caps && !is_cycle && url.is_some()).then(|| self.resources.get(&key)).flatten();
        let Some(asset) = asset
            .filter(|asset| is_style_sheet(&asset.mime) && self.css_bytes + asset.bytes.len() <= policy.css_bytes_max)
        else {
            self.counts.missing += 1;
            return None;
        };
        self.counts.found += 1;
        self.css_bytes += asset.bytes.len();
        let text = decode(&asset);
        // A data URL has no place that relative references could start from; the importing sheet's does no harm.
        let sheet_base = url.filter(|url| !url.cannot_be_a_base()).unwrap_or_else(|| base.clone());
        self.open.push(key);
        let rewritten = rewrite_sheet(&text, &sheet_base, self, depth);
        self.open.pop();
        Some(trimmed(&rewritten).to_owned())
    }
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
fn decode(asset: &Asset) -> String {
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

/// `css` inside `@media`, unless it holds for all media anyway.
pub(crate) fn in_media(css: &str, media: &str) -> String {
    let media = media.trim();
    if css.is_empty() || media.is_empty() || media.eq_ignore_ascii_case("all") {
        return css.to_owned();
    }
    // No media query has such characters; browsers read one that does as "not all".
    let media = if media.contains(['{', '}', ';', '<', '\\', '"', '\'', '/']) { "not all" } else { media };
    format!("@media {media}{{\n{css}\n}}")
}

/// An `@import`: where to, and under which conditions.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Import {
    url: String,
    /// Name of the layer; empty for an anonymous one.
    layer: Option<String>,
    supports: Option<String>,
    media: String,
}

impl Import {
    /// Reads what stands between `@import` and `;`.
    pub(super) fn parse(parser: &mut Parser<'_, '_>) -> Option<Self> {
        let url = parser.expect_url_or_string().ok()?.to_string();
        let mut import = Self { url, ..Self::default() };
        loop {
            let state = parser.state();
            match parser.next() {
                Ok(Token::Ident(name)) if name.eq_ignore_ascii_case("layer") && import.layer.is_none() => {
                    import.layer = Some(String::new());
                }
                Ok(Token::Function(name)) if name.eq_ignore_ascii_case("layer") && import.layer.is_none() => {
                    import.layer = contents(parser);
                }
                Ok(Token::Function(name)) if name.eq_ignore_ascii_case("supports") && import.supports.is_none() => {
                    import.supports = contents(parser);
                }
                _ => {
                    parser.reset(&state);
                    break;
                }
            }
        }
        let start = parser.position();
        while parser.next().is_ok() {}
        parser.slice_from(start).trim().clone_into(&mut import.media);
        Some(import)
    }

    fn wrap(&self, css: &str) -> String {
        let mut text = css.to_owned();
        // An empty layer still takes its place in the order of layers; other empty blocks say nothing.
        if text.is_empty() && self.layer.is_none() {
            return text;
        }
        if let Some(layer) = &self.layer {
            text = format!("@layer {}{{\n{text}\n}}", layer.trim());
        }
        if let Some(condition) = &self.supports {
            text = format!("@supports ({}){{\n{text}\n}}", condition.trim());
        }
        in_media(&text, &self.media)
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
        .filter(|text| !text.contains(['{', '}', ';']))
}
