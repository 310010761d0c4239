//! Objects of S3 and of servers that speak like it: a signed URL each.
//!
//! Reading needs no more of S3 than a URL that carries its signature; the rest is HTTP as everywhere. So pace, patience and
//! resuming are those of every transfer, and there is no second HTTP client.

use std::fmt;
use std::time::Duration;

use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use url::Url;

/// How long a signed URL is good for. An hour: it is signed anew for each request, which may wait for its turn.
const SIGNATURE_LIFE: Duration = Duration::from_hours(1);

/// Where Common Crawl's bucket is.
const DEFAULT_REGION: &str = "us-east-1";

/// Who asks, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Access {
    /// Region of the buckets.
    pub region: String,
    /// A server other than Amazon's, such as `http://localhost:9000`.
    pub endpoint: Option<String>,
    /// Signs requests; without it they are anonymous.
    pub credentials: Option<S3Credentials>,
}

impl Default for S3Access {
    fn default() -> Self {
        Self { region: DEFAULT_REGION.to_owned(), endpoint: None, credentials: None }
    }
}

/// A key pair. Its secret parts are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Credentials {
    /// Access key id.
    pub key: String,
    /// Secret access key.
    pub secret: String,
    /// Session token, where the pair is a temporary one.
    pub token: Option<String>,
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Credentials").field("key", &self.key).finish_non_exhaustive()
    }
}

/// The address makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum S3UrlError {
    /// It is not `s3://bucket/key`.
    #[error("it is not of the form `s3://bucket/key`")]
    Form,
    /// The server's address is none.
    #[error("`{endpoint}` is no address of a server")]
    Endpoint {
        /// What was said.
        endpoint: String,
    },
}

/// What is done with an object, or with those whose keys begin like the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action<'a> {
    Get,
    Head,
    /// Names objects; with `folder`, none that lies in a folder further down; from where an earlier answer ended.
    List {
        folder: bool,
        from: Option<&'a str>,
    },
}

/// Whether `url` names an object of S3.
pub fn is_s3(url: &str) -> bool {
    url.starts_with("s3://")
}

/// Bucket and key of an address.
pub fn bucket_and_key(url: &str) -> Option<(&str, &str)> {
    url.strip_prefix("s3://")?.split_once('/').filter(|(bucket, _)| !bucket.is_empty())
}

impl S3Access {
    /// The web address that stands for `url`, signed if there is something to sign with.
    pub(super) fn web_address(&self, action: Action<'_>, url: &str) -> Result<String, S3UrlError> {
        let is_list = matches!(action, Action::List { .. });
        let (bucket, key) =
            bucket_and_key(url).filter(|(_, key)| is_list || !key.is_empty()).ok_or(S3UrlError::Form)?;
        let amazon = || format!("https://s3.{}.amazonaws.com", self.region);
        let endpoint = self.endpoint.clone().unwrap_or_else(amazon);
        // Servers at home have no wildcard names.
        let style = if self.endpoint.is_some() { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let invalid = || S3UrlError::Endpoint { endpoint: endpoint.clone() };
        let address: Url = endpoint.parse().map_err(|_| invalid())?;
        let bucket = Bucket::new(address, style, bucket.to_owned(), self.region.clone()).map_err(|_| invalid())?;
        let credentials = self.credentials.as_ref().map(|pair| match &pair.token {
            Some(token) => Credentials::new_with_token(&pair.key, &pair.secret, token),
            None => Credentials::new(&pair.key, &pair.secret),
        });
        let signed = match action {
            Action::Get => bucket.get_object(credentials.as_ref(), key).sign(SIGNATURE_LIFE),
            Action::Head => bucket.head_object(credentials.as_ref(), key).sign(SIGNATURE_LIFE),
            Action::List { folder, from } => {
                // A GET of the bucket with a query. The crate has an action for it, which brings another XML parser, and asks
                // for escaped keys, which some servers say they send and do not.
                let mut list = bucket.get_object(credentials.as_ref(), "");
                let query = list.query_mut();
                query.insert("list-type", "2");
                query.insert("prefix", key);
                if folder {
                    query.insert("delimiter", "/");
                }
                if let Some(from) = from {
                    query.insert("continuation-token", from);
                }
                list.sign(SIGNATURE_LIFE)
            }
        };
        Ok(signed.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_objects() {
        let check = |access: &S3Access, url: &str, expected: Option<&str>| {
            assert_eq!(access.web_address(Action::Get, url).ok().as_deref(), expected, "{url}");
        };
        let amazon = S3Access::default();
        check(
            &amazon,
            "s3://commoncrawl/a/b.warc.gz",
            Some("https://commoncrawl.s3.us-east-1.amazonaws.com/a/b.warc.gz"),
        );
        check(&amazon, "s3://commoncrawl", None);
        check(&amazon, "s3:///key", None);
        let local = S3Access { endpoint: Some("http://localhost:9000".into()), ..S3Access::default() };
        check(&local, "s3://crawl/a b", Some("http://localhost:9000/crawl/a%20b"));
        let list = |url, folder, from| local.web_address(Action::List { folder, from }, url).ok();
        let expected = "http://localhost:9000/crawl/?list-type=2&prefix=a%20b";
        assert_eq!(list("s3://crawl/a b", false, None).as_deref(), Some(expected));
        let expected = "http://localhost:9000/crawl/?continuation-token=x%2F1&delimiter=%2F&list-type=2&prefix=";
        assert_eq!(list("s3://crawl/", true, Some("x/1")).as_deref(), Some(expected));
        assert_eq!(list("s3://crawl", true, None), None);
        let nonsense = S3Access { endpoint: Some("no server".into()), ..S3Access::default() };
        check(&nonsense, "s3://crawl/a", None);
    }

    #[test]
    fn secrets_are_not_shown() {
        let credentials = S3Credentials { key: "id".into(), secret: "hidden".into(), token: Some("hidden".into()) };
        let access = S3Access { credentials: Some(credentials), ..S3Access::default() };
        assert!(!format!("{access:?}").contains("hidden"));
        let signed = access.web_address(Action::Get, "s3://bucket/key").expect("an address");
        assert!(signed.contains("X-Amz-Signature=") && !signed.contains("hidden,"), "{signed}");
    }
}
