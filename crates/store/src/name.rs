//! Names of blobs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A slash-separated relative name such as `parts/render/3f2a/items.parquet`: no empty, dotted or odd segments, so
/// that it means the same in a folder and in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobName(String);

/// The text is no name for a blob.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a blob name: segments of letters, digits, `.`, `_`, `-`, `=`, separated by `/`")]
pub struct InvalidName(String);

impl BlobName {
    /// Checks and takes a name.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidName> {
        let name = name.into();
        let is_segment = |segment: &str| {
            !segment.is_empty()
                && !segment.starts_with('.')
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-=".contains(&byte))
        };
        if name.split('/').all(is_segment) { Ok(Self(name)) } else { Err(InvalidName(name)) }
    }

    /// A name from parts that are known to be good.
    ///
    /// # Panics
    /// When a part is not: parts are our own words and hex digits.
    pub fn join(parts: &[&str]) -> Self {
        Self::new(parts.join("/")).expect("parts of blob names are our own words")
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for BlobName {
    type Error = InvalidName;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<BlobName> for String {
    fn from(name: BlobName) -> Self {
        name.0
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::BlobName;

    #[test]
    fn names_stay_inside_the_store() {
        let check = |name: &str, good: bool| assert_eq!(BlobName::new(name).is_ok(), good, "{name}");
        check("parts/clean/00ff/items.parquet", true);
        check("crawl=2024/a_b", true);
        for bad in ["", "/a", "a/", "a//b", "../a", "a/../b", ".hidden", "a b", "a\\b", "ä"] {
            check(bad, false);
        }
    }
}
