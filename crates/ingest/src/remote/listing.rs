//! The objects of a bucket, by how their keys begin (`ListObjectsV2`).

use std::io::{self, Read};

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;
use ureq::Body;
use ureq::http::Response;

use super::client::{Client, Refusal, RemoteFile, Watch};
use super::hosts::Connection;
use super::s3::bucket_and_key;
use super::{RemoteError, Trouble};

/// Bytes of one answer: a thousand keys of the greatest length, each of its characters escaped, have some 6 MB.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// Answers to one question: ten million objects. Who has more means fewer of them, and a server that never ends has to.
const ANSWERS_MAX: usize = 10_000;

/// The objects whose addresses begin with `prefix` (`s3://bucket/…`), with what the server says of each; with `folder`, only those
/// without a further `/`.
pub fn list_objects(
    client: &Client,
    prefix: &str,
    folder: bool,
    watch: &dyn Watch,
) -> Result<Vec<RemoteFile>, RemoteError> {
    let bucket = bucket_and_key(prefix).map_or("", |(bucket, _)| bucket);
    let (mut files, mut from) = (Vec::new(), None);
    for _ in 0..ANSWERS_MAX {
        let answer = ask(client, prefix, folder, from.as_deref(), watch)?;
        files.extend(answer.objects.into_iter().map(|object| object.file_in(bucket)));
        from = answer.next;
        if from.is_none() {
            return Ok(files);
        }
    }
    Err(RemoteError::new(prefix, Trouble::NoList(format!("it does not end after {ANSWERS_MAX} answers"))))
}

fn ask(
    client: &Client,
    prefix: &str,
    folder: bool,
    from: Option<&str>,
    watch: &dyn Watch,
) -> Result<Answer, RemoteError> {
    let mut patience = client.patience();
    loop {
        let refusal = match client.list(prefix, folder, from, watch) {
            Ok((response, connection)) => match text(response, connection).map(|text| parse(&text)) {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Flaw::NoList(why))) => return Err(RemoteError::new(prefix, Trouble::NoList(why))),
                Ok(Err(Flaw::Cut)) => Refusal::broken("the list of objects has no end".to_owned()),
                Err(error) => Refusal::broken(error),
            },
            Err(refusal) => refusal,
        };
        patience.after(client, prefix, refusal, watch)?;
    }
}

