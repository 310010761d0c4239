//! A line to a server that throttles, cuts and lies: the server itself is honest.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the line does to one request.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// Answers in the server's place, as S3 does when it is asked too often.
    SlowDown,
    /// Answers in the server's place with this status.
    Status(u16),
    /// Hangs up without an answer.
    HangUp,
    /// Hangs up behind this many bytes of the answer, header included.
    CutAfter(usize),
    /// Adds this to the length that the server promises.
    LieMore(usize),
    /// Takes this from the length that the server promises, and from the answer.
    LieLess(usize),
    /// Has the server do what it is asked to, and hangs up without an answer.
    Lose,
    /// Answers nothing for so long, then hangs up; the server is not asked.
    Silence(Duration),
    /// Changes a byte of what is sent to the server, or of what it sends.
    Flip,
    /// Answers a listing as it was answered the last time.
    Behind,
    /// Leaves out the condition.
    Unconditional,
}

/// What happens to the n-th request, counted from 1, of that first line.
pub type Rule = Box<dyn Fn(usize, &str) -> Option<Fault> + Send + Sync>;

/// The line: one request a connection.
pub struct Line {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    /// Those still to come; the next one last.
    faults: Mutex<Vec<Fault>>,
    rule: Mutex<Option<(Rule, usize)>>,
    /// First lines of the requests that came.
    asked: Mutex<Vec<String>>,
    /// The last answers to listings, by what was asked.
    lists: Mutex<HashMap<String, Vec<u8>>>,
}

const SLOW_DOWN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SlowDown</Code>\
    <Message>Please reduce your request rate.</Message></Error>";

impl Line {
    pub fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            server,
            faults: Mutex::default(),
            rule: Mutex::default(),
            asked: Mutex::default(),
            lists: Mutex::default(),
        });
        let line = Self { address, shared: Arc::clone(&shared) };
        // Ends with the process: nobody else uses the port.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || drop(shared.carry(&stream)));
            }
        });
        line
    }

    /// The next GETs go wrong like this.
    pub fn break_by(&self, faults: &[Fault]) {
        *self.shared.faults.lock().expect("no panic") = faults.iter().rev().copied().collect();
    }

    /// Requests go wrong by a rule from now on, counted anew.
    pub fn rule(&self, rule: impl Fn(usize, &str) -> Option<Fault> + Send + Sync + 'static) {
        *self.shared.rule.lock().expect("no panic") = Some((Box::new(rule), 0));
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        *self.shared.rule.lock().expect("no panic") = None;
    }

    /// How many faults did not happen so far.
    pub fn faults_left(&self) -> usize {
        self.shared.faults.lock().expect("no panic").len()
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.asked.lock().expect("no panic"))
    }
}

impl Shared {
    fn carry(&self, client: &TcpStream) -> io::Result<()> {
        let request = Asked::read(client)?;
        let first = request.head.lines().next().unwrap_or_default().to_owned();
        let fault = self.fault(&first);
        self.asked.lock().expect("no panic").push(first.clone());
        let mut out = client;
        match fault {
            Some(Fault::HangUp) => Ok(()),
            Some(Fault::Silence(time)) => {
                std::thread::sleep(time);
                Ok(())
            }
            Some(Fault::SlowDown) => out.write_all(&answer(503, SLOW_DOWN)),
            Some(Fault::Status(status)) => out.write_all(&answer(status, "")),
            Some(Fault::CutAfter(cut)) => {
                let answer = self.ask(&request)?;
                out.write_all(&answer[..cut.min(answer.len())])
            }
            Some(Fault::LieMore(more)) => out.write_all(&with_length(&self.ask(&request)?, |length| length + more)),
            Some(Fault::LieLess(less)) => {
                let answer = with_length(&self.ask(&request)?, |length| length.saturating_sub(less));
                out.write_all(&answer[..answer.len() - less.min(answer.len())])
            }
            Some(Fault::Lose) => self.ask(&request).map(drop),
            Some(Fault::Flip) if request.body.is_empty() => out.write_all(&flipped(&self.ask(&request)?)),
            Some(Fault::Flip) => out.write_all(&self.ask(&Asked { body: flipped(&request.body), ..request })?),
            Some(Fault::Behind) => {
                let answer = self.ask(&request)?;
                let last = self.lists.lock().expect("no panic").insert(listing(&first), answer);
                out.write_all(&last.unwrap_or_else(|| self::answer(200, EMPTY_LIST)))
            }
            Some(Fault::Unconditional) => {
                let is_other = |line: &&str| !line.to_ascii_lowercase().starts_with("if-none-match:");
                let head: Vec<&str> = request.head.split("\r\n").filter(is_other).collect();
                out.write_all(&self.ask(&Asked { head: head.join("\r\n"), ..request })?)
            }
            None => {
                let answer = self.ask(&request)?;
                if first.contains("list-type=2") {
                    self.lists.lock().expect("no panic").insert(listing(&first), answer.clone());
                }
                out.write_all(&answer)
            }
        }
    }

    fn fault(&self, first: &str) -> Option<Fault> {
        let next = if first.starts_with("GET ") { self.faults.lock().expect("no panic").pop() } else { None };
        let mut rule = self.rule.lock().expect("no panic");
        next.or_else(|| {
            let (rule, count) = rule.as_mut()?;
            *count += 1;
            rule(*count, first)
        })
    }

    fn ask(&self, request: &Asked) -> io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(self.server)?;
        server.write_all(request.head.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1).as_bytes())?;
        server.write_all(&request.body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

/// A request, whole.
struct Asked {
    head: String,
    body: Vec<u8>,
}

impl Asked {
    fn read(client: &TcpStream) -> io::Result<Self> {
        let (mut head, mut lines) = (String::new(), BufReader::new(client));
        while !head.ends_with("\r\n\r\n") {
            if lines.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let mut body = vec![0; length(&head).unwrap_or(0)];
        lines.read_exact(&mut body)?;
        Ok(Self { head, body })
    }
}

fn length(head: &str) -> Option<usize> {
    let named = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    };
    head.lines().find_map(named)
}

/// What a listing asks for, without signature and time.
fn listing(first: &str) -> String {
    let is_asked = |part: &&str| part.starts_with("prefix=") || part.starts_with("continuation-token=");
    first.split(['?', '&', ' ']).filter(is_asked).collect::<Vec<_>>().join("&")
}

/// Another last byte. An answer without a body loses its last line's end, and is none.
fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    bytes
}

const EMPTY_LIST: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>";

fn answer(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Fault\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn with_length(answer: &[u8], change: impl Fn(usize) -> usize) -> Vec<u8> {
    let head_end = answer.windows(4).position(|part| part == b"\r\n\r\n").expect("a header");
    let head = String::from_utf8_lossy(&answer[..head_end]).into_owned();
    let changed = |line: &str| match line.split_once(": ") {
        Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
            format!("{name}: {}", change(value.parse().expect("a length")))
        }
        _ => line.to_owned(),
    };
    let head: Vec<String> = head.split("\r\n").map(changed).collect();
    [head.join("\r\n").as_bytes(), &answer[head_end..]].concat()
}
