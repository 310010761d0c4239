//! Requests to the Hub.

use std::io::Read as _;
use std::time::Duration;

use serde::de::DeserializeOwned;
use ureq::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use ureq::{Agent, Body, SendBody};

use crate::error::HubError;
use crate::event::Observer;
use crate::patience::{Miss, Patience, patiently};

/// A secret that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token, without the white space around it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Most bytes of an answer of the API: a page of a listing has some hundred kilobytes.
const ANSWER_BYTES_MAX: u64 = 64 << 20;
/// Characters of a server's complaint that are shown.
const MESSAGE_CHARS_MAX: usize = 500;

pub(super) struct Client<'a> {
    agent: Agent,
    endpoint: String,
    token: Option<Token>,
    pub(super) patience: Patience,
    pub(super) observer: &'a dyn Observer,
}

/// What is asked of the API.
#[derive(Debug, Clone)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// Below the endpoint, beginning with `/`, or a whole address.
    pub(super) address: &'a str,
    pub(super) content_type: &'static str,
    pub(super) body: &'a [u8],
}

impl<'a> Ask<'a> {
    pub(super) const fn get(address: &'a str) -> Self {
        Self { method: Method::GET, address, content_type: "", body: &[] }
    }

    pub(super) const fn post(address: &'a str, content_type: &'static str, body: &'a [u8]) -> Self {
        Self { method: Method::POST, address, content_type, body }
    }
}

pub(super) const JSON: &str = "application/json";
/// Who we are.
pub(super) const USER_AGENT: &str = concat!("databuild/", env!("CARGO_PKG_VERSION"));

