//! Which charset a payload is in, by the rules of the HTML standard, and its text.
//!
//! In order: a byte order mark, the HTTP header, what the document itself declares, and a guess from the bytes. The one
//! departure: a payload that declares nothing and is valid UTF-8 is UTF-8; browsers refuse to guess that only to keep
//! authors honest.

mod prescan;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8};
use item::CharsetSource;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

/// Bytes of the start in which a declaration counts, by the HTML standard.
const PRESCAN_BYTES: usize = 1024;
/// Bytes in which a late `<meta>` counts when nothing else is known. Browsers decode anew when their parser meets one;
/// the heads that hold one are rarely longer than this.
const LATE_META_BYTES: usize = 64 * 1024;
/// Bytes that the detector is fed. Enough to be sure; detection is slower than all the rest of reading.
const DETECT_BYTES: usize = 256 * 1024;

/// A charset and what named it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset {
    /// The encoding.
    pub encoding: &'static Encoding,
    /// What named it.
    pub source: CharsetSource,
}

/// What is known of a payload beside its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// Charset label of the HTTP header.
    pub http: Option<&'a str>,
    /// The MIME type is XHTML, whose declaration is the XML one.
    pub is_xhtml: bool,
    /// Top-level domain of the page: tells the detector which legacy charsets to expect.
    pub tld: Option<&'a str>,
}

/// Finds the charset of `payload`.
pub fn determine(payload: &[u8], hints: Hints<'_>) -> Charset {
    if let Some((encoding, _)) = Encoding::for_bom(payload) {
        return Charset { encoding, source: CharsetSource::Bom };
    }
    if let Some(encoding) = hints.http.and_then(label) {
        return Charset { encoding, source: CharsetSource::Http };
    }
    let start = &payload[..payload.len().min(PRESCAN_BYTES)];
    let xml = prescan::xml_declaration(start);
    // XML knows its own declaration, and is UTF-8 without one; what a `<meta>` in it says does not count.
    let is_xml_text = hints.is_xhtml && xml.is_none() && std::str::from_utf8(payload).is_ok();
    if is_xml_text {
        return Charset { encoding: UTF_8, source: CharsetSource::Detected };
    }
    let declared = if hints.is_xhtml { xml.or_else(|| prescan::meta(start)) } else { prescan::meta(start).or(xml) };
    if let Some(encoding) = declared {
        return Charset { encoding, source: CharsetSource::Meta };
    }
    if std::str::from_utf8(payload).is_ok() {
        // ISO-2022-JP is escapes and ASCII, so it is valid UTF-8 too.
        let is_escaped = payload.contains(&0x1b) && detect(payload, hints.tld) == ISO_2022_JP;
        let encoding = if is_escaped { ISO_2022_JP } else { UTF_8 };
        return Charset { encoding, source: CharsetSource::Detected };
    }
    if let Some(encoding) = prescan::meta(&payload[..payload.len().min(LATE_META_BYTES)]) {
        return Charset { encoding, source: CharsetSource::Meta };
    }
    Charset { encoding: detect(payload, hints.tld), source: CharsetSource::Detected }
}

/// `payload` as text, its byte order mark left out. Bytes that the charset does not have become U+FFFD.
pub fn decode(payload: &[u8], charset: Charset) -> String {
    let (text, _) = charset.encoding.decode_with_bom_removal(payload);
    text.into_owned()
}

/// The encoding of a label. Labels of encodings that the standard forbids to decode count as unknown.
fn label(text: &str) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(text.as_bytes())
}

fn detect(payload: &[u8], tld: Option<&str>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&payload[..payload.len().min(DETECT_BYTES)], true);
    // The detector panics at a TLD that is not a lower-case ASCII label.
    let tld =
        tld.filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
    detector.guess(tld.map(str::as_bytes), Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(payload: &[u8], hints: Hints<'_>, name: &str, source: CharsetSource) {
        let charset = determine(payload, hints);
        assert_eq!((charset.encoding.name(), charset.source), (name, source), "{:?}", String::from_utf8_lossy(payload));
    }

    #[test]
    fn the_first_source_that_knows_wins() {
        let none = Hints::default();
        let http = |label| Hints { http: Some(label), ..none };
        check(b"\xef\xbb\xbf<p>", http("latin1"), "UTF-8", CharsetSource::Bom);
        check(b"\xff\xfe<\0", none, "UTF-16LE", CharsetSource::Bom);
        check(b"<meta charset=koi8-r>", http("windows-1251"), "windows-1251", CharsetSource::Http);
        check(b"<meta charset=koi8-r>", http("no such"), "KOI8-R", CharsetSource::Meta);
        check(b"<meta charset=koi8-r>", http("hz-gb-2312"), "KOI8-R", CharsetSource::Meta);
        check(b"<p>ascii", none, "UTF-8", CharsetSource::Detected);
        check("<p>gr\u{fc}n".as_bytes(), none, "UTF-8", CharsetSource::Detected);
        check(b"<p>gr\xfcn und sch\xf6n", none, "windows-1252", CharsetSource::Detected);
        let xhtml = Hints { is_xhtml: true, ..none };
        check(
            b"<?xml version='1.0' encoding='iso-8859-2'?><meta charset='koi8-r'/>",
            xhtml,
            "ISO-8859-2",
            CharsetSource::Meta,
        );
        check("<meta charset='koi8-r'/>\u{fc}".as_bytes(), xhtml, "UTF-8", CharsetSource::Detected);
        let late = [&b" ".repeat(2000)[..], b"<meta charset=iso-8859-2>\xb1"].concat();
        check(&late, none, "ISO-8859-2", CharsetSource::Meta);
    }

    #[test]
    fn any_host_ending_is_safe() {
        for tld in ["", "DE", "\u{fc}", "xn--p1ai", "123"] {
            determine(b"gr\xfcn", Hints { tld: Some(tld), ..Hints::default() });
        }
    }

    #[test]
    fn text_loses_its_mark() {
        let charset = determine(b"\xef\xbb\xbfx", Hints::default());
        assert_eq!(decode(b"\xef\xbb\xbfx", charset), "x");
    }
}
