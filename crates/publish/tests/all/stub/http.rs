//! A small HTTP/1.1 server on loopback: a thread for each connection, bodies in memory.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path without the query, still quoted.
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// How it goes out.
    pub(crate) way: Way,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Whole,
    /// The connection is closed without a word.
    Lost,
    /// Half of the body, then the connection is closed.
    Cut,
    /// After that time.
    Late(Duration),
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), way: Way::Whole }
    }

    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self::new(200, value.to_string()).with("content-type", "application/json")
    }

    pub(crate) fn error(status: u16, message: &str) -> Self {
        let answer = Self::new(status, serde_json::json!({ "error": message }).to_string());
        answer.with("content-type", "application/json").with("x-error-message", message)
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Serves until the process ends; gives the address.
pub(crate) fn serve(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // Head and body go in two writes: otherwise the second waits for the first one's receipt, 40 ms at each answer.
            stream.set_nodelay(true).expect("a socket");
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
                while let Some(asked) = read(&mut reader) {
                    if !write(&stream, &asked, &answer(&asked)) {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head).ok()? == 0 {
            return None;
        }
    }
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut fields);
    request.parse(&head).ok()?;
    let target = request.path?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut asked = Asked { method: request.method?.to_owned(), path: path.to_owned(), ..Asked::default() };
    asked.query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    for field in &*request.headers {
        asked.headers.insert(field.name.to_ascii_lowercase(), String::from_utf8_lossy(field.value).into_owned());
    }
    let length = asked.headers.get("content-length").and_then(|length| length.parse().ok());
    asked.body = match length {
        Some(length) => {
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            body
        }
        None if asked.headers.contains_key("transfer-encoding") => chunks(reader)?,
        None => Vec::new(),
    };
    Some(asked)
}

fn chunks(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let size = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

/// Whether the connection goes on.
fn write(mut stream: &TcpStream, asked: &Asked, answer: &Answer) -> bool {
    let mut body = answer.body.as_slice();
    match answer.way {
        Way::Lost => return false,
        Way::Late(time) => thread::sleep(time),
        Way::Whole | Way::Cut => {}
    }
    let mut head = format!("HTTP/1.1 {} Answer\r\n", answer.status);
    if !answer.headers.iter().any(|(name, _)| name == "content-length") {
        let _infallible = write!(head, "content-length: {}\r\n", body.len());
    }
    for (name, value) in &answer.headers {
        let _infallible = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    if asked.method == "HEAD" {
        body = &[];
    }
    if answer.way == Way::Cut {
        body = &body[..body.len() / 2];
    }
    let written = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    written.is_ok() && answer.way != Way::Cut
}
