//! Digests that crawlers write into record headers, compared with the bytes.
//!
//! `WARC-Block-Digest` is over the block as it stands, `WARC-Payload-Digest` over the payload: the body of an HTTP message,
//! by the standard with its codings as sent, by many crawlers with the transfer coding undone. Either form is right.

use data_encoding::{BASE32, HEXLOWER_PERMISSIVE};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use warc::{RecordType, WarcHeader};

use crate::archive::WarcRecord;
use crate::http::{self, HttpHead};

/// What came of comparing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All digests that are named and known fit.
    Right,
    /// None is named, or by an algorithm that is not known.
    Unsaid,
    /// One does not fit.
    Different {
        /// The header field.
        field: &'static str,
        /// What it says.
        said: String,
        /// What the bytes have.
        found: String,
    },
}

/// Compares the digests of `record` with its bytes. The payload of a revisit stands in another record and is not compared,
/// nor that of a record that was cut when it was written.
pub fn verify(record: &WarcRecord) -> Verdict {
    let mut verdict = Verdict::Unsaid;
    if let Some(said) = record.header(&WarcHeader::BlockDigest)
        && let Some(found) = compare(said, &[&record.block])
    {
        match found {
            Compared::Same => verdict = Verdict::Right,
            Compared::Different(found) => {
                return Verdict::Different { field: "WARC-Block-Digest", said: said.to_owned(), found };
            }
        }
    }
    let is_elsewhere = record.record_type == RecordType::Revisit || record.header(&WarcHeader::Truncated).is_some();
    let said = record.header(&WarcHeader::PayloadDigest).filter(|_| !is_elsewhere);
    let Some(said) = said else { return verdict };
    let is_http = record.header(&WarcHeader::ContentType).is_some_and(|t| t.starts_with("application/http"));
    let head = if is_http { HttpHead::parse(&record.block, usize::MAX).ok() } else { None };
    let body = &record.block[head.as_ref().map_or(0, |head| head.bytes)..];
    let unchunked = head.as_ref().and_then(|head| http::undo_chunks(head, body));
    let forms: Vec<&[u8]> = [Some(body), unchunked.as_deref()].into_iter().flatten().collect();
    match compare(said, &forms) {
        Some(Compared::Same) => Verdict::Right,
        Some(Compared::Different(found)) => {
            Verdict::Different { field: "WARC-Payload-Digest", said: said.to_owned(), found }
        }
        None => verdict,
    }
}

enum Compared {
    Same,
    Different(String),
}

/// Compares `sha1:ABC…` with the digests of `forms`; `None` for unknown algorithms and what is no digest.
fn compare(said: &str, forms: &[&[u8]]) -> Option<Compared> {
    let (algorithm, value) = said.trim().split_once(':')?;
    let hash: fn(&[u8]) -> Vec<u8> = match algorithm.trim().to_ascii_lowercase().as_str() {
        "sha1" | "sha-1" => |bytes| Sha1::digest(bytes).to_vec(),
        "sha256" | "sha-256" => |bytes| Sha256::digest(bytes).to_vec(),
        _ => return None,
    };
    let value = value.trim();
    let length = hash(b"").len();
    let expected = [BASE32.decode(value.to_ascii_uppercase().as_bytes()), HEXLOWER_PERMISSIVE.decode(value.as_bytes())]
        .into_iter()
        .filter_map(Result::ok)
        .find(|bytes| bytes.len() == length)?;
    if forms.iter().any(|form| hash(form) == expected) {
        return Some(Compared::Same);
    }
    let found = hash(forms.first()?);
    let is_base32 = value.len() == BASE32.encode_len(length);
    let found = if is_base32 { BASE32.encode(&found) } else { HEXLOWER_PERMISSIVE.encode(&found) };
    Some(Compared::Different(format!("{algorithm}:{found}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_in_the_forms_that_are_found() {
        let check = |said: &str, expected: Option<bool>| {
            let found = compare(said, &[b"page"]).map(|compared| matches!(compared, Compared::Same));
            assert_eq!(found, expected, "{said}");
        };
        let sha1 = Sha1::digest(b"page");
        check(&format!("sha1:{}", BASE32.encode(&sha1)), Some(true));
        check(&format!("SHA-1: {}", HEXLOWER_PERMISSIVE.encode(&sha1)), Some(true));
        check(&format!("sha256:{}", HEXLOWER_PERMISSIVE.encode(&Sha256::digest(b"page"))), Some(true));
        check(&format!("sha1:{}", BASE32.encode(&Sha1::digest(b"other"))), Some(false));
        check("md5:900150983cd24fb0d6963f7d28e17f72", None);
        check("sha1:short", None);
        check("nonsense", None);
    }
}
