//! What goes wrong with a server: to be tried again, or not.

use std::time::Duration;

use ureq::http::header::RETRY_AFTER;

use super::client::Answer;
use super::credentials::CredentialError;
use super::xml;

/// Why a server of S3 gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// It is not known who we are.
    #[error("find out who we are")]
    Credentials(#[from] CredentialError),
    /// We may not.
    #[error("the server refuses: {code}{}", said(.message))]
    Denied {
        /// The server's word for it.
        code: String,
        /// What it says to people.
        message: String,
    },
    /// There is no such bucket.
    #[error("there is no bucket `{bucket}`")]
    NoBucket {
        /// Its name.
        bucket: String,
    },
    /// The bucket lies elsewhere.
    #[error("the bucket lies in another region{}", .region.as_ref().map_or(String::new(), |region| format!(": {region}")))]
    Region {
        /// Where, if the server says so.
        region: Option<String>,
    },
    /// The server ignores conditions, so that of two writers both would win.
    #[error("the server overwrites an object although it is asked not to (`If-None-Match: *`){}", said(.found))]
    Unconditional {
        /// How that showed.
        found: String,
    },
    /// An answer that asking again will not change.
    #[error("the server answers {status} {code}{}", said(.message))]
    Refused {
        /// Its status.
        status: u16,
        /// The server's word for it.
        code: String,
        /// What it says to people.
        message: String,
    },
    /// It was asked again and again.
    #[error("the server gave nothing in {attempts} attempts: {reason}")]
    GivenUp {
        /// How often.
        attempts: usize,
        /// What went wrong the last time.
        reason: String,
    },
    /// The address makes no sense.
    #[error("{0}")]
    Address(String),
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(" ({message})") }
}

impl S3Error {
    /// What a user may try.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Credentials(error) => return error.hint(),
            Self::Denied { code, .. } if code == "RequestTimeTooSkewed" => {
                "the clock of this machine is wrong: requests are signed with the time".into()
            }
            Self::Denied { code, .. } if code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch" => {
                "the key pair is wrong for this server: look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or at AWS_PROFILE".into()
            }
            Self::Denied { .. } => {
                "who runs this needs s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject on its keys; `databuild doctor --store s3://…` says as whom it asks".into()
            }
            Self::NoBucket { .. } => {
                "make it, or look at its name and at `s3.endpoint`: buckets are not made in passing".into()
            }
            Self::Region { region: Some(region) } => format!("set `s3.region = \"{region}\"`, or AWS_REGION"),
            Self::Region { region: None } => "set `s3.region`, or AWS_REGION".into(),
            Self::Unconditional { .. } => {
                "several runs would spoil each other's state there: take a server that obeys conditional puts, as Amazon's S3 has since August 2024 and MinIO does, or a folder as store".into()
            }
            Self::GivenUp { .. } => {
                "look at the network and at `s3.endpoint`; what is finished is kept, and the same command goes on from there".into()
            }
            Self::Refused { .. } | Self::Address(_) => return None,
        })
    }
}

/// Why one request gave nothing.
#[derive(Debug)]
pub(super) enum Miss {
    /// Asking again will not help.
    Fatal(S3Error),
    /// It may; the server may have said when. Whether it has done what it was asked to is not known.
    Later { reason: String, asked: Option<Duration> },
    /// The server has too much to do: everybody waits.
    SlowDown { asked: Option<Duration> },
    /// The credentials have run out.
    Expired(S3Error),
}

impl Miss {
    pub(super) fn later(reason: impl Into<String>) -> Self {
        Self::Later { reason: reason.into(), asked: None }
    }
}

/// Codes with which servers say that the same request may succeed the next time, whatever the status.
const AGAIN: &[&str] = &[
    "BadDigest",
    "ConditionalRequestConflict",
    "IncompleteBody",
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    "ServiceUnavailable",
];
/// … and that they are asked too often.
const SLOW_DOWN: &[&str] = &["SlowDown", "SlowDownRead", "SlowDownWrite", "Throttling", "TooManyRequests"];
/// … and that credentials were good once.
const EXPIRED: &[&str] = &["ExpiredToken", "TokenRefreshRequired", "RequestExpired"];

