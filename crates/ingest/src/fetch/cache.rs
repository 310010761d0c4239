//! What was fetched, as WARC files: a rerun finds it there and asks nobody.
//!
//! Each process writes a file of its own and reads those of all. Answers of every status are kept, and refusals too, as
//! `metadata` records, so that what could not be had once is not asked for again. Of two answers for one URL the first
//! counts, so that a later run sees what the first one saw. Deleting the folder forgets everything.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use item::ContentHasher;
use jiff::Timestamp;
use warc::{RecordType, WarcHeader};

use crate::Limits;
use crate::archive::{ArchiveReader, Entry, WarcRecord};
use crate::http::HttpResponse;

/// Field of a `metadata` record that says why there is no answer.
const REFUSED: &str = "fetch-refused: ";

/// What a URL gave.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// A response.
    Response(HttpResponse),
    /// None; why stands in its record.
    Refused,
}

/// The answers of all processes that use the folder.
#[derive(Debug)]
pub(super) struct AnswerCache {
    folder: PathBuf,
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    paths: Vec<PathBuf>,
    /// File and offset of a record, by URL.
    places: BTreeMap<String, (usize, u64)>,
    /// The file of this process, once something was fetched, and the bytes in it.
    own: Option<(File, usize, u64)>,
}

impl AnswerCache {
    pub(super) fn open(folder: &Path, limits: Limits) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut state = State::default();
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        paths.retain(|path| path.to_string_lossy().ends_with(".warc.gz"));
        paths.sort();
        for path in paths {
            let at = state.paths.len();
            for entry in ArchiveReader::open(&path, limits).map_err(io::Error::other)? {
                // A process that died in the middle of writing leaves half a record; the rest counts.
                let Entry::Record(record) = entry.map_err(io::Error::other)? else { continue };
                let is_answer = matches!(record.record_type, RecordType::Response | RecordType::Metadata);
                if let Some(uri) = record.uri().filter(|_| is_answer) {
                    state.places.entry(uri.to_owned()).or_insert((at, record.offset));
                }
            }
            state.paths.push(path);
        }
        Ok(Self { folder: folder.to_owned(), limits, state: Mutex::new(state) })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `url` gave before; `None` when it was never asked for.
    pub(super) fn get(&self, url: &str) -> io::Result<Option<Answer>> {
        let place = {
            let state = self.state();
            state.places.get(url).map(|(path, offset)| (state.paths[*path].clone(), *offset))
        };
        let Some((path, offset)) = place else { return Ok(None) };
        let mut entries = ArchiveReader::open_at(&path, offset, self.limits).map_err(io::Error::other)?;
        match entries.next() {
            Some(Ok(Entry::Record(record))) if record.uri() == Some(url) => Ok(answer(&record, &self.limits)),
            Some(Err(error)) => Err(io::Error::other(error)),
            _ => Err(io::Error::other(format!("`{}` has changed since it was read", path.display()))),
        }
    }

    /// Keeps the message (status line, header, body) that `url` gave.
    pub(super) fn put_response(&self, url: &str, message: Vec<u8>) -> io::Result<Answer> {
        self.put(url, "response", &[("Content-Type", "application/http; msgtype=response")], &message)?;
        Ok(parsed(&Bytes::from(message), &self.limits))
    }

    /// Keeps why `url` gave nothing.
    pub(super) fn put_refusal(&self, url: &str, reason: &str) -> io::Result<Answer> {
        let reason: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let block = format!("{REFUSED}{reason}\r\n");
        self.put(url, "metadata", &[("Content-Type", "application/warc-fields")], block.as_bytes())?;
        Ok(Answer::Refused)
    }

    fn put(&self, url: &str, kind: &str, fields: &[(&str, &str)], block: &[u8]) -> io::Result<()> {
        let record = packed(kind, Some(url), fields, block)?;
        let mut state = self.state();
        if state.own.is_none() {
            let (file, path) = self.create()?;
            state.paths.push(path);
            let at = state.paths.len() - 1;
            state.own = Some((file, at, 0));
            let about = format!("software: databuild/{}\r\n", env!("CARGO_PKG_VERSION"));
            let about = packed("warcinfo", None, &[("Content-Type", "application/warc-fields")], about.as_bytes())?;
            append(&mut state, &about)?;
        }
        let place = append(&mut state, &record)?;
        state.places.entry(url.to_owned()).or_insert(place);
        Ok(())
    }

    /// A file that sorts behind those of earlier runs.
    fn create(&self) -> io::Result<(File, PathBuf)> {
        let stamp = Timestamp::now().strftime("%Y%m%d%H%M%S%6f");
        let path = self.folder.join(format!("fetched-{stamp}-{}.warc.gz", std::process::id()));
        Ok((File::options().append(true).create_new(true).open(&path)?, path))
    }
}

/// Appends a record; answers its place.
fn append(state: &mut State, record: &[u8]) -> io::Result<(usize, u64)> {
    let Some((file, path, end)) = &mut state.own else { return Err(io::Error::other("no file is open")) };
    let place = (*path, *end);
    file.write_all(record)?;
    *end += record.len() as u64;
    Ok(place)
}

fn answer(record: &WarcRecord, limits: &Limits) -> Option<Answer> {
    if record.record_type == RecordType::Response {
        return Some(parsed(&record.block, limits));
    }
    let text = String::from_utf8_lossy(&record.block);
    text.lines().any(|line| line.starts_with(REFUSED)).then_some(Answer::Refused)
}

fn parsed(message: &Bytes, limits: &Limits) -> Answer {
    HttpResponse::parse(message, limits).map_or(Answer::Refused, Answer::Response)
}

/// A record as a gzip member.
fn packed(kind: &str, url: Option<&str>, fields: &[(&str, &str)], block: &[u8]) -> io::Result<Vec<u8>> {
    let date = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut id = ContentHasher::new("record id");
    id.add_text(kind).add_text(url.unwrap_or_default()).add_text(&date).add_text(&std::process::id().to_string());
    let hex = id.finish().to_string();
    let id = format!("<urn:uuid:{}-{}-4{}-8{}-{}>", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32]);
    let mut header = format!("WARC/1.1\r\n{}: {kind}\r\n{}: {id}\r\n", WarcHeader::WarcType, WarcHeader::RecordID);
    let mut push = |name: &str, value: &str| {
        header.push_str(name);
        header.push_str(": ");
        header.push_str(value);
        header.push_str("\r\n");
    };
    push("WARC-Date", &date);
    if let Some(url) = url {
        push("WARC-Target-URI", url);
    }
    for (name, value) in fields {
        push(name, value);
    }
    push("Content-Length", &block.len().to_string());
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(header.as_bytes())?;
    out.write_all(b"\r\n")?;
    out.write_all(block)?;
    out.write_all(b"\r\n\r\n")?;
    out.finish()
}
