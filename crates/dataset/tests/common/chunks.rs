//! What a content-addressed storage sees of a file: chunks of some 64 KiB that end where the content says so.

use std::collections::HashSet;

use item::Digest;

const CHUNK_MIN: usize = 8 << 10;
const CHUNK_MAX: usize = 128 << 10;
/// 16 bits: a chunk of 64 KiB on average.
const MASK: u64 = 0xFFFF << 48;

/// Chunks of the bytes, by a gear hash, as the Hub's storage cuts them.
pub(crate) fn chunks(bytes: &[u8]) -> Vec<&[u8]> {
    let gear: Vec<u64> = (0..256u64)
        .map(|byte| {
            let digest = Digest::of(&byte.to_le_bytes());
            u64::from_le_bytes(digest.as_bytes()[..8].try_into().expect("eight bytes"))
        })
        .collect();
    let (mut found, mut start, mut hash) = (Vec::new(), 0, 0u64);
    for (index, byte) in bytes.iter().enumerate() {
        hash = (hash << 1).wrapping_add(gear[usize::from(*byte)]);
        let length = index + 1 - start;
        if (length >= CHUNK_MIN && hash & MASK == 0) || length == CHUNK_MAX {
            found.push(&bytes[start..=index]);
            (start, hash) = (index + 1, 0);
        }
    }
    if start < bytes.len() {
        found.push(&bytes[start..]);
    }
    found
}

/// Share of the bytes of `new` in chunks that no file of `old` has: what has to be uploaded.
pub(crate) fn new_share<'a>(old: impl Iterator<Item = &'a [u8]>, new: impl Iterator<Item = &'a [u8]>) -> f64 {
    let known: HashSet<Digest> = old.flat_map(chunks).map(Digest::of).collect();
    let (mut all, mut fresh) = (0, 0);
    for chunk in new.flat_map(chunks) {
        all += chunk.len();
        fresh += if known.contains(&Digest::of(chunk)) { 0 } else { chunk.len() };
    }
    fresh as f64 / all as f64
}
