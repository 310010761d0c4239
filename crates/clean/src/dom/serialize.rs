//! A tree to HTML text: the only place that writes markup.
//!
//! One form for one tree: every end tag is written, void elements stay plain, attributes keep their order, and what a
//! parser would swallow (a line feed after `<pre>`, a carriage return) is written so that it survives. Contents of
//! templates, which show nothing, are not written.

use html5ever::{LocalName, QualName, local_name, ns};

use super::{Dom, Element, Mode, NodeData, NodeId};

/// The doctype that gives almost-standards mode; there is no short one.
const ALMOST_STANDARDS_DOCTYPE: &str = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \
                                        \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n";

/// The whole document. Quirks pages have no doctype, which is what keeps them quirks.
pub(crate) fn serialize(dom: &Dom) -> String {
    let mut out = String::with_capacity(dom.nodes.len() * 32);
    out.push_str(match dom.mode {
        Mode::Standards => "<!DOCTYPE html>\n",
        Mode::AlmostStandards => ALMOST_STANDARDS_DOCTYPE,
        Mode::Quirks => "",
    });
    // No line feed at the end: parsers put what follows `</html>` into the body, so it would grow by one each time.
    write_below(dom, Dom::DOCUMENT, &mut out);
    out
}

fn write_below(dom: &Dom, root: NodeId, out: &mut String) {
    let mut node = root;
    loop {
        if let Some(child) = dom.node(node).first {
            node = child;
        } else {
            while dom.node(node).next.is_none() {
                match dom.parent(node) {
                    Some(parent) if parent != root => node = parent,
                    _ => return,
                }
                write_end(dom, node, out);
            }
            let Some(next) = dom.node(node).next else { return };
            node = next;
        }
        write_node(dom, node, out);
    }
}

/// Writes a node up to its children; an element without any is complete.
fn write_node(dom: &Dom, id: NodeId, out: &mut String) {
    match dom.data(id) {
        NodeData::Root => {}
        NodeData::Text(text) if dom.parent(id).is_some_and(|parent| holds_raw_text(dom, parent)) => out.push_str(text),
        NodeData::Text(text) => escape(text, Place::Text, out),
        NodeData::Comment(text) => {
            out.push_str("<!--");
            out.push_str(text);
            out.push_str("-->");
        }
        NodeData::Element(element) => {
            write_start(element, out);
            let first = dom.node(id).first;
            if swallows_line_feed(element)
                && first.and_then(|first| dom.text(first)).is_some_and(|text| text.starts_with('\n'))
            {
                out.push('\n');
            }
            if first.is_none() {
                write_end(dom, id, out);
            }
        }
    }
}

fn write_start(element: &Element, out: &mut String) {
    out.push('<');
    out.push_str(&element.name.local);
    for attribute in &element.attributes {
        out.push(' ');
        push_attribute_name(&attribute.name, out);
        out.push_str("=\"");
        escape(&attribute.value, Place::Attribute, out);
        out.push('"');
    }
    out.push('>');
}

fn write_end(dom: &Dom, id: NodeId, out: &mut String) {
    if let Some(element) = dom.element(id)
        && !is_void(element)
    {
        out.push_str("</");
        out.push_str(&element.name.local);
        out.push('>');
    }
}

fn push_attribute_name(name: &QualName, out: &mut String) {
    let prefix = match name.ns {
        ns!(xlink) => "xlink:",
        ns!(xml) => "xml:",
        ns!(xmlns) if name.local != local_name!("xmlns") => "xmlns:",
        _ => "",
    };
    out.push_str(prefix);
    out.push_str(&name.local);
}

/// Elements that end with their start tag.
pub(crate) fn is_void(element: &Element) -> bool {
    element.is_html()
        && matches!(
            element.name.local,
            local_name!("area")
                | local_name!("base")
                | local_name!("basefont")
                | local_name!("bgsound")
                | local_name!("br")
                | local_name!("col")
                | local_name!("embed")
                | local_name!("frame")
                | local_name!("hr")
                | local_name!("img")
                | local_name!("input")
                | local_name!("keygen")
                | local_name!("link")
                | local_name!("meta")
                | local_name!("param")
                | local_name!("source")
                | local_name!("track")
                | local_name!("wbr")
        )
}

fn swallows_line_feed(element: &Element) -> bool {
    let swallows =
        |name: &LocalName| matches!(*name, local_name!("pre") | local_name!("listing") | local_name!("textarea"));
    element.html_name().is_some_and(swallows)
}

fn holds_raw_text(dom: &Dom, id: NodeId) -> bool {
    let raw = |name: &LocalName| {
        matches!(
            *name,
            local_name!("style")
                | local_name!("script")
                | local_name!("xmp")
                | local_name!("iframe")
                | local_name!("noembed")
                | local_name!("noframes")
                | local_name!("plaintext")
        )
    };
    dom.element(id).and_then(Element::html_name).is_some_and(raw)
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Text,
    Attribute,
}

/// Bytes that may have to be written otherwise.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let bytes = *b"&<>\"\r\xC2";
    let mut at = 0;
    while at < bytes.len() {
        special[bytes[at] as usize] = true;
        at += 1;
    }
    special
};

fn escape(text: &str, place: Place, out: &mut String) {
    let bytes = text.as_bytes();
    let mut written = 0;
    let mut at = 0;
    while let Some(length) = bytes[at..].iter().position(|&byte| SPECIAL[usize::from(byte)]) {
        at += length;
        let (entity, length) = match bytes[at] {
            b'&' => ("&amp;", 1),
            b'<' => ("&lt;", 1),
            b'>' => ("&gt;", 1),
            b'"' if place == Place::Attribute => ("&quot;", 1),
            // A parser makes a line feed of a plain one.
            b'\r' => ("&#13;", 1),
            // U+00A0 looks like a space to people who read the code.
            0xC2 if bytes[at + 1] == 0xA0 => ("&nbsp;", 2),
            _ => {
                at += 1;
                continue;
            }
        };
        out.push_str(&text[written..at]);
        out.push_str(entity);
        at += length;
        written = at;
    }
    out.push_str(&text[written..]);
}
