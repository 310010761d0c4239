//! What a document would do by itself, and how well it parses: for code that nobody has cleaned.

use cssparser::{Parser, ParserInput, Token};

use crate::data_url;
use crate::dom::{self, Caps, Dom, Element, NodeId};

/// What was found in a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// Errors of the HTML standard's parser.
    pub parse_errors: usize,
    /// What acts or loads by itself, one short entry each, in document order: `<script>`, `onclick`, `img src=http://…`.
    pub active: Vec<String>,
}

/// More elements or levels than this are not looked at: the document is then active as a whole.
const CAPS: Caps = Caps { elements_max: 200_000, depth_max: 2_000 };
/// Elements that run, embed or load something whatever their attributes say.
const ELEMENTS: &[&str] =
    &["script", "iframe", "frame", "object", "embed", "applet", "base", "portal", "fencedframe", "animate", "set"];
/// Attributes that browsers load from.
const REFERENCES: &[&str] =
    &["src", "srcset", "imagesrcset", "poster", "data", "background", "lowsrc", "dynsrc", "manifest"];
/// Letters of an address that are shown.
const SHOWN_CHARS: usize = 60;

/// Looks through a document: as a browser parses it, with scripts off.
pub fn audit(html: &str) -> Audit {
    let dom = match dom::parse(html, CAPS) {
        Ok(dom) => dom,
        Err(overflow) => return Audit { parse_errors: 0, active: vec![format!("{overflow:?}")] },
    };
    let mut active = Vec::new();
    look(&dom, Dom::DOCUMENT, &mut active);
    Audit { parse_errors: dom.parse_errors, active }
}

fn look(dom: &Dom, root: NodeId, active: &mut Vec<String>) {
    let mut roots = vec![root];
    while let Some(root) = roots.pop() {
        for node in dom.descendants(root) {
            let Some(element) = dom.element(node) else { continue };
            look_at(element, active);
            if &*element.name.local == "style" {
                css(&dom.text_below(node), active);
            }
            roots.extend(dom.template_contents(node));
        }
    }
}

fn look_at(element: &Element, active: &mut Vec<String>) {
    let tag = &*element.name.local;
    let is_link = tag == "link" && !element.has_word("rel", "canonical");
    if ELEMENTS.contains(&tag) || is_link || (tag == "meta" && element.has("http-equiv")) {
        active.push(format!("<{tag}>"));
    }
    for attribute in &element.attributes {
        let (name, value) = (&*attribute.name.local, &*attribute.value);
        let is_reference = REFERENCES.contains(&name)
            || (matches!(tag, "image" | "use" | "feimage" | "feImage") && name == "href")
            || name == "action"
            || name == "formaction";
        if name.starts_with("on") && name.len() > 2 {
            active.push(name.to_owned());
        } else if runs(value) || name == "srcdoc" || (is_reference && leads_away(value)) {
            active.push(shown(tag, name, value));
        } else if name == "style" {
            css(value, active);
        }
    }
}

fn shown(tag: &str, name: &str, value: &str) -> String {
    format!("{tag} {name}={}", value.trim().chars().take(SHOWN_CHARS).collect::<String>())
}

/// A scheme that browsers run, however it is spaced and spelled.
fn runs(value: &str) -> bool {
    let mut letters =
        value.chars().filter(|c| !c.is_ascii_control() && !c.is_whitespace()).map(|c| c.to_ascii_lowercase());
    let start: String = letters.by_ref().take(11).collect();
    start.starts_with("javascript:") || start.starts_with("vbscript:")
}

/// A reference to another place than the document itself. Of a list each address counts, and every one but `data:` leads away.
fn leads_away(value: &str) -> bool {
    let value = value.trim();
    !value.is_empty() && !value.starts_with('#') && !data_url::is_data_url(value)
}

/// Everything that CSS loads: each `url(…)` and what stands for one, and `@import`.
fn css(text: &str, active: &mut Vec<String>) {
    let mut input = ParserInput::new(text);
    tokens(&mut Parser::new(&mut input), active);
}

