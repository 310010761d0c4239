//! Requests: paced, repeated with patience, given up with a reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use ureq::config::AutoHeaderValue;
use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::{Agent, Body};

use super::hosts::{Connection, Hosts};
use super::pace::{Pace, Stopped, sleep_until};
use super::s3::{Action, S3Access, is_s3};
use super::{RemoteError, Trouble};

/// How a client behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientPolicy {
    /// Says who asks, and how to reach them: servers block strangers first.
    pub user_agent: String,
    /// Most requests that start in a second, of all transfers together.
    pub requests_per_second: f64,
    /// Requests in a row without a byte after which a transfer is given up.
    pub attempts_max: usize,
    /// Wait before the second of them; it doubles from request to request, with some chance in it.
    pub wait_min: Duration,
    /// Longest wait, also when the server asks for more: a run that sleeps for hours looks dead.
    pub wait_max: Duration,
    /// Longest silence of a server.
    pub silence_max: Duration,
    /// Connections to one host at a time. A transfer that waits for one has nothing open.
    pub connections_per_host_max: usize,
    /// How objects of S3 are reached.
    pub s3: S3Access,
}

impl Default for ClientPolicy {
    fn default() -> Self {
        Self {
            user_agent: format!("databuild/{}", env!("CARGO_PKG_VERSION")),
            // Archives are some 1 GB each: a handful of requests a minute is normal.
            requests_per_second: 2.0,
            // 1, 2, 4 ... 120 s: a quarter of an hour in all.
            attempts_max: 12,
            wait_min: Duration::from_secs(1),
            wait_max: Duration::from_mins(2),
            silence_max: Duration::from_secs(30),
            // A handful saturates most lines, and no server minds it.
            connections_per_host_max: 8,
            s3: S3Access::default(),
        }
    }
}

/// What a transfer asks and tells while it waits.
pub trait Watch: Send + Sync {
    /// Whether the run was stopped.
    fn stopped(&self) -> bool;
    /// The transfer waits, and why: for people.
    fn waiting(&self, message: &str);
}

/// A file on a web server or in S3, as the server describes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemoteFile {
    /// Where it is: `https://…` or `s3://bucket/key`.
    pub url: String,
    /// Its size, if the server says so.
    pub bytes: Option<u64>,
    /// Its `ETag`, or else its `Last-Modified`: two files of one version have the same bytes.
    pub version: Option<String>,
}

impl RemoteFile {
    /// A file of which no more is known.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), bytes: None, version: None }
    }
}

/// Fetches. Clones share one pace.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    pace: Arc<Pace>,
    hosts: Arc<Hosts>,
    policy: Arc<ClientPolicy>,
    /// Some server has answered something: there is a network.
    answered: Arc<AtomicBool>,
}

/// Why one request gave nothing.
enum Miss {
    /// Asking again will not help.
    Fatal(Trouble),
    /// The server has too much to do, or thinks that we have.
    SlowDown { status: u16, retry_after: Option<Duration> },
    /// The connection, or a server that stumbled.
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

impl Client {
    /// A client that has asked nothing yet.
    pub fn new(policy: ClientPolicy) -> Self {
        let config = Agent::config_builder()
            .user_agent(&policy.user_agent)
            // Archives are compressed already, and offsets are those of the file as it lies there.
            .accept_encoding(AutoHeaderValue::None)
            .http_status_as_error(false)
            .timeout_connect(Some(policy.silence_max))
            .timeout_recv_response(Some(policy.silence_max))
            .timeout_per_read(Some(policy.silence_max))
            .build();
        let pace = Arc::new(Pace::new(policy.requests_per_second));
        let hosts = Arc::new(Hosts::new(policy.connections_per_host_max));
        Self { agent: config.new_agent(), pace, hosts, policy: Arc::new(policy), answered: Arc::default() }
    }

