//! A web server on loopback that serves files from memory, with ranges, and misbehaves on request.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use sha2::{Digest, Sha256};

use crate::seed::hex;

/// One way to disappoint a client. Each is spent on one GET, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mischief {
    /// Answers with this status, and `Retry-After: 0`.
    Status(u16),
    /// Sends this many bytes of the body, then hangs up.
    CutAfter(usize),
    /// Promises this many bytes more than there are, then hangs up.
    PromiseMore(usize),
    /// Promises this many bytes fewer than there are, and sends as many as it promised.
    PromiseLess(usize),
    /// Ignores the wished range and sends the whole file.
    IgnoreRange,
    /// Hangs up without an answer.
    HangUp,
}

/// One request that came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET` or `HEAD`.
    pub method: String,
    /// The path.
    pub path: String,
    /// Value of `Range`.
    pub range: Option<String>,
    /// Value of `User-Agent`.
    pub user_agent: String,
    /// When.
    pub at: Instant,
}

/// The server; it ends with this value.
#[derive(Debug)]
pub struct FileServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    answers: Mutex<BTreeMap<String, Vec<u8>>>,
    mischief: Mutex<VecDeque<Mischief>>,
    asked: Mutex<Vec<Asked>>,
    ended: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FileServer {
    /// Serves `files` (path with its slash, bytes) until it is dropped.
    pub fn start(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { files: Mutex::new(files.into_iter().collect()), ..Shared::default() });
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.ended.load(Ordering::SeqCst) {
                    break;
                }
                let shared = Arc::clone(&serving);
                // A client that hangs up first is no trouble of ours.
                std::thread::spawn(move || drop(shared.answer(&stream)));
            }
        });
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Puts a file in the place of another, or beside the others.
    pub fn put(&self, path: &str, bytes: Vec<u8>) {
        lock(&self.shared.files).insert(path.to_owned(), bytes);
    }

    /// Answers a path with this status, these header lines and this body, whatever is asked.
    pub fn answer(&self, path: &str, status: u16, headers: &[&str], body: &[u8]) {
        let headers: String = headers.iter().flat_map(|header| [*header, "\r\n"]).collect();
        let head =
            format!("HTTP/1.1 {status} So\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        lock(&self.shared.answers).insert(path.to_owned(), [head.as_bytes(), body].concat());
    }

    /// Host and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next GETs go wrong like this.
    pub fn misbehave(&self, mischief: impl IntoIterator<Item = Mischief>) {
        lock(&self.shared.mischief).extend(mischief);
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.shared.asked).clone()
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Shared {
    /// One request a connection.
    fn answer(&self, stream: &TcpStream) -> io::Result<()> {
        let mut lines = BufReader::new(stream).lines();
        let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut headers = BTreeMap::new();
        for line in lines {
            let line = line?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let range = headers.get("range").cloned();
        lock(&self.asked).push(Asked {
            method: method.to_owned(),
            path: path.to_owned(),
            range: range.clone(),
            user_agent: headers.remove("user-agent").unwrap_or_default(),
            at: Instant::now(),
        });
        if let Some(answer) = lock(&self.answers).get(path).cloned() {
            let mut out = stream;
            return out.write_all(&answer);
        }
        // A signature stands behind the path.
        let path = path.split('?').next().unwrap_or(path);
        let Some(bytes) = lock(&self.files).get(path).cloned() else {
            return send(stream, 404, &[], &[]);
        };
        let version = format!("ETag: \"{}\"", hex(&Sha256::digest(&bytes)));
        if method == "HEAD" {
            return write!(
                &mut &*stream,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n{version}\r\n\r\n",
                bytes.len()
            );
        }
        let mischief = lock(&self.mischief).pop_front();
        match mischief {
            Some(Mischief::HangUp) => return Ok(()),
            Some(Mischief::Status(status)) => return send(stream, status, &["Retry-After: 0".into()], &[]),
            _ => {}
        }
        let wished = range.as_deref().and_then(parse_range).filter(|_| mischief != Some(Mischief::IgnoreRange));
        let (start, end) = wished.map_or((0, bytes.len()), |(start, end)| (start, end.unwrap_or(bytes.len())));
        let Some(body) = bytes.get(start..end.min(bytes.len())).filter(|body| start == 0 || !body.is_empty()) else {
            return send(stream, 416, &[format!("Content-Range: bytes */{}", bytes.len())], &[]);
        };
        let (promised, sent) = match mischief {
            Some(Mischief::PromiseMore(more)) => (body.len() + more, body.len()),
            Some(Mischief::PromiseLess(less)) => (body.len().saturating_sub(less), body.len().saturating_sub(less)),
            Some(Mischief::CutAfter(cut)) => (body.len(), cut.min(body.len())),
            _ => (body.len(), body.len()),
        };
        let status = if wished.is_some() { "206 Partial Content" } else { "200 OK" };
        let content_range = wished.map_or(String::new(), |_| {
            format!("Content-Range: bytes {start}-{}/{}\r\n", start + body.len() - 1, bytes.len())
        });
        let mut out = stream;
        write!(
            out,
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {promised}\r\n{content_range}{version}\r\n\r\n"
        )?;
        out.write_all(&body[..sent])
    }
}

/// `bytes=START-` or `bytes=START-LAST`; the end is behind the last.
fn parse_range(range: &str) -> Option<(usize, Option<usize>)> {
    let (start, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let last = if last.is_empty() { None } else { Some(last.parse::<usize>().ok()? + 1) };
    Some((start.parse().ok()?, last))
}

fn send(mut stream: &TcpStream, status: u16, headers: &[String], body: &[u8]) -> io::Result<()> {
    let headers: String = headers.iter().flat_map(|header| [header.as_str(), "\r\n"]).collect();
    write!(
        stream,
        "HTTP/1.1 {status} Mischief\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    )?;
    stream.write_all(body)
}
