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
        write_hex(&self.0, f)
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

/// Writes bytes as lower-case hex. Every id at rest goes through here, so it takes no detour over the formatting of numbers.
pub(crate) fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    const BYTES_MAX: usize = 32;
    let mut text = [0; BYTES_MAX * 2];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xf)];
    }
    f.write_str(std::str::from_utf8(&text[..bytes.len() * 2]).map_err(|_| fmt::Error)?)
}

/// Reads exactly `N` bytes of hex.
pub(crate) fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], ParseHexError> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let parse = || {
        let mut bytes = [0; N];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(bytes)
    };
    let parsed = if text.len() == N * 2 { parse() } else { None };
    parsed.ok_or_else(|| ParseHexError { text: text.to_owned(), digits: N * 2 })
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
pub struct ContentHasher(Fields);

/// Most records are short: those are gathered and hashed at once, which spares them a hasher's two kilobytes of state.
#[derive(Debug, Clone)]
enum Fields {
    Short(Vec<u8>),
    Long(Box<blake3::Hasher>),
}

/// What BLAKE3 hashes in one piece, without a tree.
const SHORT_BYTES_MAX: usize = blake3::CHUNK_LEN;

impl ContentHasher {
    /// Starts a record of the named kind, so that records of different kinds never share a digest.
    pub fn new(kind: &str) -> Self {
        /// Room for an id, a URL and some names.
        const USUAL_BYTES: usize = 256;
        let mut hasher = Self(Fields::Short(Vec::with_capacity(USUAL_BYTES)));
        hasher.add_text(kind);
        hasher
    }

    fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Fields::Short(fields) if fields.len() + bytes.len() <= SHORT_BYTES_MAX => fields.extend_from_slice(bytes),
            Fields::Short(fields) => {
                let mut hasher = Box::new(blake3::Hasher::new());
                hasher.update(fields).update(bytes);
                self.0 = Fields::Long(hasher);
            }
            Fields::Long(hasher) => _ = hasher.update(bytes),
        }
    }

    /// Adds a field of bytes.
    pub fn add_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.update(&(bytes.len() as u64).to_le_bytes());
        self.update(bytes);
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
        match &self.0 {
            Fields::Short(fields) => Digest::of(fields),
            Fields::Long(hasher) => Digest(*hasher.finalize().as_bytes()),
        }
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
        assert!("+f".repeat(32).parse::<Digest>().is_err());
    }

    #[test]
    fn a_record_has_one_digest_however_long_it_grows() {
        for bytes in [0, 1, SHORT_BYTES_MAX - 40, SHORT_BYTES_MAX, 5 * SHORT_BYTES_MAX] {
            let (one, two) = (vec![7; bytes], vec![9; 30]);
            let mut hasher = ContentHasher::new("t");
            hasher.add_bytes(&one).add_bytes(&two);
            let mut fields = Vec::new();
            for field in [b"t".as_slice(), &one, &two] {
                fields.extend_from_slice(&(field.len() as u64).to_le_bytes());
                fields.extend_from_slice(field);
            }
            assert_eq!(hasher.finish(), Digest::of(&fields), "{bytes} bytes");
        }
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let digest = |a: &str, b: &str| ContentHasher::new("t").add_text(a).add_text(b).finish();
        assert_ne!(digest("ab", "c"), digest("a", "bc"));
    }
}
