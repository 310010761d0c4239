//! As much of HTTP as a browser on the same machine needs: GET, one answer a connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Bytes of a request: a browser's headers have one or two thousand.
const REQUEST_BYTES_MAX: u64 = 32 << 10;
/// The longest that a client may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// What our own pages may load: only from here.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) path: String,
    query: String,
}

impl Request {
    /// A number of the query.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).find_map(|(_, value)| value.parse().ok())
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    kind: &'static str,
    body: Vec<u8>,
    has_policy: bool,
}

impl Answer {
    pub(crate) fn bytes(kind: &'static str, body: Vec<u8>) -> Self {
        Self { status: 200, kind, body, has_policy: false }
    }

    pub(crate) fn text(kind: &'static str, body: &str) -> Self {
        Self::bytes(kind, body.as_bytes().to_vec())
    }

    /// A page that says itself what it may load.
    pub(crate) fn own_policy(kind: &'static str, body: Vec<u8>) -> Self {
        Self { has_policy: true, ..Self::bytes(kind, body) }
    }

    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self::bytes("application/json", value.to_string().into_bytes())
    }

    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self { status, ..Self::text("text/plain; charset=utf-8", message) }
    }
}

/// Answers one request.
pub(crate) fn serve(stream: &TcpStream, is_loopback: bool, answer: impl Fn(&Request) -> Answer) {
    let _unset = stream.set_read_timeout(Some(SILENCE_MAX)).and_then(|()| stream.set_write_timeout(Some(SILENCE_MAX)));
    let answer = match read(stream, is_loopback) {
        Ok(request) => answer(&request),
        Err(Some(refusal)) => refusal,
        Err(None) => return,
    };
    // A browser that went away is no error.
    let _gone = write(stream, &answer);
}

fn read(stream: &TcpStream, is_loopback: bool) -> Result<Request, Option<Answer>> {
    let mut lines = BufReader::new(stream.take(REQUEST_BYTES_MAX)).lines();
    let mut next = || lines.next().and_then(Result::ok).ok_or(None);
    let first = next()?;
    let mut host = String::new();
    loop {
        let line = next()?;
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("host") => value.trim().clone_into(&mut host),
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    if is_loopback && !is_this_machine(&host) {
        return Err(Some(Answer::error(403, "this server answers to `localhost` only")));
    }
    let words: Vec<&str> = first.split(' ').collect();
    let ["GET", target, _] = words.as_slice() else { return Err(Some(Answer::error(405, "GET alone is understood"))) };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Ok(Request { path: path.to_owned(), query: query.to_owned() })
}

/// A page of the web can give its own name our address; it cannot make a browser ask for `localhost`.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

fn write(mut stream: &TcpStream, answer: &Answer) -> std::io::Result<()> {
    let policy = if answer.has_policy { String::new() } else { format!("Content-Security-Policy: {POLICY}\r\n") };
    let head = format!(
        "HTTP/1.1 {} Answer\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n{policy}Connection: close\r\n\r\n",
        answer.status,
        answer.kind,
        answer.body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&answer.body)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn ask(request: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client");
            serve(&stream, true, |request| {
                Answer::text("text/plain", &format!("{} {:?}", request.path, request.number("from")))
            });
        });
        let mut client = TcpStream::connect(address).expect("the server");
        client.write_all(request.as_bytes()).expect("write");
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("read");
        server.join().expect("the server ends");
        answer
    }

    #[test]
    fn requests_are_answered_or_refused() {
        let check = |request: &str, status: &str, body: &str| {
            let answer = ask(request);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            assert!(answer.ends_with(body), "{answer}");
        };
        check("GET /api/rows?x=1&from=50 HTTP/1.1\r\nHost: localhost:8400\r\n\r\n", "200", "/api/rows Some(50)");
        check("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "200", "/ None");
        check("GET / HTTP/1.1\r\nHost: [::1]:8400\r\n\r\n", "200", "/ None");
        check("GET / HTTP/1.1\r\nHost: evil.example:8400\r\n\r\n", "403", "only");
        check("GET / HTTP/1.1\r\n\r\n", "403", "only");
        check("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "405", "understood");
    }
}
