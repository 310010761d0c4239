//! One style sheet, token by token.
//!
//! Text is copied as it stands; only what a browser would fetch is replaced and comments go. What comes out is
//! balanced: sheets are joined into one, and a bracket that one leaves open must not swallow the next.

use std::borrow::Cow;

use cssparser::{Delimiter, ParseError, Parser, ParserInput, SourcePosition, Token};
use url::Url;

use super::sheet::Names;
use super::{font, trimmed};
use crate::resource::Resources;

/// Deepest nesting of blocks that is followed; what is inside deeper ones is dropped. Real sheets nest about six deep,
/// and each level takes stack.
const BLOCK_DEPTH_MAX: usize = 64;

/// What stands for a URL that leads nowhere: an image that fails to load, at no cost.
const NOTHING: &str = "url(data:,)";

/// What stands for a token that is wrong by itself: wrong too, wherever it stands, but it does not depend on what follows.
const INVALID: &str = "!";

/// Rewrites a sheet whose imports have been taken in; the names in its selectors go to `names`.
pub(super) fn rewrite_sheet(css: &str, base: &Url, resources: Resources<'_>, names: &mut Names) -> String {
    let css = without_last_backslash(css);
    let mut rewriter = Rewriter::new(&css, base, resources);
    rewriter.names = Some(names);
    trimmed(&rewriter.run(Place::Sheet)).to_owned()
}

/// Rewrites the contents of a `style` attribute.
pub(crate) fn rewrite_declarations(css: &str, base: &Url, resources: Resources<'_>) -> String {
    // Everything that can name a URL has a parenthesis.
    if !css.contains('(') && !css.contains("/*") {
        return trimmed(css).to_owned();
    }
    trimmed(&Rewriter::new(&without_last_backslash(css), base, resources).run(Place::Block)).to_owned()
}

/// Rewrites a presentation attribute such as `fill`, where URLs other than fragments of the page are dropped.
pub(crate) fn rewrite_attribute_value(value: &str, base: &Url, resources: Resources<'_>) -> String {
    Rewriter::new(&without_last_backslash(value), base, resources).run(Place::Value)
}

/// Rewrites the value of a declaration, or the inside of a block.
pub(super) fn rewrite_value(value: &str, base: &Url, resources: Resources<'_>) -> String {
    Rewriter::new(&without_last_backslash(value), base, resources).run(Place::Block)
}

/// Rewrites what stands before a block.
pub(super) fn rewrite_head(head: &str, base: &Url, resources: Resources<'_>) -> String {
    Rewriter::new(&without_last_backslash(head), base, resources).run(Place::Value)
}

/// A backslash at the very end stands for U+FFFD; what is put after it must not be escaped by it.
fn without_last_backslash(css: &str) -> Cow<'_, str> {
    let before = css.trim_end_matches('\\');
    if (css.len() - before.len()).is_multiple_of(2) {
        Cow::Borrowed(css)
    } else {
        format!("{}\u{fffd}", &css[..css.len() - 1]).into()
    }
}

/// Where in a sheet the tokens stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Not inside any block.
    Sheet,
    /// In `{}`, or in a style attribute.
    Block,
    /// In `()`, or after a function's name.
    Value,
    /// In `[]`: a selector's attribute.
    Brackets,
    /// In `image-set()` and the like, where a string is a URL.
    ImageList,
    /// In `attr()`.
    AttributeName,
}

struct Rewriter<'a, 'n, 'r> {
    css: &'a str,
    base: &'a Url,
    resources: Resources<'r>,
    names: Option<&'n mut Names>,
    depth: usize,
    out: String,
    /// Where the white space at the end of `out` begins, if there is any.
    space_start: Option<usize>,
    after_dot: bool,
}

type Nested<'i> = Result<(), ParseError<'i, ()>>;

