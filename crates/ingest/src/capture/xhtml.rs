//! XHTML as HTML: the same document, written so that an HTML parser understands it.
//!
//! `application/xhtml+xml` is XML: `<script/>` is closed, `<![CDATA[` is text, and a document that is not well-formed is
//! shown as an error instead of a page. Everything behind this crate reads HTML, where the same characters mean other
//! things, so the document is written anew. What HTML has no way to say (a `div` in a `p`) is left to its parser.

use std::borrow::Cow;
use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

/// Elements without content and end tag.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements whose text stands as it is, without escapes.
const RAW: &[&str] = &["script", "style", "xmp", "iframe", "noembed", "noframes"];
/// Elements inside which tags may close themselves.
const FOREIGN: &[&str] = &["svg", "math"];
/// Namespaces whose elements HTML knows by their bare names.
const KNOWN: &[&str] =
    &["http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"];

/// `text` as HTML; why not, where it is not well-formed.
pub(super) fn to_html(text: &str) -> Result<String, String> {
    let mut reader = Reader::from_str(text);
    // No quirks, whatever the document type: XML has none.
    let mut writer = Writer { html: String::with_capacity(text.len() + 64), ..Writer::default() };
    writer.html.push_str("<!DOCTYPE html>\n");
    loop {
        let event = reader.read_event().map_err(|error| format!("{error} at byte {}", reader.error_position()))?;
        match event {
            Event::Start(tag) => writer.open(&tag, false)?,
            Event::Empty(tag) => writer.open(&tag, true)?,
            Event::End(_) => writer.close(),
            Event::Text(text) => writer.text(&String::from_utf8_lossy(&text)),
            Event::CData(text) => writer.literal(&String::from_utf8_lossy(&text)),
            Event::GeneralRef(name) => writer.text(&format!("&{};", String::from_utf8_lossy(&name))),
            Event::PI(instruction) if instruction.target() == b"xml-stylesheet" => {
                writer.link(&String::from_utf8_lossy(instruction.content()));
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    match (writer.open.last(), writer.has_root) {
        (Some(name), _) => Err(format!("`{name}` is not closed")),
        (None, false) => Err("it has no element".to_owned()),
        (None, true) => Ok(writer.html),
    }
}

#[derive(Default)]
struct Writer {
    html: String,
    /// Names of the open elements, as written.
    open: Vec<String>,
    /// Prefixes of the known namespaces: an element's own ones hold for what is in it, and hardly anybody changes them.
    prefixes: Vec<String>,
    has_root: bool,
}

impl Writer {
    fn open(&mut self, tag: &BytesStart<'_>, is_empty: bool) -> Result<(), String> {
        let mut attributes = String::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let key = String::from_utf8_lossy(attribute.key.as_ref());
            let value = String::from_utf8_lossy(&attribute.value);
            if let Some(prefix) = key.strip_prefix("xmlns:").filter(|_| KNOWN.contains(&value.trim())) {
                self.prefixes.push(prefix.to_owned());
            }
            let quoted = value.replace('"', "&quot;");
            write!(attributes, " {key}=\"{quoted}\"").map_err(|error| error.to_string())?;
        }
        let name = self.bare(&String::from_utf8_lossy(tag.name().as_ref()));
        self.has_root = true;
        let is_foreign = self.open.iter().any(|open| FOREIGN.contains(&open.as_str()));
        self.html.push('<');
        self.html.push_str(&name);
        self.html.push_str(&attributes);
        let is_void = VOID.contains(&name.as_str()) && !is_foreign;
        self.html.push_str(if is_empty && is_foreign { "/>" } else { ">" });
        if !is_empty {
            self.open.push(name);
        } else if !is_void && !is_foreign {
            self.end(&name);
        }
        Ok(())
    }

    fn close(&mut self) {
        let Some(name) = self.open.pop() else { return };
        if !VOID.contains(&name.as_str()) {
            self.end(&name);
        }
    }

    fn end(&mut self, name: &str) {
        self.html.push_str("</");
        self.html.push_str(name);
        self.html.push('>');
    }

    /// The name without a prefix that stands for a known namespace.
    fn bare(&self, name: &str) -> String {
        let bare = name.split_once(':').filter(|(prefix, _)| self.prefixes.iter().any(|known| known == prefix));
        bare.map_or(name, |(_, local)| local).to_owned()
    }

    fn is_raw(&self) -> bool {
        self.open.last().is_some_and(|name| RAW.contains(&name.as_str()))
    }

    /// Text with its escapes, which HTML has too.
    fn text(&mut self, text: &str) {
        if self.is_raw() {
            let literal = unescape(text).unwrap_or(Cow::Borrowed(text)).into_owned();
            self.literal(&literal);
        } else {
            self.html.push_str(text);
        }
    }

    /// Text as it is meant.
    fn literal(&mut self, text: &str) {
        if self.is_raw() {
            // Its end tag would end it; style sheets and scripts read the other form alike. An escape may have come before.
            if self.html.ends_with('<') && text.starts_with('/') {
                self.html.push('\\');
            }
            self.html.push_str(&text.replace("</", "<\\/"));
        } else {
            self.html.push_str(&text.replace('&', "&amp;").replace('<', "&lt;"));
        }
    }

    /// A style sheet that the document names before its root.
    fn link(&mut self, attributes: &str) {
        self.html.push_str("<link rel=\"stylesheet\" ");
        self.html.push_str(&attributes.trim().replace('>', ""));
        self.html.push('>');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_stays_the_same() {
        let check = |xhtml: &str, expected: &str| {
            let html = to_html(&format!("<html>{xhtml}</html>")).expect("well-formed");
            assert_eq!(html, format!("<!DOCTYPE html>\n<html>{expected}</html>"), "{xhtml}");
        };
        check("<script src='a.js'/><p>x</p>", "<script src=\"a.js\"></script><p>x</p>");
        check("<div/><br/><br></br>x", "<div></div><br><br>x");
        check(
            "<p title='say \"a\" &lt; b'>a &amp; b&nbsp;c &#65;</p>",
            "<p title=\"say &quot;a&quot; &lt; b\">a &amp; b&nbsp;c &#65;</p>",
        );
        check("<p><![CDATA[a < b & c]]></p>", "<p>a &lt; b &amp; c</p>");
        check("<style>a &gt; b {}<![CDATA[ i > j {}]]></style>", "<style>a > b {} i > j {}</style>");
        check("<script>if (a &lt; b) x = '&lt;/script>';</script>", "<script>if (a < b) x = '<\\/script>';</script>");
        check("<svg><path d='M0'/><g><a/></g></svg>", "<svg><path d=\"M0\"/><g><a/></g></svg>");
        check(
            "<x:p xmlns:x='http://www.w3.org/1999/xhtml'>x</x:p>",
            "<p xmlns:x=\"http://www.w3.org/1999/xhtml\">x</p>",
        );
        check("<!-- no --><?php no ?>", "");
    }

    #[test]
    fn what_stands_before_the_root() {
        let xhtml = "<?xml version='1.0'?><?xml-stylesheet href=\"a.css\" type=\"text/css\"?>\
                     <!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'x'><html><body/></html>";
        let html =
            "<!DOCTYPE html>\n<link rel=\"stylesheet\" href=\"a.css\" type=\"text/css\"><html><body></body></html>";
        assert_eq!(to_html(xhtml).as_deref(), Ok(html));
    }

    #[test]
    fn broken_documents_are_no_pages() {
        let check = |xhtml: &str| assert!(to_html(xhtml).is_err(), "{xhtml}");
        check("<html><p>x</html>");
        check("<html><p>x");
        check("<html><p a=b>x</p></html>");
        check("<html></p></html>");
        check("just text");
        check("");
    }
}
