//! A file to an object: at once if it is small, else in parts that go at the same time.
//!
//! An upload in parts is invisible until it is completed, and then the object is there whole. One that breaks is aborted;
//! where even that fails, the bucket's rule for incomplete uploads has to tidy up (`docs/s3.md`).

use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rusty_s3::Method;

use super::client::{Ask, Client};
pub(super) use super::fetch::Trouble;
use super::fetch::sha256_of;
use super::object::{self, content_md5, uploading, version};
use super::trouble::{Miss, S3Error};
use super::xml;
use crate::at_once;

/// Files up to this go in one request: a request more costs less than the two that an upload in parts takes.
const WHOLE_BYTES_MAX: u64 = 32 << 20;
/// Parts are held in memory, so many at a time.
const PART_BYTES_MIN: u64 = 16 << 20;
const PARTS_AT_ONCE: usize = 4;
/// An upload has 10,000 parts at most.
const PARTS_MAX: u64 = 10_000;

/// Writes a file as an object, and gives its version.
pub(super) fn upload(client: &Client, key: &str, file: &Path) -> Result<String, Trouble> {
    let source = File::open(file)?;
    let bytes = source.metadata()?.len();
    if bytes <= WHOLE_BYTES_MAX {
        return Ok(object::put(client, key, &read(&source, &(0..bytes))?)?);
    }
    let sha256 = sha256_of(file)?;
    let upload = Upload { client, key, id: begin(client, key, &sha256)? };
    let done = upload.parts(&source, bytes).and_then(|etags| Ok(upload.complete(&etags, &sha256)?));
    if done.is_err() {
        upload.abort();
    }
    done
}

fn read(file: &File, range: &Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes)
}

fn begin(client: &Client, key: &str, sha256: &str) -> Result<String, S3Error> {
    let answer = client.ask(&uploading(key, sha256))?;
    let document = xml::parse(&String::from_utf8_lossy(&answer.body)).unwrap_or_default();
    let id = document.get("UploadId").filter(|id| !id.is_empty()).map(str::to_owned);
    id.ok_or_else(|| no_upload("the server gives it no number"))
}

fn no_upload(message: &str) -> S3Error {
    S3Error::Refused { status: 404, code: "NoSuchUpload".to_owned(), message: message.to_owned() }
}

/// An upload that has begun.
struct Upload<'a> {
    client: &'a Client,
    key: &'a str,
    id: String,
}

impl Upload<'_> {
    /// Sends all parts; gives what the server calls each.
    fn parts(&self, source: &File, bytes: u64) -> Result<Vec<String>, Trouble> {
        let parts: Vec<(usize, Range<u64>)> = parts(bytes).into_iter().enumerate().collect();
        at_once(&parts, PARTS_AT_ONCE, |(index, range)| {
            let bytes = read(source, range)?;
            let number = (index + 1).to_string();
            let ask = Ask::new(Method::Put, self.key).query("partNumber", number).query("uploadId", &self.id);
            let answer = self.client.ask(&ask.header("content-md5", content_md5(&bytes)).body(&bytes))?;
            Ok(object::written(&answer)?)
        })
    }

    /// Puts the parts together. Should the answer to that get lost, then the upload is no more when it is asked for again,
    /// whatever the server calls that; and the object that is there tells.
    fn complete(&self, etags: &[String], sha256: &str) -> Result<String, S3Error> {
        let body = completion(etags);
        let ask = Ask::new(Method::Post, self.key).query("uploadId", &self.id).body(body.as_bytes());
        let mut attempts = self.client.attempts();
        loop {
            let miss = match self.client.once(&ask) {
                Ok(answer) if answer.status == 404 => Miss::Fatal(no_upload("somebody ended it")),
                Ok(answer) => {
                    // It may say 200 first and fail later.
                    let document = xml::parse(&String::from_utf8_lossy(&answer.body)).unwrap_or_default();
                    if document.root == "CompleteMultipartUploadResult" {
                        return Ok(document.get("ETag").map_or_else(|| version(&answer), str::to_owned));
                    }
                    Miss::later(format!(
                        "the parts are not put together: {}",
                        document.get("Code").unwrap_or("no reason")
                    ))
                }
                Err(miss) => miss,
            };
            if let (Miss::Fatal(_), 1..) = (&miss, attempts.made)
                && let Some(version) = self.version_of(sha256)?
            {
                return Ok(version);
            }
            attempts.wait(miss)?;
        }
    }

    /// The object's version, if its bytes are those.
    fn version_of(&self, sha256: &str) -> Result<Option<String>, S3Error> {
        let head = object::head(self.client, self.key)?;
        Ok(head.filter(|head| head.sha256.as_deref() == Some(sha256)).map(|head| head.version))
    }

    fn abort(&self) {
        let ask = Ask::new(Method::Delete, self.key).query("uploadId", &self.id);
        // Once: the trouble that led here is the one to tell of.
        drop(self.client.once(&ask));
    }
}

fn parts(bytes: u64) -> Vec<Range<u64>> {
    let part = PART_BYTES_MIN.max(bytes.div_ceil(PARTS_MAX));
    (0..bytes).step_by(part as usize).map(|start| start..bytes.min(start + part)).collect()
}

fn completion(etags: &[String]) -> String {
    let mut body = String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (index, etag) in etags.iter().enumerate() {
        let etag = etag.replace('&', "&amp;").replace('<', "&lt;");
        let number = index + 1;
        let _infallible = write!(body, "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    }
    body.push_str("</CompleteMultipartUpload>");
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_file_and_are_not_too_many() {
        for bytes in [1, PART_BYTES_MIN, PART_BYTES_MIN + 1, 5 << 40] {
            let parts = parts(bytes);
            assert_eq!(parts.iter().map(|part| part.end - part.start).sum::<u64>(), bytes);
            assert!(parts.len() as u64 <= PARTS_MAX, "{bytes}");
        }
    }
}
