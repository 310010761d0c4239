//! Whole gzip members, unpacked at once.
//!
//! A decompressor that has all of its input and room for all of its output need not stop and remember; it is some three
//! times as fast. Where a member ends is not known before it is unpacked, but the next one starts with four telling bytes,
//! and before them stand the checksum and length that the content must have. What does not fit is left to the stream.

use libdeflater::Decompressor;

/// Packed bytes of a member that is looked at as a whole. 4 MiB: larger ones are rare, and streamed.
pub(super) const PACKED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Unpacked bytes of such a member. 16 MiB: pages are smaller, and what is larger is streamed.
const UNPACKED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Deflate packs no better than this; a trailer that says so is none.
const RATIO_MAX: usize = 1032;
/// The checksum and the length behind the deflate data.
const TRAILER_BYTES: usize = 8;

pub(super) struct Members {
    deflate: Decompressor,
}

impl std::fmt::Debug for Members {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Members")
    }
}

impl Default for Members {
    fn default() -> Self {
        Self { deflate: Decompressor::new() }
    }
}

impl Members {
    /// Unpacked bytes of `member`, if its last bytes are the trailer that they seem to be.
    pub(super) fn unpacked_bytes(member: &[u8]) -> Option<usize> {
        let length = u32::from_le_bytes(*member.last_chunk()?) as usize;
        (length <= UNPACKED_BYTES_MAX && length <= member.len() * RATIO_MAX).then_some(length)
    }

    /// Unpacks `member` into `output`, which has as many bytes as the trailer says. False unless it is one whole member
    /// and nothing else.
    pub(super) fn unpack(&mut self, member: &[u8], output: &mut [u8]) -> bool {
        let Some(start) = header_bytes(member) else { return false };
        let Some(end) = member.len().checked_sub(TRAILER_BYTES).filter(|end| *end > start) else { return false };
        let Some((checksum, _)) = member[end..].split_first_chunk() else { return false };
        self.deflate.deflate_decompress(&member[start..end], output) == Ok(output.len())
            && libdeflater::crc32(output) == u32::from_le_bytes(*checksum)
    }
}

/// Bytes before the deflate data (RFC 1952).
fn header_bytes(member: &[u8]) -> Option<usize> {
    const FIXED_BYTES: usize = 10;
    let flags = *member.get(3)?;
    let mut at = FIXED_BYTES;
    if flags & 4 != 0 {
        let extra = member.get(at..at + 2)?;
        at += 2 + usize::from(u16::from_le_bytes([extra[0], extra[1]]));
    }
    // A name and a comment end with a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            at += memchr::memchr(0, member.get(at..)?)? + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    (at < member.len()).then_some(at)
}
