//! The caps that keep hostile input from taking the machine.

use serde::{Deserialize, Serialize};

const MIB: u64 = 1024 * 1024;

/// Caps on sizes. A record beyond one of them is lost and reported; memory stays bounded by a small multiple of
/// `block_bytes_max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of one record's block. 32 MiB: Common Crawl cuts payloads at 1 MiB (5 MiB since 2025), so only archives of
    /// other crawlers come near; and it is half of the 64 MiB that an open archive may take, whatever is in it.
    pub block_bytes_max: u64,
    /// Bytes of one record's header. 128 KiB: the longest real ones hold a URL of some tens of KiB.
    pub header_bytes_max: usize,
    /// Unpacked bytes per packed byte of one gzip member that has given more than `block_bytes_max`. 200: text packs 3
    /// to 20 times, and deflate can not pass 1032.
    pub inflate_ratio_max: u64,
    /// Bytes of an HTTP header. 1 MiB: browsers refuse more than 256 KiB.
    pub http_header_bytes_max: usize,
    /// Bytes of a payload after its content codings are undone. 32 MiB, as for blocks.
    pub payload_bytes_max: u64,
    /// Damaged places in one file after which the rest is given up. 10,000: a file with more is not an archive, and
    /// looking for records in it costs far more than reading it.
    pub damages_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            block_bytes_max: 32 * MIB,
            header_bytes_max: 128 * 1024,
            inflate_ratio_max: 200,
            http_header_bytes_max: MIB as usize,
            payload_bytes_max: 32 * MIB,
            damages_max: 10_000,
        }
    }
}
