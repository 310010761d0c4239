//! Addresses of stores: `s3://bucket/prefix`.

use std::fmt;
use std::str::FromStr;

/// A prefix in a bucket. The prefix may be empty, and has no slash at its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Address {
    /// The bucket.
    pub bucket: String,
    /// What all keys begin with.
    pub prefix: String,
}

/// It names no prefix in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not of the form `s3://bucket/prefix`")]
pub struct InvalidAddress(String);

impl S3Address {
    /// Whether a text means S3, well written or not.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("s3://")
    }

    /// The key of the object of that name.
    pub fn key(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) }
    }

    /// The name of the object of that key; `None` for one outside of the prefix.
    pub(super) fn name<'a>(&self, key: &'a str) -> Option<&'a str> {
        if self.prefix.is_empty() { Some(key) } else { key.strip_prefix(&self.prefix)?.strip_prefix('/') }
    }
}

impl FromStr for S3Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = || InvalidAddress(text.to_owned());
        let rest = text.strip_prefix("s3://").ok_or_else(invalid)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_matches('/');
        // Servers disagree about empty folders in a key.
        if bucket.is_empty() || prefix.contains("//") {
            return Err(invalid());
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for S3Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.key_of_bucket())
    }
}

impl S3Address {
    fn key_of_bucket(&self) -> String {
        if self.prefix.is_empty() { self.bucket.clone() } else { format!("{}/{}", self.bucket, self.prefix) }
    }
}

#[cfg(test)]
mod tests {
    use super::S3Address;

    #[test]
    fn addresses_are_understood() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let address = text.parse::<S3Address>().ok();
            let found = address.as_ref().map(|address| (address.bucket.as_str(), address.prefix.as_str()));
            assert_eq!(found, expected, "{text}");
        };
        check("s3://b", Some(("b", "")));
        check("s3://b/", Some(("b", "")));
        check("s3://b/state/x/", Some(("b", "state/x")));
        check("s3:///x", None);
        check("s3://b/a//b", None);
        check("/b/x", None);
    }

    #[test]
    fn keys_and_names_belong_together() {
        for (text, key) in [("s3://b", "a/c"), ("s3://b/p", "p/a/c")] {
            let address: S3Address = text.parse().expect("an address");
            assert_eq!(address.key("a/c"), key);
            assert_eq!(address.name(key), Some("a/c"));
            assert_eq!(address.to_string(), text);
        }
        let address: S3Address = "s3://b/p".parse().expect("an address");
        assert_eq!(address.name("prefix/a"), None);
    }
}