/// The whole answer; the connection ends with it.
fn text(response: Response<Body>, _connection: Connection) -> io::Result<String> {
    let mut text = String::new();
    response.into_body().into_reader().take(ANSWER_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// What one answer says.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    objects: Vec<Object>,
    /// Where the next answer starts.
    next: Option<String>,
}

#[derive(Debug, Default, PartialEq)]
struct Object {
    key: String,
    bytes: Option<u64>,
    version: Option<String>,
}

impl Object {
    fn file_in(self, bucket: &str) -> RemoteFile {
        RemoteFile { url: format!("s3://{bucket}/{}", self.key), bytes: self.bytes, version: self.version }
    }
}

/// Why an answer is of no use.
#[derive(Debug, PartialEq)]
enum Flaw {
    /// It ends too early; asking again may help.
    Cut,
    /// It is something else.
    NoList(String),
}

fn parse(text: &str) -> Result<Answer, Flaw> {
    let mut reader = Reader::from_str(text);
    let mut list = ListReader::default();
    loop {
        match reader.read_event().map_err(|_| Flaw::Cut)? {
            Event::Start(tag) => list.open(String::from_utf8_lossy(tag.local_name().as_ref()).into_owned())?,
            Event::Text(text) => list.value.push_str(&String::from_utf8_lossy(&text)),
            Event::CData(text) => list.value.push_str(&String::from_utf8_lossy(&text)),
            Event::GeneralRef(name) => list.value.push_str(&character(&String::from_utf8_lossy(&name))),
            Event::End(_) => {
                if list.close() {
                    return list.answer();
                }
            }
            Event::Eof => return Err(Flaw::Cut),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// What a reference such as `&amp;` stands for.
fn character(name: &str) -> String {
    let reference = format!("&{name};");
    unescape(&reference).map(std::borrow::Cow::into_owned).unwrap_or_default()
}

#[derive(Default)]
struct ListReader {
    answer: Answer,
    is_truncated: Option<bool>,
    object: Object,
    /// Names of the open elements.
    open: Vec<String>,
    value: String,
}

impl ListReader {
    fn open(&mut self, name: String) -> Result<(), Flaw> {
        if self.open.is_empty() && name != "ListBucketResult" {
            return Err(Flaw::NoList(format!("the server answers with `{name}`")));
        }
        self.open.push(name);
        self.value.clear();
        Ok(())
    }

    /// Takes what the element says; answers whether it was the outermost one.
    fn close(&mut self) -> bool {
        let value = std::mem::take(&mut self.value);
        let path: Vec<&str> = self.open.iter().skip(1).map(String::as_str).collect();
        match path[..] {
            ["Contents", "Key"] => self.object.key = value,
            ["Contents", "Size"] => self.object.bytes = value.trim().parse().ok(),
            ["Contents", "ETag"] => self.object.version = version(value.trim()),
            ["Contents"] => self.answer.objects.push(std::mem::take(&mut self.object)),
            ["IsTruncated"] => self.is_truncated = Some(value.trim() == "true"),
            ["NextContinuationToken"] => self.answer.next = Some(value).filter(|token| !token.is_empty()),
            _ => {}
        }
        self.open.pop();
        self.open.is_empty()
    }

    fn answer(mut self) -> Result<Answer, Flaw> {
        if self.is_truncated == Some(false) {
            self.answer.next = None;
        } else if self.is_truncated == Some(true) && self.answer.next.is_none() {
            // The rest would be missing, and nobody would know.
            return Err(Flaw::NoList("it goes on, and does not say where".to_owned()));
        }
        Ok(self.answer)
    }
}

/// The version as the header `ETag` has it: some servers leave the quotes out here.
fn version(etag: &str) -> Option<String> {
    let is_quoted = etag.starts_with('"') || etag.starts_with("W/");
    let quoted = if is_quoted { etag.to_owned() } else { format!("\"{etag}\"") };
    Some(quoted).filter(|_| !etag.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <Name>b</Name><IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b/+=</NextContinuationToken>\
        <Contents><Key>x/a&amp;b &#233;+%20.gz</Key><ETag>&quot;1-2&quot;</ETag><Size>12</Size><Owner><ID>Key</ID></Owner></Contents>\
        <Contents><Size>7</Size><ETag>3</ETag><Key> y </Key></Contents><Contents><Key>z</Key></Contents>\
        <CommonPrefixes><Prefix>w/</Prefix></CommonPrefixes></ListBucketResult>\n";

    fn object(key: &str, bytes: Option<u64>, version: Option<&str>) -> Object {
        Object { key: key.into(), bytes, version: version.map(str::to_owned) }
    }

    #[test]
    fn answers_are_understood() {
        let objects = vec![
            object("x/a&b é+%20.gz", Some(12), Some("\"1-2\"")),
            object(" y ", Some(7), Some("\"3\"")),
            object("z", None, None),
        ];
        assert_eq!(parse(LIST), Ok(Answer { objects, next: Some("a&b/+=".into()) }));
        let last = LIST.replace("true", "false");
        assert_eq!(parse(&last).expect("a list").next, None);
    }

    #[test]
    fn half_a_list_is_no_list() {
        let end = LIST.trim_end().len();
        for cut in (0..end).filter(|cut| LIST.is_char_boundary(*cut)) {
            assert_eq!(parse(&LIST[..cut]), Err(Flaw::Cut), "{cut}");
        }
        let other = parse("<html><p>hello");
        assert!(matches!(other, Err(Flaw::NoList(_))), "{other:?}");
        let lost = LIST.replace("a&amp;b/+=", "");
        assert!(matches!(parse(&lost), Err(Flaw::NoList(_))));
    }
}
