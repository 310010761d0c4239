//! Style sheets that no archive has, fetched from the web: politely, safely, and once.
//!
//! Off unless somebody asks for it. A site's `robots.txt` decides; requests to one host start a while apart and carry a name
//! and a contact; a host that asks to slow down, or does not answer, is left alone for the rest of the run. Only public
//! addresses are connected to, after redirects as well ([`Reach`]). Every answer goes into WARC files, refusals included, so
//! that a rerun sees what this run saw and fetches nothing.

mod address;
mod cache;
mod robots;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::AutoHeaderValue;
use ureq::http::header;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body};
use url::Url;

pub use address::{Names, Reach, SystemNames, is_public};
pub use robots::{AGENT, Rules};

use crate::Limits;
use crate::assets::Asset;
use crate::http::{HttpResponse, sniff};
use crate::remote::{Watch, sleep_until};
use cache::{Answer, AnswerCache};

/// Failed requests in a row after which a host is left alone.
const FAILURES_MAX: u32 = 3;
/// Redirects that are followed. 5, as RFC 9309 asks for; browsers follow 20.
const REDIRECTS_MAX: usize = 5;
/// Bytes of a `robots.txt` that count, as RFC 9309 asks for at least.
const ROBOTS_BYTES_MAX: u64 = 500 * 1024;
/// How often a request that waits for another one looks whether the run was stopped.
const STOP_POLL: Duration = Duration::from_millis(50);

/// How the fetcher behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchPolicy {
    /// Says who asks, and how to reach them.
    pub user_agent: String,
    /// Time between the starts of two requests to one host. 1 s: what crawlers are used to keep.
    pub gap: Duration,
    /// Largest answer. 2 MiB: the largest style sheets of frameworks have some 500 KiB.
    pub bytes_max: u64,
    /// Longest time of one request, from the look-up of the name to the last byte.
    pub request_time_max: Duration,
}

impl Default for FetchPolicy {
    fn default() -> Self {
        Self {
            user_agent: format!("{AGENT}/{}", env!("CARGO_PKG_VERSION")),
            gap: Duration::from_secs(1),
            bytes_max: 2 << 20,
            request_time_max: Duration::from_secs(20),
        }
    }
}

/// The folder of what was fetched can not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("use the folder of fetched assets `{folder}`")]
pub struct FetchError {
    folder: PathBuf,
    source: io::Error,
}

/// Fetches, and remembers. Threads share it.
#[derive(Debug)]
pub struct Fetcher {
    policy: FetchPolicy,
    agent: Agent,
    folder: PathBuf,
    cache: AnswerCache,
    hosts: Mutex<BTreeMap<String, Host>>,
    rules: Mutex<BTreeMap<String, Arc<Rules>>>,
    /// URLs that are being fetched; whoever wants one of them as well waits.
    asking: Mutex<BTreeSet<String>>,
    asked: Condvar,
}

/// What is known of a host.
#[derive(Debug)]
struct Host {
    /// When the next request may start.
    next: Instant,
    failures: u32,
    /// Why it is left alone.
    left_alone: Option<String>,
}

/// Until when, and whether at all.
#[derive(Clone, Copy)]
struct Errand<'a> {
    deadline: Instant,
    watch: &'a dyn Watch,
}

impl Fetcher {
    /// Opens the folder of what was fetched so far.
    pub fn open(folder: &Path, policy: FetchPolicy) -> Result<Self, FetchError> {
        Self::open_with(folder, policy, Reach::default())
    }

