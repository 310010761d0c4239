//! Which objects there are: `ListObjectsV2`, answer by answer.

use rusty_s3::Method;

use super::client::{Ask, Client};
use super::trouble::{Miss, S3Error};
use super::xml;

/// Answers of a thousand objects each: ten million, more than a store has. A server that goes in circles ends, too.
const ANSWERS_MAX: usize = 10_000;

/// An object in a listing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) key: String,
    pub(super) bytes: u64,
}

/// The objects whose keys begin with `prefix`.
pub(super) fn list(client: &Client, prefix: &str) -> Result<Vec<Object>, S3Error> {
    let (mut objects, mut from) = (Vec::new(), None);
    for _ in 0..ANSWERS_MAX {
        let (found, next) = some(client, prefix, from.as_deref())?;
        objects.extend(found);
        if next.is_none() {
            return Ok(objects);
        }
        from = next;
    }
    Err(no_list(format!("it does not end after {ANSWERS_MAX} answers")))
}

fn no_list(message: String) -> S3Error {
    S3Error::Refused { status: 200, code: "NoList".to_owned(), message }
}

/// One answer, and where the next one begins.
fn some(client: &Client, prefix: &str, from: Option<&str>) -> Result<(Vec<Object>, Option<String>), S3Error> {
    let mut ask = Ask::new(Method::Get, "").query("list-type", "2").query("prefix", prefix);
    if let Some(from) = from {
        ask = ask.query("continuation-token", from);
    }
    let mut attempts = client.attempts();
    loop {
        let miss = match client.once(&ask) {
            // Half a list would look like a whole one, but for its end tag.
            Ok(answer) => match xml::parse(&String::from_utf8_lossy(&answer.body)) {
                Ok(document) => return read(&document),
                Err(xml::Cut) => Miss::later("the list of objects has no end"),
            },
            Err(miss) => miss,
        };
        attempts.wait(miss)?;
    }
}

fn read(document: &xml::Document) -> Result<(Vec<Object>, Option<String>), S3Error> {
    if document.root != "ListBucketResult" {
        return Err(no_list(format!("the server answers with `{}`", document.root)));
    }
    let (mut objects, mut object) = (Vec::new(), Object::default());
    for (path, value) in &document.fields {
        match path.as_str() {
            "Contents/Key" => object.key.clone_from(value),
            "Contents/Size" => {
                // Segments are judged by their sizes: one that is guessed would have them removed as damaged.
                let bytes = value.trim().parse();
                object.bytes = bytes.map_err(|_| no_list(format!("the size of `{}` is `{value}`", object.key)))?;
            }
            "Contents" => objects.push(std::mem::take(&mut object)),
            _ => {}
        }
    }
    let is_truncated = document.get("IsTruncated").is_some_and(|value| value.trim() == "true");
    let next = document.get("NextContinuationToken").filter(|token| !token.is_empty()).map(str::to_owned);
    if is_truncated && next.is_none() {
        // The rest would be missing, and nobody would know.
        return Err(no_list("it goes on, and does not say where".to_owned()));
    }
    Ok((objects, next.filter(|_| is_truncated)))
}
