//! A model server on loopback that says what a test wants, in the form of OpenAI's chat completions, and misbehaves on request.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

/// What the server does with one request.
#[derive(Debug, Clone)]
pub enum Act {
    /// Answers with that status, further header lines (each with its `\r\n`) and body.
    Answer(u16, &'static str, Vec<u8>),
    /// Sends half of the body, and hangs up.
    Cut(Vec<u8>),
    /// Hangs up without a word.
    HangUp,
    /// Says nothing for so long, then acts.
    After(Duration, Box<Self>),
}

/// A whole completion.
pub fn completion(content: &str, finish_reason: &str) -> Vec<u8> {
    json!({
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": content }, "finish_reason": finish_reason }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 2 },
    })
    .to_string()
    .into_bytes()
}

impl Act {
    /// Says that.
    pub fn say(content: &str) -> Self {
        Self::Answer(200, "", completion(content, "stop"))
    }

    /// Says that, and is cut off at the limit of tokens.
    pub fn say_cut_off(content: &str) -> Self {
        Self::Answer(200, "", completion(content, "length"))
    }

    /// Will not do it.
    pub fn refuse(words: &str) -> Self {
        let message = json!({ "role": "assistant", "content": null, "refusal": words });
        let body = json!({ "choices": [{ "message": message, "finish_reason": "stop" }] });
        Self::Answer(200, "", body.to_string().into_bytes())
    }

    /// Answers with that status and body.
    pub fn status(status: u16, body: &str) -> Self {
        Self::Answer(status, "", body.as_bytes().to_vec())
    }
}

type Mind = dyn Fn(&Value) -> Act + Send + Sync;

/// The server. Its thread ends with the process.
#[derive(Debug)]
pub struct ModelServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl ModelServer {
    /// Acts by the script, one act a request; behind its end it says `done`.
    pub fn scripted(script: impl IntoIterator<Item = Act>) -> io::Result<Self> {
        let script: Mutex<VecDeque<Act>> = Mutex::new(script.into_iter().collect());
        Self::minded(move |_| lock(&script).pop_front().unwrap_or_else(|| Act::say("done")))
    }

    /// Acts as a function of the request says.
    pub fn minded(mind: impl Fn(&Value) -> Act + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let server = Self { address: listener.local_addr()?, asked: Arc::default() };
        let (mind, asked): (Arc<Mind>, _) = (Arc::new(mind), Arc::clone(&server.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (mind, asked) = (Arc::clone(&mind), Arc::clone(&asked));
                // A client that went away is what some tests want.
                std::thread::spawn(move || drop(serve(stream, &*mind, &asked)));
            }
        });
        Ok(server)
    }

    /// The base URL.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Every completion that was asked for, in the order of arrival.
    pub fn asked(&self) -> Vec<Value> {
        lock(&self.asked).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All texts of a request, one behind the other, the system's first.
pub fn text_of(request: &Value) -> String {
    let mut text = String::new();
    for message in request["messages"].as_array().into_iter().flatten() {
        match &message["content"] {
            Value::String(words) => text.push_str(words),
            parts => {
                for part in parts.as_array().into_iter().flatten() {
                    text.push('\n');
                    text.push_str(part["text"].as_str().unwrap_or_default());
                }
            }
        }
    }
    text
}

fn serve(mut stream: TcpStream, mind: &Mind, asked: &Mutex<Vec<Value>>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    if first.starts_with("GET ") {
        let models = json!({ "object": "list", "data": [{ "id": "scripted", "object": "model" }] });
        return act(&mut stream, Act::Answer(200, "", models.to_string().into_bytes()));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    lock(asked).push(request.clone());
    act(&mut stream, mind(&request))
}

fn act(stream: &mut TcpStream, act_now: Act) -> io::Result<()> {
    let head = |status: u16, headers: &str, bytes: usize| {
        format!("HTTP/1.1 {status} x\r\ncontent-length: {bytes}\r\nconnection: close\r\n{headers}\r\n").into_bytes()
    };
    match act_now {
        Act::Answer(status, headers, body) => {
            stream.write_all(&head(status, headers, body.len()))?;
            stream.write_all(&body)
        }
        Act::Cut(body) => {
            stream.write_all(&head(200, "", body.len()))?;
            stream.write_all(&body[..body.len() / 2])
        }
        Act::HangUp => Ok(()),
        Act::After(time, then) => {
            std::thread::sleep(time);
            act(stream, *then)
        }
    }
}
