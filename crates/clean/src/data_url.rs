//! `data:` URLs: made from assets, and opened where they hold style sheets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::Asset;

pub(crate) fn is_data_url(reference: &str) -> bool {
    reference.trim_start().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

pub(crate) fn encode(mime: &str, bytes: &[u8]) -> String {
    format!("data:{mime};base64,{}", STANDARD.encode(bytes))
}

/// What a data URL holds; `None` when it is malformed.
pub(crate) fn decode(url: &str) -> Option<Asset> {
    let (head, body) = url.trim_start().get(5..)?.split_once(',')?;
    let body = percent_decoded(body.split('#').next()?);
    match head.trim_end().to_ascii_lowercase().strip_suffix(";base64") {
        Some(mime) => {
            let packed: Vec<u8> = body.into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect();
            let bytes = STANDARD.decode(packed).ok()?;
            Some(Asset { mime: mime.to_owned(), bytes: Bytes::from(bytes) })
        }
        None => Some(Asset { mime: head.to_owned(), bytes: Bytes::from(body) }),
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let value = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        decoded.push(value.unwrap_or(bytes[at]));
        at += if value.is_some() { 3 } else { 1 };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn both_forms_are_read() {
        let check = |url: &str, expected: Option<&[u8]>| {
            assert_eq!(decode(url).as_ref().map(|asset| asset.bytes.as_ref()), expected, "{url}");
        };
        check("data:text/css,a%7Bb:c%7d", Some(b"a{b:c}"));
        check("DATA:text/css;base64,YXs=", Some(b"a{"));
        check("data:text/css;charset=utf-8;BASE64,YXs=", Some(b"a{"));
        check("data:,100%", Some(b"100%"));
        check("data:no comma", None);
        check("data:;base64,!!", None);
    }
}
