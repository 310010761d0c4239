//! Asking a model: retries, waits, and what each kind of failure means.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderMap, StatusCode, header};

use super::answer::{Cleaned, clean};
use super::endpoint::{Endpoints, Permit};
use super::wire::{Answer, Ask, Completion, Part, Said, Usage};

/// What a server wants to see of whoever asks. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// A key as its server gave it.
    pub fn new(key: String) -> Self {
        Self(key)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// How servers are asked.
#[derive(Debug, Clone, PartialEq)]
pub struct VlmConfig {
    /// Base URLs, such as `http://127.0.0.1:8000/v1`; all serve the same model.
    pub urls: Vec<String>,
    /// Name of the model, as the servers know it.
    pub model: String,
    /// Sent as bearer token, where servers want one.
    pub key: Option<Key>,
    /// Requests to each server at the same time.
    pub concurrency: usize,
    /// Requests to each server in a minute; 0 for no bound.
    pub requests_a_minute: u32,
    /// The longest that one request may take.
    pub timeout: Duration,
    /// Times that one request is sent at most.
    pub tries: u32,
    /// Wait after the first failure; doubled each time, with jitter.
    pub backoff: Duration,
    /// The longest wait, also where a server asks for a longer one.
    pub wait_max: Duration,
    /// How long a server that keeps failing is left alone.
    pub rest: Duration,
    /// Tokens that the model can hold; requests that are longer by estimate are not sent.
    pub context_tokens: u64,
}

impl Default for VlmConfig {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            model: String::new(),
            key: None,
            concurrency: 4,
            requests_a_minute: 0,
            timeout: Duration::from_mins(10),
            tries: 6,
            backoff: Duration::from_secs(1),
            wait_max: Duration::from_mins(1),
            rest: Duration::from_secs(30),
            context_tokens: 32_768,
        }
    }
}

/// Nobody could be asked. This is no matter of a page: it ends a run, which goes on where it stopped when the servers are well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VlmError {
    /// No server is configured.
    #[error("no server is named")]
    NoServer,
    /// A server says that the request is wrong: it does not know the model, or wants a key.
    #[error("the server refuses the request with {status}: {body}")]
    BadRequest {
        /// HTTP status.
        status: u16,
        /// What it says, cut.
        body: String,
    },
    /// The run is over.
    #[error("the run was stopped")]
    Stopped,
    /// A server does not come up, or not in time.
    #[error("wait for the model server: {0}")]
    NotReady(String),
    /// An answer can't be kept, so that it would have to be asked for again.
    #[error("keep an answer of the model: {0}")]
    NotKept(String),
    /// Busy, broken or silent, each time.
    #[error("no answer after {tries} tries, the last time: {last}")]
    Unreachable {
        /// Requests sent.
        tries: u32,
        /// What happened last.
        last: String,
    },
}

/// What was asked since the client began.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Requests that got an answer.
    pub requests: u64,
    /// Requests that had to be sent again.
    pub retries: u64,
    /// Tokens.
    pub usage: Usage,
    /// Time that requests took, waits not counted, all of them added up.
    pub time: Duration,
}

/// Asks servers, any number of threads at the same time.
#[derive(Debug)]
pub struct Client {
    config: VlmConfig,
    agent: Agent,
    endpoints: Endpoints,
    spent: Mutex<Spent>,
    /// The servers take schemas, as far as is known.
    takes_schemas: AtomicBool,
    /// Requests in a row that were called wrong.
    refused: AtomicU32,
    stopped: AtomicBool,
}

/// Bytes of a response at most.
const RESPONSE_BYTES_MAX: u64 = 16 << 20;
/// Px of a picture that are one token, in each direction: the coarser of what is common.
const PX_A_TOKEN: u32 = 28;
/// Bytes of text that are one token, on the safe side for code.
const BYTES_A_TOKEN: u64 = 3;
/// A request that a server calls wrong may be the page's fault; so many in a row are ours, or the server's.
const REFUSED_MAX: u32 = 3;
/// An engine that could not finish a constrained answer is asked this often, each time with another seed.
const BROKEN_MAX: u32 = 2;
/// Between two looks whether a server is up.
const READY_EVERY: Duration = Duration::from_millis(200);

/// What one try came to.
enum Outcome {
    Said(Said),
    /// Trying again would not help.
    Over(VlmError),
    /// This request is called wrong.
    Refused(VlmError),
    /// The server knows no schemas.
    NoSchema,
    /// The server is well, but this sample came to nothing.
    Broken(String),
    /// The server is well and has too much to do; it may say for how long.
    Busy {
        why: String,
        wait: Option<Duration>,
    },
    /// The server is well, and what it sent says nothing.
    Nonsense(String),
    /// Trouble of the server's.
    Failed(String),
}