impl<'a> Client<'a> {
    pub(super) fn new(endpoint: &str, token: Option<Token>, patience: Patience, observer: &'a dyn Observer) -> Self {
        let config = Agent::config_builder()
            .user_agent(USER_AGENT)
            .http_status_as_error(false)
            .timeout_connect(Some(patience.silence_max))
            .timeout_recv_response(Some(patience.silence_max))
            .timeout_per_read(Some(patience.silence_max))
            .timeout_per_write(Some(patience.silence_max))
            .build();
        Self {
            agent: config.new_agent(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token,
            patience,
            observer,
        }
    }

    /// One request, answered or not.
    pub(super) fn once(&self, ask: &Ask<'_>) -> Result<Vec<u8>, Miss> {
        let response = self.send(ask.method.clone(), ask.address, &[], ask.content_type, ask.body)?;
        body_of(response)
    }

    /// Asks until there is an answer. For what does no harm when it is done twice.
    pub(super) fn ask(&self, ask: &Ask<'_>) -> Result<Vec<u8>, HubError> {
        patiently(self.patience, self.observer, || self.once(ask))
    }

    /// Asks for JSON.
    pub(super) fn ask_json<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, HubError> {
        parse(&self.ask(ask)?)
    }

    /// One page of a listing, and the address of the next.
    pub(super) fn page(&self, address: &str) -> Result<(Vec<u8>, Option<String>), HubError> {
        patiently(self.patience, self.observer, || {
            let response = self.send(Method::GET, address, &[], "", &[])?;
            let next = response.headers().get(header::LINK).and_then(|link| next_page(link.to_str().ok()?));
            Ok((body_of(response)?, next))
        })
    }

    fn send(
        &self,
        method: Method,
        address: &str,
        headers: &[(String, String)],
        content_type: &str,
        body: &[u8],
    ) -> Result<Response<Body>, Miss> {
        let mut reader = body;
        self.send_stream(method, address, headers, content_type, body.len() as u64, &mut reader)
    }

    /// One request with a body of known length.
    pub(super) fn send_stream(
        &self,
        method: Method,
        address: &str,
        headers: &[(String, String)],
        content_type: &str,
        length: u64,
        body: &mut dyn std::io::Read,
    ) -> Result<Response<Body>, Miss> {
        let whole = self.whole(address);
        let unusable = |_| Miss::Fatal(HubError::Address(whole.clone()));
        let has_body = method != Method::GET && method != Method::HEAD;
        let mut request = Request::builder().method(method).uri(&whole);
        if !content_type.is_empty() {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        for (name, value) in headers {
            request = request.header(name.as_str(), value.as_str());
        }
        let says_who = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        // The token is for the Hub alone: large files go to other hosts, by addresses that are signed.
        if let Some(secret) = self.authorization().filter(|_| !says_who && self.is_own(&whole)) {
            request = request.header(header::AUTHORIZATION, secret);
        }
        let response = if has_body {
            request = request.header(header::CONTENT_LENGTH, length);
            let request = request.body(SendBody::from_reader(body)).map_err(unusable)?;
            self.agent.run(request)
        } else {
            let request = request.body(()).map_err(unusable)?;
            self.agent.run(request)
        };
        match response {
            Ok(response) => judge(response),
            Err(ureq::Error::BadUri(_) | ureq::Error::Http(_)) => Err(Miss::Fatal(HubError::Address(whole))),
            Err(error) => Err(Miss::Later { reason: error.to_string(), asked: None }),
        }
    }

    /// An address with the endpoint before it.
    pub(super) fn whole(&self, address: &str) -> String {
        if address.starts_with('/') { format!("{}{address}", self.endpoint) } else { address.to_owned() }
    }

    /// The header that says who writes; for the Hub alone.
    pub(super) fn authorization(&self) -> Option<String> {
        self.token.as_ref().map(|Token(token)| format!("Bearer {token}"))
    }

    fn is_own(&self, address: &str) -> bool {
        address.strip_prefix(&self.endpoint).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// A revision as a part of an address: `refs/pr/1` has slashes.
pub(super) fn quoted(revision: &str) -> String {
    url::form_urlencoded::byte_serialize(revision.as_bytes()).collect()
}

pub(super) fn parse<T: DeserializeOwned>(answer: &[u8]) -> Result<T, HubError> {
    serde_json::from_slice(answer).map_err(|error| HubError::Answer(error.to_string()))
}

fn body_of(mut response: Response<Body>) -> Result<Vec<u8>, Miss> {
    let answer = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    answer.map_err(|error| Miss::Later { reason: format!("the answer broke off: {error}"), asked: None })
}

/// What an answer means.
pub(crate) fn judge(mut response: Response<Body>) -> Result<Response<Body>, Miss> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let asked = asked_wait(response.headers());
    let said = response.headers().get("x-error-message").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let message = said.unwrap_or_else(|| {
        let mut text = String::new();
        let _cut = response.body_mut().as_reader().take(1 << 16).read_to_string(&mut text);
        let json: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let error = json.as_ref().and_then(|json| json["error"].as_str()).map(str::to_owned);
        error.unwrap_or_else(|| text.trim().to_owned())
    });
    let message: String = message.chars().take(MESSAGE_CHARS_MAX).collect();
    let again = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY);
    if again {
        let status = status.as_u16();
        return Err(Miss::Later { reason: format!("the server answered {status} {message}").trim().to_owned(), asked });
    }
    Err(Miss::Fatal(HubError::Status { status: status.as_u16(), message }))
}

/// The wait that a server asks for: `Retry-After` in seconds, or the reset of an exhausted `RateLimit`
/// (`"api";r=0;t=55`).
fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let retry_after = text("retry-after").and_then(|value| value.trim().parse().ok());
    let rate_limit = || {
        let fields: Vec<(&str, &str)> = text("ratelimit")?.split(';').filter_map(|part| part.split_once('=')).collect();
        let value = |key| fields.iter().find(|(name, _)| name.trim() == key).and_then(|(_, value)| value.parse().ok());
        (value("r")? == 0u64).then_some(value("t")?)
    };
    retry_after.or_else(rate_limit).map(Duration::from_secs)
}

/// The address in `Link: <…>; rel="next"`.
fn next_page(link: &str) -> Option<String> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let (_, rest) = next.split_once('<')?;
    rest.split_once('>').map(|(address, _)| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_from_either_header() {
        let check = |name: &'static str, value: &'static str, expected: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a value"));
            assert_eq!(asked_wait(&headers), expected.map(Duration::from_secs), "{name}: {value}");
        };
        check("retry-after", "7", Some(7));
        check("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT", None);
        check("ratelimit", "\"api\";r=0;t=55", Some(55));
        check("ratelimit", "\"api\";r=12;t=55", None);
        check("x-other", "1", None);
    }

    #[test]
    fn the_next_page_is_found() {
        let link = r#"<https://hub/api?cursor=a>; rel="prev", <https://hub/api?cursor=b>; rel="next""#;
        assert_eq!(next_page(link).as_deref(), Some("https://hub/api?cursor=b"));
        assert_eq!(next_page(r#"<https://hub/x>; rel="last""#), None);
    }

    #[test]
    fn revisions_are_one_part_of_an_address() {
        assert_eq!(quoted("refs/pr/1"), "refs%2Fpr%2F1");
        assert_eq!(quoted("main"), "main");
    }

    #[test]
    fn tokens_are_not_shown() {
        assert_eq!(format!("{:?}", Token::new("hf_secret\n")), "Token(…)");
    }

    #[test]
    fn the_token_goes_to_the_hub_alone() {
        let client = Client::new("https://hub.example/", None, Patience::default(), &());
        assert!(client.is_own("https://hub.example/api/x"));
        assert!(!client.is_own("https://hub.example.evil/api/x"));
        assert!(!client.is_own("https://storage.example/x"));
    }
}
