//! `@font-face` rules: only fonts that the page carries in itself or that are installed stay.

use cssparser::{Parser, ParserInput, Token};
use url::Url;

use super::scan;
use crate::resource::Resources;

/// The body of the rule with only sources that need no fetching; `None` when it has none of them. The first font that
/// the assets have is enough, if fonts are inlined at all.
pub(super) fn own_sources_only(body: &str, base: &Url, resources: Resources<'_>) -> Option<String> {
    let mut has_source = false;
    let mut kept = Vec::new();
    for declaration in scan::split(body, b';') {
        let is_source = declaration
            .split_once(':')
            .is_some_and(|(name, _)| strip_comments(name).trim().eq_ignore_ascii_case("src"));
        if !is_source {
            kept.push(declaration.trim().to_owned());
            continue;
        }
        let value = declaration.split_once(':').map_or("", |(_, value)| value);
        let mut sources: Vec<String> = Vec::new();
        let mut has_inlined = false;
        for source in scan::split(value, b',') {
            if is_own(source, resources) {
                sources.push(source.trim().to_owned());
            } else if !has_inlined && let Some(font) = inlined(source, base, resources) {
                has_inlined = true;
                sources.push(format!("url({font})"));
            }
        }
        if !sources.is_empty() {
            has_source = true;
            kept.push(format!("src:{}", sources.join(",")));
        }
    }
    // A comment would leave its semicolon behind.
    kept.retain(|declaration| scan::skip_space_and_comments(declaration.as_bytes(), 0) < declaration.len());
    has_source.then(|| kept.join(";"))
}

/// The font that a source names, from the assets.
fn inlined(source: &str, base: &Url, resources: Resources<'_>) -> Option<String> {
    let mut input = ParserInput::new(source);
    let mut parser = Parser::new(&mut input);
    let address = parser.expect_url().ok()?;
    resources.font(&resources.resolve(&address, base)?)
}

fn strip_comments(text: &str) -> &str {
    text.rsplit_once("*/").map_or(text, |(_, rest)| rest)
}

fn is_own(source: &str, resources: Resources<'_>) -> bool {
    let mut input = ParserInput::new(source);
    let mut parser = Parser::new(&mut input);
    match parser.next() {
        Ok(Token::UnquotedUrl(url)) => resources.keeps_data_url(url),
        Ok(Token::Function(name)) if name.eq_ignore_ascii_case("local") => true,
        Ok(Token::Function(name)) if name.eq_ignore_ascii_case("url") => parser
            .parse_nested_block(|parser| Ok::<_, cssparser::ParseError<'_, ()>>(parser.expect_string_cloned()?))
            .is_ok_and(|url| resources.keeps_data_url(&url)),
        _ => false,
    }
}