impl Client {
    /// A client of that configuration; asks nobody yet.
    pub fn new(config: VlmConfig) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(config.timeout))
            .max_redirects(0)
            .build()
            .new_agent();
        let endpoints = Endpoints::new(&config.urls, config.concurrency, config.requests_a_minute, config.rest);
        let takes_schemas = AtomicBool::new(true);
        Self {
            config,
            agent,
            endpoints,
            spent: Mutex::default(),
            takes_schemas,
            refused: AtomicU32::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    /// Sends nothing any more, and ends what waits.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn check_stopped(&self) -> Result<(), VlmError> {
        if self.stopped.load(Ordering::Relaxed) { Err(VlmError::Stopped) } else { Ok(()) }
    }

    /// Waits, unless the run is over before that.
    fn wait(&self, time: Duration) -> Result<(), VlmError> {
        let until = Instant::now() + time;
        loop {
            self.check_stopped()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(READY_EVERY));
        }
    }

    /// What was asked so far.
    pub fn spent(&self) -> Spent {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, add: impl FnOnce(&mut Spent)) {
        add(&mut self.spent.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Tokens of a request, by estimate: sizes of pictures, bytes of text.
    pub fn estimate_tokens(ask: &Ask) -> u64 {
        let text = |text: &str| text.len() as u64 / BYTES_A_TOKEN;
        let part = |part: &Part| match part {
            Part::Text(words) => text(words),
            Part::Picture(picture) => picture_tokens(picture),
        };
        text(&ask.system) + ask.parts.iter().map(part).sum::<u64>()
    }

    /// Waits until every server answers `GET /models`, so that a slow start is not taken for a failure; or until somebody knows that it
    /// never will, and why.
    pub fn wait_until_ready(&self, limit: Duration, gone: impl Fn() -> Option<String>) -> Result<(), VlmError> {
        let started = Instant::now();
        for url in &self.config.urls {
            let url = format!("{}/models", url.trim_end_matches('/'));
            loop {
                let why = match self.authorised(self.agent.get(&url)).call() {
                    Ok(response) if response.status().is_success() => break,
                    Ok(response) => format!("{url}: {}", response.status()),
                    Err(error) => format!("{url}: {error}"),
                };
                if let Some(why) = gone() {
                    return Err(VlmError::NotReady(why));
                }
                if started.elapsed() >= limit {
                    return Err(VlmError::NotReady(format!("{why} (waited {} s)", limit.as_secs())));
                }
                self.wait(READY_EVERY)?;
            }
        }
        Ok(())
    }

    fn authorised<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.config.key {
            Some(Key(key)) => request.header(header::AUTHORIZATION, format!("Bearer {key}")),
            None => request,
        }
    }

    /// Asks until something is said.
    pub fn ask(&self, ask: &Ask) -> Result<Said, VlmError> {
        let (tokens, most) = (Self::estimate_tokens(ask) + u64::from(ask.tokens_max), self.config.context_tokens);
        if tokens > most {
            return Ok(Said::TooLong { tokens, most });
        }
        let tries = self.config.tries.max(1);
        let mut ask = ask.clone();
        let (mut sent, mut broken) = (0, 0);
        let mut waits = self.waits();
        loop {
            let permit = self.endpoints.take(|| self.check_stopped())?;
            let outcome = self.send(&permit, &ask);
            if let Outcome::Busy { wait, .. } = &outcome {
                let wait = wait.or_else(|| waits.next()).unwrap_or(self.config.wait_max);
                permit.spare(wait.min(self.config.wait_max));
            }
            drop(permit);
            sent += 1;
            let (last, wait) = match outcome {
                Outcome::Said(said) => {
                    self.refused.store(0, Ordering::Relaxed);
                    return Ok(said);
                }
                Outcome::Over(error) => return Err(error),
                Outcome::Refused(error) => {
                    let in_a_row = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
                    return if in_a_row < REFUSED_MAX { Ok(Said::Declined(error.to_string())) } else { Err(error) };
                }
                Outcome::NoSchema => {
                    self.takes_schemas.store(false, Ordering::Relaxed);
                    continue;
                }
                Outcome::Broken(why) => {
                    broken += 1;
                    if broken == BROKEN_MAX {
                        return Ok(Said::Broken(why));
                    }
                    ask.seed = ask.seed.wrapping_add(1) & (u32::MAX >> 1);
                    self.add(|spent| spent.retries += 1);
                    continue;
                }
                // Another server may be free; if none is, the wait is for the next permit.
                Outcome::Busy { why, .. } | Outcome::Nonsense(why) => (why, Duration::ZERO),
                Outcome::Failed(why) => (why, waits.next().unwrap_or(self.config.wait_max)),
            };
            if sent >= tries {
                return Err(VlmError::Unreachable { tries: sent, last });
            }
            self.add(|spent| spent.retries += 1);
            self.wait(wait)?;
        }
    }

    fn waits(&self) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::default()
            .with_min_delay(self.config.backoff)
            .with_max_delay(self.config.wait_max)
            .with_max_times(self.config.tries as usize)
            .with_jitter()
            .build()
    }

    fn send(&self, permit: &Permit<'_>, ask: &Ask) -> Outcome {
        let with_schema = self.takes_schemas.load(Ordering::Relaxed);
        let started = Instant::now();
        let outcome = self.send_once(&permit.url, &ask.body(&self.config.model, with_schema));
        self.add(|spent| spent.time += started.elapsed());
        permit.report(!matches!(outcome, Outcome::Failed(_)));
        match outcome {
            Outcome::Refused(VlmError::BadRequest { body, .. })
                if with_schema && ask.schema.is_some() && body.contains("response_format") =>
            {
                Outcome::NoSchema
            }
            outcome => outcome,
        }
    }

    fn send_once(&self, base: &str, body: &Value) -> Outcome {
        let request = self.agent.post(format!("{base}/chat/completions"));
        let request = self.authorised(request.header(header::CONTENT_TYPE, "application/json"));
        let mut response = match request.send(body.to_string().as_bytes()) {
            Ok(response) => response,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        let wait = retry_after(response.headers());
        let status = response.status();
        match response.body_mut().with_config().limit(RESPONSE_BYTES_MAX).read_to_vec() {
            // Bytes that are no text make no valid JSON string either; what is said of them is enough.
            Ok(bytes) => self.judge(status, wait, &String::from_utf8_lossy(&bytes)),
            Err(error) => Outcome::Failed(format!("the answer broke off: {error}")),
        }
    }

    fn judge(&self, status: StatusCode, wait: Option<Duration>, text: &str) -> Outcome {
        let said = || text.chars().take(200).collect::<String>();
        let bad = |status| VlmError::BadRequest { status, body: said() };
        match status.as_u16() {
            200 => self.read(text),
            // Busy, not broken.
            429 | 503 => Outcome::Busy { why: format!("busy ({status})"), wait },
            // llama.cpp's way to say that one sample did not fit the schema.
            500 if text.contains("does not match the expected") => Outcome::Broken(said()),
            408 | 425 | 500..=599 => Outcome::Failed(format!("{status}: {}", said())),
            400 | 413 if is_too_long(text) => {
                Outcome::Said(Said::TooLong { tokens: 0, most: self.config.context_tokens })
            }
            status @ (400 | 413 | 422) => Outcome::Refused(bad(status)),
            status => Outcome::Over(bad(status)),
        }
    }

    fn read(&self, text: &str) -> Outcome {
        let completion: Completion = match serde_json::from_str(text) {
            Ok(completion) => completion,
            Err(error) => return Outcome::Nonsense(format!("the response is no completion: {error}")),
        };
        let usage = completion.usage;
        let Some(choice) = completion.choices.into_iter().next() else {
            return Outcome::Nonsense("there is no choice in the response".to_owned());
        };
        // Whatever becomes of the answer, it was paid for.
        self.add(|spent| {
            spent.requests += 1;
            spent.usage.add(usage);
        });
        let message = choice.message;
        let said = message.content.unwrap_or_default();
        let thought = message.reasoning_content.or(message.reasoning);
        Outcome::Said(match (message.refusal, choice.finish_reason.as_deref()) {
            (Some(refusal), _) => Said::Refusal(refusal),
            (None, Some("content_filter")) => Said::Refusal("content filter".to_owned()),
            (None, Some("length")) => Said::CutOff(Answer { text: said, reasoning: thought, usage }),
            _ => match clean(&said) {
                Some(Cleaned { text, reasoning }) if !text.is_empty() => {
                    Said::Answer(Answer { text, reasoning: thought.or(reasoning), usage })
                }
                _ => Said::Nothing(usage),
            },
        })
    }
}

/// `Retry-After` in seconds; dates are rare among these servers, and the back-off serves as well.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse::<f64>().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn is_too_long(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let signs = ["exceed_context_size", "context length", "context size", "too long", "maximum context"];
    signs.iter().any(|sign| text.contains(sign))
}

/// Tokens of a picture by its size.
fn picture_tokens(picture: &[u8]) -> u64 {
    let Ok((width, height)) = crate::metric::Picture::size_of(picture) else { return 0 };
    u64::from(width.div_ceil(PX_A_TOKEN)) * u64::from(height.div_ceil(PX_A_TOKEN))
}
