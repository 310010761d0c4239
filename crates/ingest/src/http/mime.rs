//! MIME types: what the header says, and what the bytes are.

/// What bytes look like, by the short form of the WHATWG sniffing rules that a page pipeline needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MimeKind {
    /// Starts with a tag or comment of HTML.
    Html,
    /// Starts with an XML declaration.
    Xml,
    /// Text of some kind.
    Text,
    /// An image, font, PDF, archive or other binary data.
    Binary,
}

impl MimeKind {
    /// The MIME type that stands for it.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Xml => "text/xml",
            Self::Text => "text/plain",
            Self::Binary => "application/octet-stream",
        }
    }
}

/// Bytes that are looked at, as the standard says.
const SNIFF_BYTES: usize = 1445;

const HTML_STARTS: &[&str] = &[
    "<!DOCTYPE HTML",
    "<HTML",
    "<HEAD",
    "<SCRIPT",
    "<IFRAME",
    "<H1",
    "<DIV",
    "<FONT",
    "<TABLE",
    "<A",
    "<STYLE",
    "<TITLE",
    "<B",
    "<BODY",
    "<BR",
    "<P",
    "<META",
    "<LINK",
];

const BINARY_STARTS: &[&[u8]] = &[
    b"\xff\xd8\xff",
    b"\x89PNG\r\n",
    b"GIF87a",
    b"GIF89a",
    b"RIFF",
    b"%PDF-",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"wOFF",
    b"wOF2",
    b"\0\x01\0\0",
    b"OTTO",
    b"\0\0\x01\0",
    b"BM",
    b"ID3",
    b"OggS",
    b"\x1aE\xdf\xa3",
    b"FWS",
    b"CWS",
    b"Rar!",
    b"7z\xbc\xaf",
];

/// What `payload` looks like.
pub fn sniff(payload: &[u8]) -> MimeKind {
    let start = &payload[..payload.len().min(SNIFF_BYTES)];
    let has_bom = [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"].iter().any(|bom| start.starts_with(bom));
    // `BM` is a bitmap only with the binary header behind it, and a word otherwise.
    let has_binary_byte = start.iter().any(|b| matches!(b, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f));
    let is_magic = BINARY_STARTS.iter().any(|magic| start.starts_with(magic) && (magic.len() > 3 || has_binary_byte));
    let tag = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    if !is_magic && starts_html(tag) {
        MimeKind::Html
    } else if tag.starts_with(b"<?xml") {
        MimeKind::Xml
    } else if is_magic || (has_binary_byte && !has_bom) {
        MimeKind::Binary
    } else {
        MimeKind::Text
    }
}

/// Whether `payload` starts with the magic number of something that no page is.
pub(crate) fn is_binary_by_magic(payload: &[u8]) -> bool {
    sniff(payload) == MimeKind::Binary && BINARY_STARTS.iter().any(|magic| payload.starts_with(magic))
}

fn starts_html(tag: &[u8]) -> bool {
    tag.starts_with(b"<!--")
        || HTML_STARTS.iter().any(|start| {
            let is_same = tag.get(..start.len()).is_some_and(|t| t.eq_ignore_ascii_case(start.as_bytes()));
            is_same && matches!(tag.get(start.len()), Some(b' ' | b'>' | b'\t' | b'\n' | b'\r' | b'/'))
        })
}

/// `text/html` of ` Text/HTML; charset=utf-8`; `None` when there is no such form.
pub fn essence(value: &str) -> Option<String> {
    let essence = value.split([';', ',']).next().unwrap_or_default();
    let essence = essence.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/')?;
    let (kind, subtype) = (kind.trim(), subtype.trim());
    let is_token = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_graphic());
    (is_token(kind) && is_token(subtype)).then(|| format!("{kind}/{subtype}"))
}

/// Whether a type is one of those that say that the server does not know, and ask for sniffing.
pub(crate) fn is_unknown(essence: &str) -> bool {
    matches!(essence, "unknown/unknown" | "application/unknown" | "*/*")
}

/// The first `charset` parameter, without quotes of either kind.
pub(super) fn charset(value: &str) -> Option<&str> {
    value.split([';', ',']).skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']).trim();
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_start() {
        let check = |payload: &[u8], expected: MimeKind| assert_eq!(sniff(payload), expected, "{payload:?}");
        check(b" \n<!doctype html><p>", MimeKind::Html);
        check(b"<HTML>", MimeKind::Html);
        check(b"<!-- x -->", MimeKind::Html);
        check(b"\xef\xbb\xbf<html lang=en>", MimeKind::Html);
        check(b"<htmlx>", MimeKind::Text);
        check(b"<?xml version='1.0'?>", MimeKind::Xml);
        check(b"\xff\xd8\xff\xe0\0\x10JFIF", MimeKind::Binary);
        check(b"BM is a word", MimeKind::Text);
        check(b"\x01\x02", MimeKind::Binary);
        check(b"plain", MimeKind::Text);
        check(b"", MimeKind::Text);
        check(b"\xff\xfe<\0h\0", MimeKind::Text);
    }

    #[test]
    fn types_and_charsets_are_read_leniently() {
        let check = |value: &str, mime: Option<&str>, label: Option<&str>| {
            assert_eq!((essence(value).as_deref(), charset(value)), (mime, label), "{value:?}");
        };
        check("text/html", Some("text/html"), None);
        check(" TEXT / HTML ;charset=UTF-8", Some("text/html"), Some("UTF-8"));
        check("text/html; Charset = \"utf-8\" ; charset=latin1", Some("text/html"), Some("utf-8"));
        check("text/html; charset='utf-8'", Some("text/html"), Some("utf-8"));
        check("text/html, text/plain", Some("text/html"), None);
        check("html", None, None);
        check("", None, None);
        check("text/html; charset=", Some("text/html"), None);
    }
}