    /// Asks what a file is, without fetching it.
    pub fn describe(&self, url: &str, watch: &dyn Watch) -> Result<RemoteFile, RemoteError> {
        let mut patience = self.patience();
        let response = loop {
            match self.request(Action::Head, url, None, watch) {
                Ok((response, _)) => break response,
                Err(miss) => patience.wait(self, url, miss, watch)?,
            }
        };
        let headers = response.headers();
        let bytes = text(headers, &header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        Ok(RemoteFile { url: url.to_owned(), bytes, version: version(headers) })
    }

    pub(super) fn patience(&self) -> Patience {
        let ClientPolicy { attempts_max, wait_min, wait_max, .. } = *self.policy;
        let waits = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(wait_min)
            .with_max_delay(wait_max)
            .with_max_times(attempts_max.saturating_sub(1));
        Patience { waits: waits.build(), attempts: 0 }
    }

    /// Asks for the bytes from `offset` on, to `end` if there is one.
    pub(super) fn get(
        &self,
        url: &str,
        offset: u64,
        end: Option<u64>,
        watch: &dyn Watch,
    ) -> Result<(Response<Body>, Connection), Refusal> {
        let range = match end {
            Some(end) => Some(format!("bytes={offset}-{}", end.saturating_sub(1))),
            None => (offset > 0).then(|| format!("bytes={offset}-")),
        };
        self.request(Action::Get, url, range, watch).map_err(Refusal)
    }

    /// Asks which objects have keys that begin like `prefix`.
    pub(super) fn list(
        &self,
        prefix: &str,
        folder: bool,
        from: Option<&str>,
        watch: &dyn Watch,
    ) -> Result<(Response<Body>, Connection), Refusal> {
        self.request(Action::List { folder, from }, prefix, None, watch).map_err(Refusal)
    }

    fn request(
        &self,
        action: Action<'_>,
        url: &str,
        range: Option<String>,
        watch: &dyn Watch,
    ) -> Result<(Response<Body>, Connection), Miss> {
        let stopped = |Stopped| Miss::Fatal(Trouble::Stopped);
        let connection = self.hosts.connect(url, watch).map_err(stopped)?;
        self.pace.wait_turn(watch).map_err(stopped)?;
        let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
            Miss::Fatal(Trouble::Broken { attempts: 1, source: error })
        };
        let is_object = is_s3(url);
        // Signed after the wait: a signature grows old.
        let address = if is_object {
            self.policy.s3.web_address(action, url).map_err(|error| unusable(error.into()))?
        } else {
            url.to_owned()
        };
        let mut request = match action {
            Action::Head => self.agent.head(&address),
            Action::Get | Action::List { .. } => self.agent.get(&address),
        };
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        let response = request.call().map_err(|error| match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::TooManyRedirects => unusable(error.into()),
            other => Miss::Broken(other.into()),
        })?;
        self.answered.store(true, Ordering::Relaxed);
        judge(response, is_object).map(|response| (response, connection))
    }
}

/// Requests after which a client gives up that never had an answer: most likely there is no network, or the address is
/// wrong, and a quarter of an hour of patience would look like a hang.
const FIRST_ATTEMPTS_MAX: usize = 3;

/// What an answer means. S3 says 403 to those who may not read, and 503 to those who are too fast; web servers of crawls
/// say 403 to both.
fn judge(response: Response<Body>, is_object: bool) -> Result<Response<Body>, Miss> {
    let status = response.status();
    match status {
        StatusCode::FORBIDDEN if is_object => Err(Miss::Fatal(Trouble::Status(status.as_u16()))),
        StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => Ok(response),
        StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let seconds = text(response.headers(), &header::RETRY_AFTER).and_then(|value| value.parse().ok());
            Err(Miss::SlowDown { status: status.as_u16(), retry_after: seconds.map(Duration::from_secs) })
        }
        StatusCode::REQUEST_TIMEOUT => Err(Miss::Broken(format!("the server answered {}", status.as_u16()).into())),
        _ if status.is_server_error() => Err(Miss::Broken(format!("the server answered {}", status.as_u16()).into())),
        _ => Err(Miss::Fatal(Trouble::Status(status.as_u16()))),
    }
}

/// Why a request gave nothing; for [`Patience`] to judge.
pub(super) struct Refusal(Miss);

impl Refusal {
    pub(super) fn broken(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Miss::Broken(source.into()))
    }
}

/// How often a transfer may still ask. A new one is taken whenever bytes have come.
#[derive(Debug)]
pub(super) struct Patience {
    waits: ExponentialBackoff,
    attempts: usize,
}

impl Patience {
    /// Waits after a refusal, or gives up.
    pub(super) fn after(
        &mut self,
        client: &Client,
        url: &str,
        refusal: Refusal,
        watch: &dyn Watch,
    ) -> Result<(), RemoteError> {
        self.wait(client, url, refusal.0, watch)
    }

    fn wait(&mut self, client: &Client, url: &str, miss: Miss, watch: &dyn Watch) -> Result<(), RemoteError> {
        self.attempts += 1;
        let attempts = self.attempts;
        let fatal = |trouble| Err(RemoteError::new(url, trouble));
        let hopeless = !client.answered.load(Ordering::Relaxed) && attempts >= FIRST_ATTEMPTS_MAX;
        let next = self.waits.next().filter(|_| !hopeless);
        let (wait, why) = match (miss, next) {
            (Miss::Fatal(trouble), _) => return fatal(trouble),
            (Miss::SlowDown { status, .. }, None) => return fatal(Trouble::Throttled { status, attempts }),
            (Miss::Broken(source), None) => return fatal(Trouble::Broken { attempts, source }),
            (Miss::SlowDown { status, retry_after }, Some(wait)) => {
                let wait = wait.max(retry_after.unwrap_or_default()).min(client.policy.wait_max);
                // Not only this transfer: whoever asks next would be refused as well.
                client.pace.pause(wait);
                (wait, format!("the server answered {status}"))
            }
            (Miss::Broken(source), Some(wait)) => (wait, source.to_string()),
        };
        watch.waiting(&format!("`{url}`: {why}; asking again in {:.0} s", wait.as_secs_f64().ceil()));
        sleep_until(Instant::now() + wait, watch).map_err(|Stopped| RemoteError::new(url, Trouble::Stopped))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// What tells one version of a file from the next.
pub(super) fn version(headers: &HeaderMap) -> Option<String> {
    text(headers, &header::ETAG).or_else(|| text(headers, &header::LAST_MODIFIED)).map(str::to_owned)
}
