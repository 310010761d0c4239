//! Requests: signed, sent, repeated with patience, given up with a reason.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use jiff::Timestamp;
use rusty_s3::signing::sign;
use rusty_s3::{Bucket, Method, UrlStyle};
use ureq::Agent;
use ureq::config::AutoHeaderValue;
use ureq::http::{HeaderMap, Request, header};
use url::Url;

use super::address::S3Address;
use super::credentials::{Chain, Keys};
use super::trouble::{Miss, S3Error, judge};

/// How a server of S3 is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Server {
    /// Region of the bucket.
    pub region: String,
    /// A server other than Amazon's, such as `http://localhost:9000`.
    pub endpoint: Option<String>,
    /// Where the bucket's name stands.
    pub style: BucketStyle,
    /// How long it is waited for.
    pub patience: S3Patience,
}

impl Default for S3Server {
    fn default() -> Self {
        let (style, patience) = (BucketStyle::default(), S3Patience::default());
        Self { region: "us-east-1".to_owned(), endpoint: None, style, patience }
    }
}

/// Where the bucket's name stands in an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BucketStyle {
    /// In the host of Amazon's server, in the path of any other: servers at home have no wildcard names.
    #[default]
    Auto,
    /// In the path.
    Path,
    /// In the host.
    Host,
}

/// How long a server is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct S3Patience {
    /// Requests in a row without success after which it is given up.
    pub attempts_max: usize,
    /// Wait before the second one; it doubles, with some chance in it.
    pub wait_min: Duration,
    /// Longest wait, also when the server asks for more.
    pub wait_max: Duration,
    /// Longest silence of a server.
    pub silence_max: Duration,
}

impl Default for S3Patience {
    fn default() -> Self {
        Self {
            // 0.1, 0.2, 0.4 ... 20 s: more than a minute in all, some minutes where the server is silent.
            attempts_max: 11,
            wait_min: Duration::from_millis(100),
            wait_max: Duration::from_secs(20),
            silence_max: Duration::from_secs(30),
        }
    }
}

/// How long a signed address is good for. Each is made for one attempt, but a slow line takes its time for a big body.
const SIGNATURE_LIFE_S: u64 = 3600;
/// Connections that stay open for the next request: some more than there are threads that ask.
const IDLE_CONNECTIONS: usize = 32;
/// Requests after which a client gives up that never had an answer: most likely there is no network, or the address is wrong,
/// and a minute of patience would look like a hang.
const FIRST_ATTEMPTS_MAX: usize = 3;

/// A request, but for its signature.
#[derive(Debug, Clone)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) key: &'a str,
    /// Sorted by name, as signatures want it.
    pub(super) query: Vec<(&'static str, String)>,
    /// Sorted by name, in small letters.
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: &'a [u8],
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method, key: &'a str) -> Self {
        Self { method, key, query: Vec::new(), headers: Vec::new(), body: &[] }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self.query.sort();
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self.headers.sort();
        self
    }

    pub(super) fn body(mut self, body: &'a [u8]) -> Self {
        self.body = body;
        self
    }
}

/// What came back, all of it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }

    /// Bytes of the object, or of what was sent of it.
    pub(super) fn length(&self) -> Option<u64> {
        self.header(header::CONTENT_LENGTH.as_str())?.parse().ok()
    }
}

/// Asks one bucket. Threads share it.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) bucket: Bucket,
    agent: Agent,
    credentials: Chain,
    patience: S3Patience,
    brake: Brake,
    /// The server has answered something: it is there.
    answered: AtomicBool,
}

impl Client {
    pub(super) fn new(address: &S3Address, server: &S3Server, credentials: Chain) -> Result<Self, S3Error> {
        let amazon = || format!("https://s3.{}.amazonaws.com", server.region);
        let endpoint = server.endpoint.clone().unwrap_or_else(amazon);
        let invalid = || S3Error::Address(format!("`{endpoint}` is no address of a server"));
        let url: Url = endpoint.parse().map_err(|_| invalid())?;
        let is_in_path = match server.style {
            // A certificate for `*.s3…` does not cover a name with a dot in it.
            BucketStyle::Auto => server.endpoint.is_some() || address.bucket.contains('.'),
            BucketStyle::Path => true,
            BucketStyle::Host => false,
        };
        let style = if is_in_path { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let bucket = Bucket::new(url, style, address.bucket.clone(), server.region.clone()).map_err(|_| invalid())?;
        let silence = Some(server.patience.silence_max);
        let agent = Agent::config_builder()
            .user_agent(concat!("databuild/", env!("CARGO_PKG_VERSION")))
            // What is stored is what is wanted: offsets and digests are those of the stored bytes.
            .accept_encoding(AutoHeaderValue::None)
            .http_status_as_error(false)
            // A redirection is to another region, where this signature is worth nothing.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .timeout_connect(silence)
            .timeout_recv_response(silence)
            .timeout_per_read(silence)
            .timeout_per_write(silence)
            .build()
            .new_agent();
        let (patience, brake, answered) = (server.patience, Brake::default(), AtomicBool::new(false));
        Ok(Self { bucket, agent, credentials, patience, brake, answered })
    }

    /// Asks until there is an answer.
    pub(super) fn ask(&self, ask: &Ask<'_>) -> Result<Answer, S3Error> {
        let mut attempts = self.attempts();
        loop {
            match self.once(ask) {
                Ok(answer) => return Ok(answer),
                Err(miss) => attempts.wait(miss)?,
            }
        }
    }

    /// The attempts at one thing.
    pub(super) fn attempts(&self) -> Attempts<'_> {
        let waits = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(self.patience.wait_min)
            .with_max_delay(self.patience.wait_max)
            .with_max_times(self.patience.attempts_max.saturating_sub(1));
        Attempts { client: self, waits: waits.build(), made: 0, renewed: false }
    }