    /// Like [`Self::open`], with another idea of what can be reached.
    pub fn open_with(folder: &Path, policy: FetchPolicy, reach: Reach) -> Result<Self, FetchError> {
        let limits = Limits { payload_bytes_max: policy.bytes_max.max(ROBOTS_BYTES_MAX), ..Limits::default() };
        let cache =
            AnswerCache::open(folder, limits).map_err(|source| FetchError { folder: folder.to_owned(), source })?;
        let config = Agent::config_builder()
            .user_agent(&policy.user_agent)
            .accept_encoding(AutoHeaderValue::None)
            .http_status_as_error(false)
            // Each hop asks the robots.txt of its own site first.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // A proxy would look names up itself.
            .proxy(None)
            .timeout_global(Some(policy.request_time_max))
            .build();
        Ok(Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), reach),
            policy,
            folder: folder.to_owned(),
            cache,
            hosts: Mutex::default(),
            rules: Mutex::default(),
            asking: Mutex::default(),
            asked: Condvar::new(),
        })
    }

    /// What `url` gives, from the folder or from the web; `None` when it gives nothing, or `watch` stopped it. What is not
    /// begun at `deadline` is refused for good: the answer for a page must not depend on how busy the net is the next time.
    pub fn get(&self, url: &str, deadline: Instant, watch: &dyn Watch) -> Result<Option<Asset>, FetchError> {
        self.follow(url, Some(Errand { deadline, watch }))
    }

    /// What `url` gave before. Asks nobody.
    pub fn known(&self, url: &str) -> Result<Option<Asset>, FetchError> {
        self.follow(url, None)
    }

    fn follow(&self, url: &str, errand: Option<Errand<'_>>) -> Result<Option<Asset>, FetchError> {
        let mut next = usable(url);
        for _ in 0..=REDIRECTS_MAX {
            let Some(url) = next else { return Ok(None) };
            let known = self.cache.get(url.as_str()).map_err(|error| self.failed(error))?;
            let answer = match (known, errand) {
                (Some(answer), _) => answer,
                (None, Some(errand)) => match self.ask(&url, errand)? {
                    Some(answer) => answer,
                    None => return Ok(None),
                },
                (None, None) => return Ok(None),
            };
            let Answer::Response(response) = answer else { return Ok(None) };
            match response.head.status {
                200 if !response.truncated => return Ok(Some(asset(&url, response))),
                301 | 302 | 303 | 307 | 308 => next = redirect(&url, &response),
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    fn failed(&self, source: io::Error) -> FetchError {
        FetchError { folder: self.folder.clone(), source }
    }

    /// Asks for one URL, once: whoever asks for it at the same time waits and gets the same. `None` when the run was stopped.
    fn ask(&self, url: &Url, errand: Errand<'_>) -> Result<Option<Answer>, FetchError> {
        if !self.begin(url.as_str(), errand.watch) {
            return Ok(None);
        }
        let answer = match self.cache.get(url.as_str()) {
            Ok(None) => self.ask_politely(url, errand),
            known => known,
        };
        lock(&self.asking).remove(url.as_str());
        self.asked.notify_all();
        answer.map_err(|error| self.failed(error))
    }

    /// Waits until nobody else asks for `url`; false when the run was stopped.
    fn begin(&self, url: &str, watch: &dyn Watch) -> bool {
        let mut asking = lock(&self.asking);
        while asking.contains(url) {
            if watch.stopped() {
                return false;
            }
            asking = self.asked.wait_timeout(asking, STOP_POLL).unwrap_or_else(PoisonError::into_inner).0;
        }
        asking.insert(url.to_owned())
    }

    fn ask_politely(&self, url: &Url, errand: Errand<'_>) -> io::Result<Option<Answer>> {
        let Some(rules) = self.rules(url, errand)? else { return Ok(None) };
        if !rules.allow(url) {
            return self.cache.put_refusal(url.as_str(), "robots.txt does not allow it").map(Some);
        }
        let gap = self.policy.gap.max(rules.delay().unwrap_or_default());
        self.request(url, gap, self.policy.bytes_max, errand)
    }

    /// The rules of the site of `url`; `None` when the run was stopped.
    fn rules(&self, url: &Url, errand: Errand<'_>) -> io::Result<Option<Arc<Rules>>> {
        let site = url.origin().ascii_serialization();
        if let Some(rules) = lock(&self.rules).get(&site) {
            return Ok(Some(Arc::clone(rules)));
        }
        let Some(rules) = self.fetch_rules(url, errand)? else { return Ok(None) };
        let rules = Arc::new(rules);
        lock(&self.rules).insert(site, Arc::clone(&rules));
        Ok(Some(rules))
    }

    /// The rules file is what its redirects lead to, also on another host; without a file all is allowed, and without an
    /// answer nothing.
    fn fetch_rules(&self, url: &Url, errand: Errand<'_>) -> io::Result<Option<Rules>> {
        let mut next = robots::rules_url(url);
        for _ in 0..=REDIRECTS_MAX {
            let Some(url) = next else { return Ok(Some(Rules::none())) };
            let answer = match self.cache.get(url.as_str())? {
                Some(answer) => answer,
                None => match self.request(&url, self.policy.gap, ROBOTS_BYTES_MAX, errand)? {
                    Some(answer) => answer,
                    None => return Ok(None),
                },
            };
            let Answer::Response(response) = answer else { return Ok(Some(Rules::unreachable())) };
            match response.head.status {
                200..=299 => return Ok(Some(Rules::parse(&response.payload, AGENT))),
                301 | 302 | 303 | 307 | 308 => next = redirect(&url, &response),
                429 | 500.. => return Ok(Some(Rules::unreachable())),
                _ => return Ok(Some(Rules::none())),
            }
        }
        Ok(Some(Rules::none()))
    }

    /// One request, at its turn, into the cache.
    fn request(&self, url: &Url, gap: Duration, bytes_max: u64, errand: Errand<'_>) -> io::Result<Option<Answer>> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let turn = match self.turn(&host, gap, errand.deadline) {
            Ok(turn) => turn,
            Err(reason) => return self.cache.put_refusal(url.as_str(), &reason).map(Some),
        };
        if sleep_until(turn, errand.watch).is_err() {
            return Ok(None);
        }
        let fetched = self.agent.get(url.as_str()).call().map_err(|error| error.to_string());
        let message = fetched.and_then(|response| {
            let status = response.status().as_u16();
            message(response, bytes_max).map(|message| (status, message))
        });
        self.note(&host, &message);
        match message {
            Ok((_, message)) => self.cache.put_response(url.as_str(), message),
            Err(reason) => self.cache.put_refusal(url.as_str(), &reason),
        }
        .map(Some)
    }

    /// When a request to `host` may start.
    fn turn(&self, host: &str, gap: Duration, deadline: Instant) -> Result<Instant, String> {
        let mut hosts = lock(&self.hosts);
        let now = Instant::now();
        let host = hosts.entry(host.to_owned()).or_insert_with(|| Host { next: now, failures: 0, left_alone: None });
        if let Some(reason) = &host.left_alone {
            return Err(reason.clone());
        }
        let turn = host.next.max(now);
        if turn >= deadline {
            return Err("there was no time left for it".to_owned());
        }
        host.next = turn + gap;
        Ok(turn)
    }

    /// Learns from an answer how the host is to be treated.
    fn note(&self, host: &str, answer: &Result<(u16, Vec<u8>), String>) {
        let mut hosts = lock(&self.hosts);
        let Some(host) = hosts.get_mut(host) else { return };
        match answer {
            Ok((status @ (429 | 503), _)) => {
                host.left_alone = Some(format!("the host asked to slow down ({status})"));
            }
            Ok(_) => host.failures = 0,
            Err(reason) => {
                host.failures += 1;
                if host.failures >= FAILURES_MAX {
                    host.left_alone = Some(format!("the host failed {FAILURES_MAX} times, at last: {reason}"));
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A web address as it is asked for and remembered: without a fragment, and without credentials, which are nobody's
/// business. Ports below 1024 belong to other services than the web's.
fn usable(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok()?;
    url.set_fragment(None);
    let is_web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty());
    let is_web_port = url.port().is_none_or(|port| port >= 1024);
    let is_bare = url.username().is_empty() && url.password().is_none();
    (is_web && is_web_port && is_bare).then_some(url)
}

fn redirect(from: &Url, response: &HttpResponse) -> Option<Url> {
    let to = response.head.all("location").next()?;
    usable(from.join(to).ok()?.as_str())
}

fn asset(url: &Url, response: HttpResponse) -> Asset {
    let mime = response.head.mime().unwrap_or_else(|| sniff(&response.payload).mime().to_owned());
    Asset { url: url.to_string(), mime, bytes: response.payload }
}

/// The response as a message, as WARC keeps it: its body as it came, but for the transfer coding.
fn message(mut response: ureq::http::Response<Body>, bytes_max: u64) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    let read = response.body_mut().as_reader().take(bytes_max + 1).read_to_end(&mut body);
    read.map_err(|error| format!("the answer broke off: {error}"))?;
    if body.len() as u64 > bytes_max {
        return Err(format!("the answer is larger than {bytes_max} bytes"));
    }
    let status = response.status();
    let mut head = format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or_default());
    for (name, value) in response.headers() {
        let is_kept = name != header::TRANSFER_ENCODING && name != header::CONTENT_LENGTH;
        if let Ok(value) = std::str::from_utf8(value.as_bytes())
            && is_kept
        {
            write!(head, "{name}: {value}\r\n").map_err(|error| error.to_string())?;
        }
    }
    write!(head, "content-length: {}\r\n\r\n", body.len()).map_err(|error| error.to_string())?;
    Ok([head.into_bytes(), body].concat())
}
