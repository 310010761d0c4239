//! A line to a server that throttles, cuts and lies: the server itself is honest.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the line does to one GET.
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
}

/// The line: one request a connection.
pub struct Line {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    /// Those still to come; the next one last.
    faults: Mutex<Vec<Fault>>,
    /// First lines of the requests that came.
    asked: Mutex<Vec<String>>,
}

const SLOW_DOWN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SlowDown</Code>\
    <Message>Please reduce your request rate.</Message></Error>";

impl Line {
    pub fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared { server, faults: Mutex::default(), asked: Mutex::default() });
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
        let request = read_header(client)?;
        let first = request.lines().next().unwrap_or_default().to_owned();
        let fault = if first.starts_with("GET ") { self.faults.lock().expect("no panic").pop() } else { None };
        self.asked.lock().expect("no panic").push(first);
        let mut out = client;
        match fault {
            Some(Fault::HangUp) => Ok(()),
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
            None => out.write_all(&self.ask(&request)?),
        }
    }

    fn ask(&self, request: &str) -> io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(self.server)?;
        server.write_all(request.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1).as_bytes())?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

fn read_header(client: &TcpStream) -> io::Result<String> {
    let mut request = String::new();
    let mut lines = BufReader::new(client);
    while !request.ends_with("\r\n\r\n") {
        if lines.read_line(&mut request)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(request)
}

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
