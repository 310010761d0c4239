//! What a document's start declares: the HTML standard's "prescan a byte stream to determine its encoding".

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

use super::label;

/// The charset of the first `<meta>` that declares one.
pub(super) fn meta(start: &[u8]) -> Option<&'static Encoding> {
    let mut scan = Scan { bytes: start, at: 0 };
    while scan.at < start.len() {
        let rest = &start[scan.at..];
        if rest.starts_with(b"<!--") {
            scan.at += comment_length(rest);
        } else if is_meta(rest) {
            scan.at += "<meta".len();
            if let Some(encoding) = scan.meta_charset() {
                return Some(encoding);
            }
        } else if is_tag(rest) {
            scan.skip_while(|b| !is_space(b) && b != b'>');
            while scan.attribute().is_some() {}
        } else if matches!(rest, [b'<', b'!' | b'/' | b'?', ..]) {
            scan.skip_while(|b| b != b'>');
        }
        scan.at += 1;
    }
    None
}

/// The charset of an XML declaration, or of the pattern that one makes in UTF-16.
pub(super) fn xml_declaration(start: &[u8]) -> Option<&'static Encoding> {
    if start.starts_with(b"<\0?\0x\0") {
        return Some(UTF_16LE);
    }
    if start.starts_with(b"\0<\0?\0x") {
        return Some(UTF_16BE);
    }
    let declaration = start.strip_prefix(b"<?xml")?;
    let end = declaration.iter().position(|b| *b == b'>')?;
    let declaration = std::str::from_utf8(&declaration[..end]).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = value[1..].split(quote).next()?;
    label(name).map(not_utf_16)
}

/// A document whose declaration could be read byte by byte is not in UTF-16, whatever it says.
fn not_utf_16(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding }
}

fn comment_length(rest: &[u8]) -> usize {
    // `<!-->` is a comment: its dashes may be those of the start.
    rest.windows(3).skip(2).position(|w| w == b"-->").map_or(rest.len(), |at| at + 2 + 2)
}

fn is_meta(rest: &[u8]) -> bool {
    rest.len() > 5 && rest[..5].eq_ignore_ascii_case(b"<meta") && (is_space(rest[5]) || rest[5] == b'/')
}

fn is_tag(rest: &[u8]) -> bool {
    match rest {
        [b'<', b'/', letter, ..] | [b'<', letter, ..] => letter.is_ascii_alphabetic(),
        _ => false,
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_while(&mut self, skip: impl Fn(u8) -> bool) {
        while self.byte().is_some_and(&skip) {
            self.at += 1;
        }
    }

    /// Reads the attributes of a `<meta>`; its charset if it has one that counts.
    fn meta_charset(&mut self) -> Option<&'static Encoding> {
        let mut seen: Vec<Vec<u8>> = Vec::new();
        let mut got_pragma = false;
        let mut need_pragma = None;
        let mut charset: Option<&'static Encoding> = None;
        while let Some((name, value)) = self.attribute() {
            if seen.contains(&name) {
                continue;
            }
            match name.as_slice() {
                b"http-equiv" => got_pragma |= value == b"content-type",
                b"content" if charset.is_none() => {
                    charset = charset_in_content(&value);
                    if charset.is_some() {
                        need_pragma = Some(true);
                    }
                }
                b"charset" => {
                    charset = std::str::from_utf8(&value).ok().and_then(label);
                    need_pragma = Some(false);
                }
                _ => {}
            }
            seen.push(name);
        }
        let is_closed = self.byte() == Some(b'>');
        if !is_closed || (need_pragma? && !got_pragma) {
            return None;
        }
        let encoding = not_utf_16(charset?);
        Some(if encoding == X_USER_DEFINED { WINDOWS_1252 } else { encoding })
    }

    /// The next attribute, lower case, by the standard's "get an attribute".
    fn attribute(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        self.skip_while(|b| is_space(b) || b == b'/');
        if self.byte()? == b'>' {
            return None;
        }
        let mut name = Vec::new();
        loop {
            match self.byte()? {
                b'=' if !name.is_empty() => break,
                b if is_space(b) => {
                    self.skip_while(is_space);
                    if self.byte()? != b'=' {
                        return Some((name, Vec::new()));
                    }
                    break;
                }
                b'/' | b'>' => return Some((name, Vec::new())),
                b => name.push(b.to_ascii_lowercase()),
            }
            self.at += 1;
        }
        self.at += 1;
        self.skip_while(is_space);
        let mut value = Vec::new();
        match self.byte()? {
            quote @ (b'"' | b'\'') => {
                self.at += 1;
                while self.byte()? != quote {
                    value.push(self.byte()?.to_ascii_lowercase());
                    self.at += 1;
                }
                self.at += 1;
            }
            _ => {
                while let Some(b) = self.byte().filter(|b| !is_space(*b) && *b != b'>') {
                    value.push(b.to_ascii_lowercase());
                    self.at += 1;
                }
            }
        }
        Some((name, value))
    }
}