fn tokens(parser: &mut Parser<'_, '_>, active: &mut Vec<String>) {
    while let Ok(token) = parser.next_including_whitespace_and_comments().cloned() {
        match token {
            Token::UnquotedUrl(url) if leads_away(&url) => active.push(shown("css", "url", &url)),
            Token::AtKeyword(name) if name.eq_ignore_ascii_case("import") => active.push("@import".to_owned()),
            Token::Function(name) => {
                let loads = ["url", "src", "image-set", "-webkit-image-set", "image"];
                let loads = loads.iter().any(|known| name.eq_ignore_ascii_case(known));
                block(parser, active, loads);
            }
            Token::ParenthesisBlock | Token::SquareBracketBlock | Token::CurlyBracketBlock => {
                block(parser, active, false);
            }
            _ => {}
        }
    }
}

fn block(parser: &mut Parser<'_, '_>, active: &mut Vec<String>, loads: bool) {
    let looked: Result<(), cssparser::ParseError<'_, ()>> = parser.parse_nested_block(|inner| {
        if loads {
            let state = inner.state();
            while let Ok(token) = inner.next().cloned() {
                if let Token::QuotedString(url) = token
                    && leads_away(&url)
                {
                    active.push(shown("css", "url", &url));
                }
            }
            inner.reset(&state);
        }
        tokens(inner, active);
        Ok(())
    });
    // What does not parse was looked at all the same, token by token.
    drop(looked);
}

#[cfg(test)]
mod tests {
    use super::audit;

    fn check(html: &str, expected: &[&str]) {
        let page = format!("<!doctype html><html><head><title>t</title></head><body>{html}</body></html>");
        assert_eq!(audit(&page).active, expected, "{html}");
    }

    #[test]
    fn quiet_documents() {
        check("<p style='color: red'>a <a href='https://example.org/'>b</a><img src='data:image/png;base64,AA'>", &[]);
        check("<style>a{background:url(#b)} b{background:url('data:,')} @media print{a{color:red}}</style>", &[]);
        check("<form action=''><input name=onion></form><svg><use href='#a'></use></svg>", &[]);
    }

    #[test]
    fn what_acts() {
        check("<script>1</script>", &["<script>"]);
        check("<svg><script>1</script></svg>", &["<script>"]);
        check("<template><script>1</script></template>", &["<script>"]);
        check("<p OnClick='x()'>a", &["onclick"]);
        check("<a href='java\nscript:x()'>a</a>", &["a href=java\nscript:x()"]);
        check("<a href='&#106;avascript:x()'>a</a>", &["a href=javascript:x()"]);
        check("<iframe srcdoc='<b>'></iframe>", &["<iframe>", "iframe srcdoc=<b>"]);
        check("<meta http-equiv=refresh content='0;url=http://x'>", &["<meta>"]);
        check("<link rel=stylesheet href=a.css><base href='http://x/'>", &["<link>", "<base>"]);
        check("<object data=a></object><embed src=b>", &["<object>", "object data=a", "<embed>", "embed src=b"]);
    }

    #[test]
    fn what_loads() {
        check("<img src=http://x/a.png srcset='b 2x'>", &["img src=http://x/a.png", "img srcset=b 2x"]);
        check("<img src='//x/a.png'><video poster=a></video>", &["img src=//x/a.png", "video poster=a"]);
        check("<svg><image href='http://x'/></svg>", &["image href=http://x"]);
        check("<p style='background:url(http://x)'>", &["css url=http://x"]);
        check("<style>@import 'a.css'; @media all{a{b:URL( \"http://x\" )}}</style>", &["@import", "css url=http://x"]);
        check("<style>a{b:image-set('c.png' 1x)} \\75rl(y){}</style>", &["css url=c.png", "css url=y"]);
        check("<form action='http://x'></form>", &["form action=http://x"]);
    }

    #[test]
    fn errors_are_counted() {
        let errors = |html: &str| audit(html).parse_errors;
        assert_eq!(errors("<!doctype html><title>t</title><p>a</p>"), 0);
        assert!(errors("<!doctype html><title>t</title><p>a</b></i>") >= 2);
        let deep = "<div>".repeat(3000);
        assert_eq!(audit(&deep).active.len(), 1, "a bomb is active as a whole");
    }
}
