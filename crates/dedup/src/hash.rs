//! A perceptual hash as words in place: comparing two allocates nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A hash of `WORDS` × 64 bits. Shown and serialised as hex, first bit first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageHash<const WORDS: usize>([u64; WORDS]);

/// 64 bits.
pub type Hash64 = ImageHash<1>;
/// 256 bits.
pub type Hash256 = ImageHash<4>;

impl<const WORDS: usize> ImageHash<WORDS> {
    /// How many bits the hash has.
    pub const BITS: u32 = WORDS as u32 * 64;

    /// A hash of these words, the most significant bits first.
    pub const fn new(words: [u64; WORDS]) -> Self {
        Self(words)
    }

    /// The words, the most significant bits first.
    pub const fn words(&self) -> &[u64; WORDS] {
        &self.0
    }

    /// The number of bits in which the two differ.
    pub fn distance(&self, other: &Self) -> u32 {
        self.0.iter().zip(&other.0).map(|(a, b)| (a ^ b).count_ones()).sum()
    }

    /// The bits in which the two differ.
    pub fn difference(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] ^ other.0[word]))
    }

    /// The `count` bits from bit `start` on (bit 0 is the first of the hex form), as a number; `count` is at most 64.
    pub(crate) fn bits(&self, start: u32, count: u32) -> u64 {
        debug_assert!((1..=64).contains(&count) && start + count <= Self::BITS);
        let (word, offset) = ((start / 64) as usize, start % 64);
        let mut bits = self.0[word] << offset;
        if offset + count > 64 {
            bits |= self.0[word + 1] >> (64 - offset);
        }
        bits >> (64 - count)
    }

    /// Packs bytes in reading order; `None` when their number does not fit.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != WORDS * 8 {
            return None;
        }
        let mut words = [0; WORDS];
        for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_be_bytes(*chunk);
        }
        Some(Self(words))
    }
}

impl<const WORDS: usize> fmt::Display for ImageHash<WORDS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

impl<const WORDS: usize> fmt::Debug for ImageHash<WORDS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageHash({self})")
    }
}

/// The text is not the hex form of a hash.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not an image hash of {digits} hex digits")]
pub struct ParseHashError {
    text: String,
    digits: usize,
}

impl<const WORDS: usize> FromStr for ImageHash<WORDS> {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseHashError { text: text.to_owned(), digits: WORDS * 16 };
        // `from_str_radix` takes a sign, a hash has none.
        let is_hex = text.len() == WORDS * 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex {
            return Err(error());
        }
        let mut words = [0; WORDS];
        for (index, word) in words.iter_mut().enumerate() {
            *word = u64::from_str_radix(&text[index * 16..(index + 1) * 16], 16).map_err(|_| error())?;
        }
        Ok(Self(words))
    }
}

impl<const WORDS: usize> Serialize for ImageHash<WORDS> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const WORDS: usize> Deserialize<'de> for ImageHash<WORDS> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_survives_its_text_form() {
        let hash = Hash256::new([1, u64::MAX, 0, 0xabc]);
        assert_eq!(hash.to_string().len(), 64);
        assert_eq!(hash.to_string().parse::<Hash256>().expect("own text"), hash);
        for bad in ["", "abc", "+000000000000001", "é000000000000001", "g000000000000001"] {
            assert!(bad.parse::<Hash64>().is_err(), "{bad}");
        }
    }

    #[test]
    fn bits_are_read_across_words() {
        let hash = ImageHash::<2>::new([0x0000_0000_0000_000f, 0xa000_0000_0000_0000]);
        assert_eq!(hash.bits(60, 8), 0xfa);
        assert_eq!(hash.bits(0, 64), 0xf);
        assert_eq!(hash.bits(64, 64), 0xa000_0000_0000_0000);
        assert_eq!(hash.bits(127, 1), 0);
    }

    #[test]
    fn distance_counts_differing_bits() {
        assert_eq!(Hash64::new([0b1011]).distance(&Hash64::new([0b0001])), 2);
        assert_eq!(Hash256::new([0; 4]).distance(&Hash256::new([u64::MAX; 4])), 256);
    }
}
