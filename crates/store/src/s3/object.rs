//! One object: read, looked at, written, removed.

use std::ops::Range;

use data_encoding::{BASE64, HEXLOWER};
use md5::Md5;
use rusty_s3::Method;
use sha2::{Digest as _, Sha256};
use ureq::http::header;

use super::client::{Answer, Ask, Client};
use super::trouble::{Miss, S3Error};

/// Where an object's SHA-256 stands. Publications have it there as well.
const SHA256: &str = "x-amz-meta-sha256";

/// What an object is, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) bytes: u64,
    /// Two objects of one version have the same bytes.
    pub(super) version: String,
    /// Of its bytes, in hex. Objects that others put there have none.
    pub(super) sha256: Option<String>,
}

impl Head {
    fn of(answer: &Answer) -> Self {
        let text = |name: &str| answer.header(name).map(str::to_owned);
        Self { bytes: answer.length().unwrap_or_default(), version: version(answer), sha256: text(SHA256) }
    }
}

/// The version that an answer names.
pub(super) fn version(answer: &Answer) -> String {
    answer.header(header::ETAG.as_str()).unwrap_or_default().to_owned()
}

/// SHA-256 as it stands in headers.
pub(super) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// What the server checks on arrival. MD5, since every server has known it for twenty years, for parts of an upload too.
pub(super) fn content_md5(bytes: &[u8]) -> String {
    BASE64.encode(&Md5::digest(bytes))
}

/// A request that writes an object whole.
pub(super) fn writing<'a>(key: &'a str, bytes: &'a [u8]) -> Ask<'a> {
    let ask = Ask::new(Method::Put, key).header("content-md5", content_md5(bytes)).header(SHA256, sha256(bytes));
    ask.body(bytes)
}

/// A request that begins an upload in parts.
pub(super) fn uploading<'a>(key: &'a str, sha256: &str) -> Ask<'a> {
    Ask::new(Method::Post, key).query("uploads", "").header(SHA256, sha256)
}

/// The whole object; `None` where there is none.
pub(super) fn get(client: &Client, key: &str) -> Result<Option<Vec<u8>>, S3Error> {
    let ask = Ask::new(Method::Get, key);
    let mut attempts = client.attempts();
    loop {
        let miss = match client.once(&ask) {
            Ok(answer) if answer.status == 404 => return Ok(None),
            Ok(answer) if is_whole(&answer) => return Ok(Some(answer.body)),
            Ok(_) => Miss::later("what came differs from the SHA-256 of what was written"),
            Err(miss) => miss,
        };
        attempts.wait(miss)?;
    }
}

fn is_whole(answer: &Answer) -> bool {
    answer.header(SHA256).is_none_or(|expected| expected == sha256(&answer.body))
}

/// A range of an object, cut off at its end; `None` where there is no object. Of that version, if one is named: another
/// one is trouble.
pub(super) fn get_range(
    client: &Client,
    key: &str,
    range: Range<u64>,
    version: Option<&str>,
) -> Result<Option<Vec<u8>>, S3Error> {
    if range.is_empty() {
        return Ok(head(client, key)?.map(|_| Vec::new()));
    }
    let mut ask = Ask::new(Method::Get, key).header("range", format!("bytes={}-{}", range.start, range.end - 1));
    if let Some(version) = version {
        ask = ask.header("if-match", version);
    }
    let mut attempts = client.attempts();
    loop {
        let miss = match client.once(&ask) {
            Ok(answer) => match part(answer, &range) {
                Ok(part) => return Ok(part),
                Err(miss) => miss,
            },
            Err(miss) => miss,
        };
        attempts.wait(miss)?;
    }
}

/// The bytes that were asked for.
fn part(answer: Answer, range: &Range<u64>) -> Result<Option<Vec<u8>>, Miss> {
    match answer.status {
        404 => Ok(None),
        // The object ends before the range begins.
        416 => Ok(Some(Vec::new())),
        412 => Err(Miss::Fatal(S3Error::Refused {
            status: 412,
            code: "PreconditionFailed".to_owned(),
            message: "the object was replaced while it was read".to_owned(),
        })),
        206 => {
            let starts = format!("bytes {}-", range.start);
            let is_it = answer.header("content-range").is_some_and(|said| said.starts_with(&starts));
            let fits = answer.body.len() as u64 <= range.end - range.start;
            if is_it && fits {
                Ok(Some(answer.body))
            } else {
                Err(Miss::later("another range came than was asked for"))
            }
        }
        // A server that knows no ranges sends everything.
        _ => {
            let end = answer.body.len().min(range.end as usize);
            let start = end.min(range.start as usize);
            Ok(Some(answer.body[start..end].to_vec()))
        }
    }
}

/// What the object is; `None` where there is none.
pub(super) fn head(client: &Client, key: &str) -> Result<Option<Head>, S3Error> {
    let answer = client.ask(&Ask::new(Method::Head, key))?;
    Ok((answer.status != 404).then(|| Head::of(&answer)))
}

/// Writes an object, and gives its version.
pub(super) fn put(client: &Client, key: &str, bytes: &[u8]) -> Result<String, S3Error> {
    let answer = client.ask(&writing(key, bytes))?;
    written(&answer)
}

/// The version that was written. A 404 to a `PUT` is no answer to it.
pub(super) fn written(answer: &Answer) -> Result<String, S3Error> {
    match answer.status {
        200..300 => Ok(version(answer)),
        status => Err(S3Error::Refused { status, code: String::new(), message: String::new() }),
    }
}

/// Removes an object, if there is one.
pub(super) fn delete(client: &Client, key: &str) -> Result<(), S3Error> {
    client.ask(&Ask::new(Method::Delete, key)).map(drop)
}
