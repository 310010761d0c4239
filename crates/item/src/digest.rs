//! Identity of bytes and of records of fields.
//!
//! One definition of hashing for the whole house: BLAKE3, with every field length-prefixed, so that two records can
//! not collide by moving a byte from one field to the next.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A BLAKE3 digest, shown and serialised as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes` alone.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The raw 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 16 hex digits: enough for a name that people read and that no two files of a run share.
    pub fn short(&self) -> String {
        self.to_string()[..16].to_owned()
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

/// The text is not the hex form of a digest or id.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not {digits} hex digits")]
pub struct ParseHexError {
    text: String,
    digits: usize,
}

/// Reads exactly `N` bytes of hex.
pub(crate) fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], ParseHexError> {
    let error = || ParseHexError { text: text.to_owned(), digits: N * 2 };
    if text.len() != N * 2 || !text.is_ascii() {
        return Err(error());
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| error())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| error())?;
    }
    Ok(bytes)
}

impl FromStr for Digest {
    type Err = ParseHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_hex(text).map(Self)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A SHA-256 in hex, as the published columns and the Hub write it.
pub type Sha256Hex = String;

/// Hashes a record field by field; every field is tagged and length-prefixed.
#[derive(Debug, Clone)]
pub struct ContentHasher(Box<blake3::Hasher>);

impl ContentHasher {
    /// Starts a record of the named kind, so that records of different kinds never share a digest.
    pub fn new(kind: &str) -> Self {
        let mut hasher = Self(Box::new(blake3::Hasher::new()));
        hasher.add_text(kind);
        hasher
    }

    /// Adds a field of bytes.
    pub fn add_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds a field of text.
    pub fn add_text(&mut self, text: &str) -> &mut Self {
        self.add_bytes(text.as_bytes())
    }

    /// Adds a number.
    pub fn add_u64(&mut self, number: u64) -> &mut Self {
        self.add_bytes(&number.to_le_bytes())
    }

    /// Adds another digest.
    pub fn add_digest(&mut self, digest: &Digest) -> &mut Self {
        self.add_bytes(digest.as_bytes())
    }

    /// The digest of all fields so far.
    pub fn finish(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_survives_its_text_form() {
        let digest = Digest::of(b"page");
        assert_eq!(digest.to_string().parse::<Digest>().expect("own text"), digest);
        assert!("abc".parse::<Digest>().is_err());
        assert!("é".repeat(32).parse::<Digest>().is_err());
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let digest = |a: &str, b: &str| ContentHasher::new("t").add_text(a).add_text(b).finish();
        assert_ne!(digest("ab", "c"), digest("a", "bc"));
    }
}