    /// Asks once.
    pub(super) fn once(&self, ask: &Ask<'_>) -> Result<Answer, Miss> {
        self.brake.wait_turn();
        // A source of credentials is a small server as well, and may be away for a moment.
        let keys = self.credentials.keys().map_err(|error| {
            if error.is_passing() { Miss::later(error.to_string()) } else { Miss::Fatal(error.into()) }
        })?;
        let method = ask.method.to_str();
        let mut request = Request::builder().method(method).uri(self.url(ask, keys.as_ref()).as_str());
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        let invalid = |error: ureq::http::Error| Miss::Fatal(S3Error::Address(error.to_string()));
        let has_body = matches!(ask.method, Method::Put | Method::Post);
        let sent = if has_body {
            self.agent.run(request.body(ask.body).map_err(invalid)?)
        } else {
            self.agent.run(request.body(()).map_err(invalid)?)
        };
        let mut response = sent.map_err(|error| Miss::later(error.to_string()))?;
        self.answered.store(true, Ordering::Relaxed);
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut answer = Answer { status, headers, body: Vec::new() };
        if ask.method != Method::Head {
            let read = response.body_mut().with_config().limit(u64::MAX).read_to_vec();
            answer.body = read.map_err(|error| Miss::later(error.to_string()))?;
            if answer.length().is_some_and(|length| length != answer.body.len() as u64) {
                return Err(Miss::later("the answer was cut off"));
            }
        }
        judge(answer, self.bucket.name())
    }

    fn url(&self, ask: &Ask<'_>, keys: Option<&Keys>) -> Url {
        let mut url = self.bucket.object_url(ask.key);
        let query = ask.query.iter().map(|(name, value)| (*name, value.as_str()));
        let Some(keys) = keys else {
            if !ask.query.is_empty() {
                url.query_pairs_mut().extend_pairs(query);
            }
            return url;
        };
        let headers = ask.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let (region, now) = (self.bucket.region(), Timestamp::now());
        let token = keys.token.as_deref();
        sign(&now, ask.method, url, &keys.id, &keys.secret, token, region, SIGNATURE_LIFE_S, query, headers)
    }
}

/// Everybody waits when the server says that it is asked too often: whoever asks next would be refused as well.
#[derive(Debug, Default)]
struct Brake(Mutex<Option<Instant>>);

impl Brake {
    fn until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pull(&self, wait: Duration) {
        let mut until = self.until();
        *until = (*until).max(Some(Instant::now() + wait));
    }

    fn wait_turn(&self) {
        let left = self.until().and_then(|until| until.checked_duration_since(Instant::now()));
        if let Some(left) = left {
            sleep(left);
        }
    }
}

/// How often one thing was tried, and may be tried again.
pub(super) struct Attempts<'a> {
    client: &'a Client,
    waits: ExponentialBackoff,
    pub(super) made: usize,
    renewed: bool,
}

impl Attempts<'_> {
    /// Waits after a miss, or says why there is no sense in it.
    pub(super) fn wait(&mut self, miss: Miss) -> Result<(), S3Error> {
        self.made += 1;
        let (reason, asked, is_slow) = match miss {
            Miss::Fatal(error) => return Err(error),
            Miss::Expired(error) => {
                // Once: those that were just fetched are as good as they get.
                if std::mem::replace(&mut self.renewed, true) {
                    return Err(error);
                }
                self.client.credentials.forget();
                return Ok(());
            }
            Miss::SlowDown { asked } => ("the server asks for fewer requests".to_owned(), asked, true),
            Miss::Later { reason, asked } => (reason, asked, false),
        };
        let is_hopeless = !self.client.answered.load(Ordering::Relaxed) && self.made >= FIRST_ATTEMPTS_MAX;
        let Some(own) = self.waits.next().filter(|_| !is_hopeless) else {
            return Err(S3Error::GivenUp { attempts: self.made, reason });
        };
        let wait = own.max(asked.unwrap_or_default()).min(self.client.patience.wait_max);
        if is_slow {
            self.client.brake.pull(wait);
        }
        sleep(wait);
        Ok(())
    }
}