/// What an answer means. 404, 412 and 416 are answers; the caller knows to what.
pub(super) fn judge(answer: Answer, bucket: &str) -> Result<Answer, Miss> {
    let status = answer.status;
    if (200..300).contains(&status) || matches!(status, 412 | 416) {
        return Ok(answer);
    }
    // A HEAD has no body to tell more.
    let document = xml::parse(&String::from_utf8_lossy(&answer.body)).unwrap_or_default();
    let field = |name: &str| document.get(name).unwrap_or_default().to_owned();
    let (code, message) = (field("Code"), field("Message"));
    let asked = answer.header(RETRY_AFTER.as_str()).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    let region = || {
        let said = Some(field("Region")).filter(|region| !region.is_empty());
        S3Error::Region { region: answer.header("x-amz-bucket-region").map(str::to_owned).or(said) }
    };
    let is = |codes: &[&str]| codes.contains(&code.as_str());
    if code == "NoSuchBucket" {
        return Err(Miss::Fatal(S3Error::NoBucket { bucket: bucket.to_owned() }));
    }
    if status == 404 {
        return Ok(answer);
    }
    Err(if is(SLOW_DOWN) || matches!(status, 429 | 503) {
        Miss::SlowDown { asked }
    } else if is(AGAIN) || matches!(status, 408 | 409) || (500..600).contains(&status) && status != 501 {
        Miss::Later { reason: format!("the server answers {status} {code}"), asked }
    } else if is(EXPIRED) {
        Miss::Expired(S3Error::Denied { code, message })
    } else if (300..400).contains(&status) || code == "AuthorizationHeaderMalformed" {
        Miss::Fatal(region())
    } else if matches!(status, 401 | 403) {
        let code = if code.is_empty() { status.to_string() } else { code };
        Miss::Fatal(S3Error::Denied { code, message })
    } else {
        Miss::Fatal(S3Error::Refused { status, code, message })
    })
}

#[cfg(test)]
mod tests {
    use ureq::http::HeaderMap;

    use super::*;

    fn judged(status: u16, code: &str) -> String {
        let body = format!("<Error><Code>{code}</Code><Message>m</Message><Region>r</Region></Error>").into_bytes();
        let body = if code.is_empty() { Vec::new() } else { body };
        match judge(Answer { status, headers: HeaderMap::new(), body }, "b") {
            Ok(_) => "answer".to_owned(),
            Err(Miss::Fatal(error)) => error.to_string(),
            Err(Miss::Later { .. }) => "later".to_owned(),
            Err(Miss::SlowDown { .. }) => "slow down".to_owned(),
            Err(Miss::Expired(_)) => "expired".to_owned(),
        }
    }

    #[test]
    fn what_may_be_tried_again_is_told_apart() {
        let check = |status, code: &str, expected: &str| assert_eq!(judged(status, code), expected, "{status} {code}");
        for status in [200, 204, 206, 404, 412, 416] {
            check(status, "", "answer");
        }
        check(404, "NoSuchKey", "answer");
        check(404, "NoSuchBucket", "there is no bucket `b`");
        check(500, "InternalError", "later");
        check(502, "", "later");
        check(409, "ConditionalRequestConflict", "later");
        check(400, "RequestTimeout", "later");
        check(400, "BadDigest", "later");
        check(503, "SlowDown", "slow down");
        check(503, "", "slow down");
        check(400, "ExpiredToken", "expired");
        check(403, "AccessDenied", "the server refuses: AccessDenied (m)");
        check(403, "", "the server refuses: 403");
        check(301, "PermanentRedirect", "the bucket lies in another region: r");
        check(400, "AuthorizationHeaderMalformed", "the bucket lies in another region: r");
        check(400, "InvalidArgument", "the server answers 400 InvalidArgument (m)");
        check(501, "NotImplemented", "the server answers 501 NotImplemented (m)");
    }
}