/// `charset=...` in the content of a `<meta http-equiv>`, by the standard's algorithm.
fn charset_in_content(content: &[u8]) -> Option<&'static Encoding> {
    let content = std::str::from_utf8(content).ok()?;
    let mut rest = content;
    loop {
        let (_, behind) = rest.split_once("charset")?;
        rest = behind;
        let Some(value) = behind.trim_start().strip_prefix('=') else { continue };
        let value = value.trim_start();
        let name = match value.chars().next()? {
            quote @ ('"' | '\'') => value[1..].split_once(quote)?.0,
            _ => value.split(|c: char| c.is_ascii_whitespace() || c == ';').next()?,
        };
        return label(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metas_declare_by_the_standard() {
        let check = |html: &str, expected: Option<&str>| {
            assert_eq!(meta(html.as_bytes()).map(Encoding::name), expected, "{html}");
        };
        check("<meta charset=utf-8>", Some("UTF-8"));
        check("<META CHARSET = 'Windows-1251'>", Some("windows-1251"));
        check("<html><head><title a='>'>x</title><meta charset=\"koi8-r\">", Some("KOI8-R"));
        check("<meta http-equiv=Content-Type content='text/html; charset=gb2312'>", Some("GBK"));
        check("<meta content='text/html; charset=\"big5\"' http-equiv=content-type>", Some("Big5"));
        check("<meta content='text/html; charset=big5'>", None);
        check("<meta name=x content=y><meta charset=euc-jp>", Some("EUC-JP"));
        check("<!-- <meta charset=koi8-r> --><meta charset=utf-8>", Some("UTF-8"));
        check("<!--><meta charset=koi8-r>", Some("KOI8-R"));
        check("<meta charset=utf-16>", Some("UTF-8"));
        check("<meta charset=x-user-defined>", Some("windows-1252"));
        check("<meta charset=nonsense>", None);
        check("<metadata charset=koi8-r>", None);
        check("<p title='<meta charset=koi8-r>'>", None);
        check("<meta/charset=koi8-r>", Some("KOI8-R"));
        check("<meta charset=koi8-r", None);
        check("", None);
    }

    #[test]
    fn xml_declares_too() {
        let check = |start: &[u8], expected: Option<&str>| {
            assert_eq!(xml_declaration(start).map(Encoding::name), expected, "{start:?}");
        };
        check(b"<?xml version=\"1.0\" encoding=\"iso-8859-2\"?>", Some("ISO-8859-2"));
        check(b"<?xml version='1.0' encoding = 'utf-16'?>", Some("UTF-8"));
        check(b"<?xml version='1.0'?>", None);
        check(b"<\0?\0x\0", Some("UTF-16LE"));
        check(b"<html encoding='koi8-r'>", None);
    }
}
