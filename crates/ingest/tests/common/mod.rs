//! Where the corpus lies, and small archives made on the spot.

#![expect(dead_code, reason = "each test file uses a part of this")]
#![expect(clippy::print_stderr, reason = "a skipped test says why")]

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use ingest::{ArchiveReader, Entry, Limits};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The folder of the corpus; `None`, with a printed reason, where there is none.
pub(crate) fn corpus() -> Option<PathBuf> {
    let near = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus");
    let path = std::env::var_os("DATABUILD_CORPUS").map_or_else(|| PathBuf::from(near), PathBuf::from);
    if path.join("truth.json").is_file() {
        return Some(path);
    }
    eprintln!("skipped: no corpus at {}; set DATABUILD_CORPUS", path.display());
    None
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file of the corpus")).expect("JSON")
}

pub(crate) fn json_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a file of the corpus");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

pub(crate) fn entries(path: &Path) -> Vec<Entry> {
    let reader = ArchiveReader::open(path, Limits::default()).expect("a file of the corpus");
    reader.collect::<Result<_, _>>().expect("local files can be read")
}

pub(crate) fn entries_of(source: impl Read + Send + 'static, limits: Limits) -> Vec<Entry> {
    ArchiveReader::new(source, "test.warc", limits).collect::<Result<_, _>>().expect("the source never fails")
}

/// A record as bytes.
pub(crate) fn record(kind: &str, uri: &str, block: &[u8]) -> Vec<u8> {
    let length = block.len();
    let mut bytes = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {uri}\r\nWARC-Date: 2024-05-18T01:58:10Z\r\n\
         Content-Type: application/http; msgtype=response\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(block);
    bytes.extend_from_slice(b"\r\n\r\n");
    bytes
}

/// A response record as bytes.
pub(crate) fn response(uri: &str, header: &str, body: &[u8]) -> Vec<u8> {
    let block = [format!("HTTP/1.1 200 OK\r\n{header}\r\n").as_bytes(), body].concat();
    record("response", uri, &block)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Gives bytes in pieces whose sizes it makes up from a seed.
pub(crate) struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    random: Random,
    max: usize,
}

impl Pieces {
    pub(crate) fn new(bytes: Vec<u8>, seed: u64, max: usize) -> Self {
        Self { bytes, at: 0, random: Random(seed), max }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.bytes.len() - self.at;
        let count = (1 + self.random.below(self.max)).min(left).min(buffer.len());
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// SplitMix64: the same numbers everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}
