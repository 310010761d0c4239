//! Large files to the storage behind the Hub, by the protocol of Git LFS: the Hub names the files that it lacks and where each
//! goes, whole or in parts. Nothing is visible before a commit names it.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;
use serde_json::json;
use ureq::http::Method;

use super::super::api::Api;
use super::super::client::Ask;
use super::Sent;
use crate::error::HubError;
use crate::event::{Event, Observer};
use crate::patience::{Miss, patiently};
use crate::publication::PublishedFile;

/// The ways of Git LFS, the better one first.
pub(super) const TRANSFERS: [&str; 2] = [IN_PARTS, WHOLE];
pub(super) const IN_PARTS: &str = "multipart";
pub(super) const WHOLE: &str = "basic";
const LFS_JSON: &str = "application/vnd.git-lfs+json";

#[derive(Debug, Deserialize)]
struct BatchAnswer {
    #[serde(default)]
    transfer: Option<String>,
    objects: Vec<Object>,
}

#[derive(Debug, Deserialize)]
struct Object {
    oid: String,
    #[serde(default)]
    actions: Option<Actions>,
    #[serde(default)]
    error: Option<ObjectError>,
}

#[derive(Debug, Deserialize)]
struct ObjectError {
    code: u16,
    message: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Actions {
    upload: Action,
    #[serde(default)]
    verify: Option<Action>,
}

#[derive(Debug, Clone, Deserialize)]
struct Action {
    href: String,
    #[serde(default)]
    header: BTreeMap<String, String>,
}

/// Sends those of the files that the Hub lacks, `at_once` at a time; gives how many and how large they were.
pub(super) fn send(
    api: &Api<'_>,
    revision: &str,
    files: &[PublishedFile],
    wanted: &Wanted,
    at_once: usize,
) -> Result<Sent, HubError> {
    let mut sent = Sent::default();
    let mut queue = VecDeque::new();
    for file in files {
        if let Some(actions) = wanted.0.get(&file.sha256) {
            sent += Sent { files: 1, bytes: file.bytes, wire_bytes: file.bytes };
            queue.push_back((file, actions));
        }
    }
    send_all(api, revision, queue, at_once)?;
    Ok(sent)
}

/// Where each file goes that the Hub lacks.
#[derive(Debug, Default)]
pub(super) struct Wanted(BTreeMap<String, Actions>);

/// Tells the Hub which files will come and by which ways they can; gives the way that it chose, and where they go.
pub(super) fn ask(
    api: &Api<'_>,
    revision: &str,
    files: &[PublishedFile],
    transfers: &[&str],
) -> Result<(Option<String>, Wanted), HubError> {
    let objects: Vec<_> = files.iter().map(|file| json!({ "oid": file.sha256, "size": file.bytes })).collect();
    let body = json!({
        "operation": "upload", "transfers": transfers, "hash_algo": "sha256",
        "ref": { "name": revision }, "objects": objects,
    });
    let address = format!("/datasets/{}.git/info/lfs/objects/batch", api.id);
    let body = body.to_string();
    let answer: BatchAnswer = api.client.ask_json(&Ask::post(&address, LFS_JSON, body.as_bytes()))?;
    let mut wanted = Wanted::default();
    for object in answer.objects {
        if let Some(ObjectError { code, message }) = object.error {
            return Err(HubError::Status { status: code, message });
        }
        if let Some(actions) = object.actions {
            wanted.0.insert(object.oid, actions);
        }
    }
    Ok((answer.transfer, wanted))
}

type Queue<'a> = VecDeque<(&'a PublishedFile, &'a Actions)>;

fn send_all(api: &Api<'_>, revision: &str, queue: Queue<'_>, at_once: usize) -> Result<(), HubError> {
    let queue = Mutex::new(queue);
    let failure = Mutex::new(None);
    let over = AtomicBool::new(false);
    let work = || {
        while !over.load(Ordering::Relaxed) && !api.client.observer.stopped() {
            let Some((file, actions)) = lock(&queue).pop_front() else { return };
            if let Err(error) = send_file(api, revision, file, actions) {
                over.store(true, Ordering::Relaxed);
                lock(&failure).get_or_insert(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..at_once.max(1) {
            scope.spawn(work);
        }
    });
    match failure.into_inner() {
        Ok(Some(error)) => Err(error),
        _ if api.client.observer.stopped() => {
            Err(HubError::GivenUp { attempts: 0, reason: "stopped; what arrived will not be sent again".to_owned() })
        }
        _ => Ok(()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Sends one file. Addresses grow old: a refusal is answered by asking for a new one, once.
fn send_file(api: &Api<'_>, revision: &str, file: &PublishedFile, actions: &Actions) -> Result<(), HubError> {
    let result = send_to(api, file, actions);
    let Err(HubError::Status { status: 400 | 403, .. }) = &result else { return result };
    let (_, fresh) = ask(api, revision, std::slice::from_ref(file), &TRANSFERS)?;
    match fresh.0.get(&file.sha256) {
        Some(fresh) => send_to(api, file, fresh),
        None => Ok(()),
    }
}

fn send_to(api: &Api<'_>, file: &PublishedFile, actions: &Actions) -> Result<(), HubError> {
    if let Some(size) = actions.upload.header.get("chunk_size") {
        let size = size.parse().ok().filter(|&size| size > 0);
        let size = size.ok_or_else(|| HubError::Answer("a chunk size of 0".to_owned()))?;
        send_parts(api, file, &actions.upload, size)?;
    } else {
        let headers: Vec<(String, String)> = actions.upload.header.clone().into_iter().collect();
        put(api, file, &actions.upload.href, &headers, (0, file.bytes))?;
    }
    if let Some(verify) = &actions.verify {
        let body = json!({ "oid": file.sha256, "size": file.bytes }).to_string();
        api.client.ask(&Ask::post(&verify.href, LFS_JSON, body.as_bytes()))?;
    }
    api.client.observer.event(&Event::Arrived { name: file.name.clone(), bytes: file.bytes });
    Ok(())
}

/// Sends a file in parts: their addresses stand under `1`, `2`, … (with leading zeros) in the action's headers, and the
/// action's own address is told when all are there.
fn send_parts(api: &Api<'_>, file: &PublishedFile, action: &Action, size: u64) -> Result<(), HubError> {
    let numbered = action.header.iter().filter_map(|(name, address)| Some((name.parse::<u64>().ok()?, address)));
    let addresses: BTreeMap<u64, &String> = numbered.collect();
    let count = file.bytes.div_ceil(size);
    let mut parts = Vec::new();
    for number in 1..=count {
        let address = addresses.get(&number);
        let address = address.ok_or_else(|| HubError::Answer(format!("part {number} of {count} has no address")))?;
        let start = (number - 1) * size;
        let etag = put(api, file, address, &[], (start, size.min(file.bytes - start)))?;
        let etag = etag.ok_or_else(|| HubError::Answer(format!("part {number} of {count} was given no ETag")))?;
        parts.push(json!({ "partNumber": number, "etag": etag }));
    }
    let body = json!({ "oid": file.sha256, "parts": parts }).to_string();
    api.client.ask(&Ask::post(&action.href, LFS_JSON, body.as_bytes())).map(drop)
}

/// Puts a range of the file somewhere; gives the ETag.
fn put(
    api: &Api<'_>,
    file: &PublishedFile,
    address: &str,
    headers: &[(String, String)],
    (start, length): (u64, u64),
) -> Result<Option<String>, HubError> {
    patiently(api.client.patience, api.client.observer, || {
        let unread = |source| Miss::Fatal(HubError::Read { path: file.path().to_owned(), source });
        let reader = file.read(start, length).map_err(unread)?;
        let mut counted = Counted { reader, sent: 0, observer: api.client.observer };
        let answer = api.client.send_stream(Method::PUT, address, headers, "", length, &mut counted);
        match answer {
            Ok(response) => Ok(response.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned)),
            Err(miss) => {
                api.client.observer.event(&Event::Sent(-counted.sent));
                Err(miss)
            }
        }
    })
}

/// Tells how many bytes went through.
struct Counted<'a> {
    reader: Box<dyn Read + 'a>,
    sent: i64,
    observer: &'a dyn Observer,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.sent += read as i64;
        self.observer.event(&Event::Sent(read as i64));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::client::parse;
    use super::*;

    #[test]
    fn answers_of_the_protocol_are_read() {
        let answer = br#"{"transfer":"multipart","objects":[
            {"oid":"a","size":3},
            {"oid":"b","size":3,"actions":{"upload":{"href":"https://x/done","header":{"chunk_size":"2","00001":"https://x/1"}},
             "verify":{"href":"https://x/verify"}}}]}"#;
        let answer: BatchAnswer = parse(answer).expect("an answer");
        assert_eq!(answer.transfer.as_deref(), Some("multipart"));
        assert!(answer.objects[0].actions.is_none());
        let actions = answer.objects[1].actions.clone().expect("actions");
        assert_eq!(actions.upload.header["chunk_size"], "2");
        assert!(actions.verify.is_some());
    }
}