impl<'a, 'r> Rewriter<'a, '_, 'r> {
    fn new(css: &'a str, base: &'a Url, resources: Resources<'r>) -> Self {
        Self {
            css,
            base,
            resources,
            names: None,
            depth: 0,
            out: String::with_capacity(css.len()),
            space_start: None,
            after_dot: false,
        }
    }

    fn run(mut self, place: Place) -> String {
        let mut input = ParserInput::new(self.css);
        let mut parser = Parser::new(&mut input);
        self.tokens(&mut parser, place);
        self.out
    }

    fn push(&mut self, text: &str) {
        self.space_start = None;
        self.out.push_str(text);
    }

    /// Runs of white space with blank lines (comments leave them) shrink to the last line's.
    fn push_space(&mut self, space: &str) {
        let start = *self.space_start.get_or_insert(self.out.len());
        self.out.push_str(space);
        let run = &self.out[start..];
        if run.matches('\n').count() > 1
            && let Some(last) = run.rfind('\n')
        {
            self.out.replace_range(start..start + last, "");
        }
    }

    /// A comment parts tokens without being white space, so an empty one stays where its neighbours could grow together.
    fn push_comment(&mut self, rest: &str) {
        let separates = |c: char| c.is_ascii_whitespace() || "{};:,()".contains(c);
        let glued = self.out.chars().next_back().is_some_and(|c| !separates(c))
            && rest.chars().next().is_some_and(|c| !separates(c));
        if glued && !self.out.ends_with("/**/") {
            self.push("/**/");
        }
    }

    fn tokens(&mut self, parser: &mut Parser<'_, '_>, place: Place) {
        loop {
            let start = parser.position();
            let Ok(token) = parser.next_including_whitespace_and_comments() else { return };
            let token = token.clone();
            let after_dot = std::mem::replace(&mut self.after_dot, false);
            match &token {
                Token::WhiteSpace(space) => self.push_space(space),
                Token::Comment(_) => {
                    let rest = &self.css[parser.position().byte_index()..];
                    self.push_comment(rest);
                }
                Token::UnquotedUrl(url) => self.push_url(url, parser.slice_from(start)),
                Token::BadUrl(_) | Token::BadString(_) => self.push(INVALID),
                Token::QuotedString(text) if place == Place::ImageList => {
                    let resolved = self.resources.css_url(text, self.base);
                    self.push(&resolved.unwrap_or_else(|| quoted_url(text)));
                }
                Token::QuotedString(text) => self.push_string(text, parser.slice_from(start)),
                Token::Function(name) => self.function(parser, start, &name.clone(), place),
                Token::ParenthesisBlock => self.nested(parser, "(", Place::Value, ")"),
                Token::SquareBracketBlock => self.nested(parser, "[", Place::Brackets, "]"),
                Token::CurlyBracketBlock => self.nested(parser, "{", Place::Block, "}"),
                // Outside blocks it is a stray one that spoils the next rule. So does this one, and it closes nothing
                // when the sheet is put into a block.
                Token::CloseCurlyBracket if place == Place::Sheet => self.push("]"),
                Token::CDO | Token::CDC if place == Place::Sheet => self.push_space(" "),
                Token::AtKeyword(name) if matches!(place, Place::Sheet | Place::Block) => {
                    let name = name.clone();
                    self.at_rule(parser, start, &name);
                }
                Token::Ident(name) => {
                    let name = name.to_string();
                    match place {
                        Place::Brackets | Place::AttributeName => {
                            if let Some(names) = &mut self.names {
                                names.attributes.insert(name.to_ascii_lowercase());
                            }
                        }
                        _ if after_dot => {
                            if let Some(names) = &mut self.names {
                                names.classes.insert(name);
                            }
                        }
                        _ => {}
                    }
                    self.push(parser.slice_from(start));
                }
                other => {
                    self.after_dot = matches!(other, Token::Delim('.'));
                    self.push(parser.slice_from(start));
                }
            }
        }
    }

    fn nested(&mut self, parser: &mut Parser<'_, '_>, open: &str, place: Place, close: &str) {
        self.push(open);
        if self.depth < BLOCK_DEPTH_MAX {
            self.depth += 1;
            // Cannot fail: the closure never does.
            let _: Nested<'_> = parser.parse_nested_block(|parser| {
                self.tokens(parser, place);
                Ok(())
            });
            self.depth -= 1;
        }
        self.push(close);
    }

    fn function(&mut self, parser: &mut Parser<'_, '_>, start: SourcePosition, name: &str, place: Place) {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        let open = parser.slice_from(start);
        if is("url") || is("src") {
            let argument = parser.parse_nested_block(|parser| {
                let url = parser.expect_string_cloned()?;
                while parser.next().is_ok() {}
                Ok::<_, ParseError<'_, ()>>(url)
            });
            match argument {
                Ok(url) => {
                    let replaced = self.resources.css_url(&url, self.base);
                    self.push(&replaced.unwrap_or_else(|| quoted_url(&url)));
                }
                Err(_) => self.push(NOTHING),
            }
        } else if place == Place::ImageList && (is("var") || is("attr") || is("env")) {
            // Might stand for a string, which would be a URL here.
            self.push(NOTHING);
        } else if is("image-set")
            || is("-webkit-image-set")
            || is("image")
            || is("cross-fade")
            || is("-webkit-cross-fade")
        {
            self.nested(parser, open, Place::ImageList, ")");
        } else if is("attr") {
            self.nested(parser, open, Place::AttributeName, ")");
        } else {
            self.nested(parser, open, Place::Value, ")");
        }
    }

    fn push_url(&mut self, url: &str, as_written: &str) {
        if let Some(replaced) = self.resources.css_url(url, self.base) {
            self.push(&replaced);
        } else {
            self.push(as_written);
            if !as_written.ends_with(')') {
                self.push(")");
            }
        }
    }

    /// The end of a sheet closes a string; ours must not depend on that.
    fn push_string(&mut self, text: &str, as_written: &str) {
        let quote = &as_written[..1];
        let inner = as_written[1..].strip_suffix(quote);
        let is_closed = inner.is_some_and(|inner| (inner.len() - inner.trim_end_matches('\\').len()) % 2 == 0);
        if is_closed {
            self.push(as_written);
        } else {
            let mut closed = String::new();
            // Writing to a string cannot fail.
            let _ = cssparser::serialize_string(text, &mut closed);
            self.push(&closed);
        }
    }

    fn at_rule(&mut self, parser: &mut Parser<'_, '_>, start: SourcePosition, name: &str) {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("font-face") {
            skip_to_block_or_semicolon(parser);
            if let Ok(Token::CurlyBracketBlock) = parser.next() {
                let body = parser.parse_nested_block(|parser| {
                    let from = parser.position();
                    while parser.next().is_ok() {}
                    Ok::<_, ParseError<'_, ()>>(parser.slice_from(from))
                });
                if let Some(body) = body.ok().and_then(|body| font::own_sources_only(body, self.base, self.resources)) {
                    let body = Rewriter::new(&body, self.base, self.resources).run(Place::Block);
                    self.push("@font-face{");
                    self.push(trimmed(&body));
                    self.push("}");
                }
            }
        } else if is("import") || is("charset") || is("namespace") {
            skip_to_block_or_semicolon(parser);
            end_statement(parser);
        } else {
            self.push(parser.slice_from(start));
        }
    }
}

fn skip_to_block_or_semicolon(parser: &mut Parser<'_, '_>) {
    let _: Nested<'_> = parser.parse_until_before(Delimiter::Semicolon | Delimiter::CurlyBracketBlock, |parser| {
        while parser.next().is_ok() {}
        Ok(())
    });
}

/// Takes the `;`, or the block that stands in its place.
fn end_statement(parser: &mut Parser<'_, '_>) {
    if let Ok(Token::CurlyBracketBlock) = parser.next() {
        let _: Nested<'_> = parser.parse_nested_block(|parser| {
            while parser.next().is_ok() {}
            Ok(())
        });
    }
}

fn quoted_url(url: &str) -> String {
    let mut text = "url(".to_owned();
    // Writing to a string cannot fail.
    let _ = cssparser::serialize_string(url, &mut text);
    text.push(')');
    text
}
