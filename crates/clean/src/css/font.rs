//! `@font-face` rules: only fonts that the page carries in itself or that are installed stay.

use cssparser::{Parser, ParserInput, Token};

use crate::resource::Resources;

/// The body of the rule with only `data:` and `local()` sources; `None` when it has none of them.
pub(super) fn own_sources_only(body: &str, resources: Resources<'_>) -> Option<String> {
    let mut has_source = false;
    let mut kept = Vec::new();
    for declaration in split(body, &Token::Semicolon) {
        let is_source = declaration
            .split_once(':')
            .is_some_and(|(name, _)| strip_comments(name).trim().eq_ignore_ascii_case("src"));
        if !is_source {
            kept.push(declaration.trim().to_owned());
            continue;
        }
        let value = declaration.split_once(':').map_or("", |(_, value)| value);
        let sources: Vec<&str> =
            split(value, &Token::Comma).into_iter().filter(|s| is_own(s, resources)).map(str::trim).collect();
        if !sources.is_empty() {
            has_source = true;
            kept.push(format!("src:{}", sources.join(",")));
        }
    }
    kept.retain(|declaration| !declaration.is_empty());
    has_source.then(|| kept.join(";"))
}

fn strip_comments(text: &str) -> &str {
    text.rsplit_once("*/").map_or(text, |(_, rest)| rest)
}

/// The pieces between separators that stand outside any bracket.
fn split<'a>(text: &'a str, separator: &Token<'_>) -> Vec<&'a str> {
    let mut input = ParserInput::new(text);
    let mut parser = Parser::new(&mut input);
    let mut pieces = Vec::new();
    let mut start = parser.position();
    loop {
        let before = parser.position();
        match parser.next_including_whitespace_and_comments() {
            Ok(token) if token == separator => {
                pieces.push(parser.slice(start..before));
                start = parser.position();
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    pieces.push(parser.slice_from(start));
    pieces
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
