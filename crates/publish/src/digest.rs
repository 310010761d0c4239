//! Digests as the Hub names files.

use std::fmt::Write as _;
use std::io::{self, Read};

use sha1::Digest as _;

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 14;

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

/// SHA-256 of everything that is read.
pub(crate) fn sha256_of(mut content: impl Read) -> io::Result<String> {
    let mut hash = sha2::Sha256::new();
    let mut block = [0; BLOCK];
    loop {
        match content.read(&mut block)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&block[..read]),
        }
    }
}

/// The id that git gives a file of that content.
pub(crate) fn git_blob(length: u64, mut content: impl Read) -> io::Result<String> {
    let mut hash = sha1::Sha1::new();
    hash.update(format!("blob {length}\0"));
    let mut block = [0; BLOCK];
    loop {
        match content.read(&mut block)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&block[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git() {
        let check = |content: &[u8], expected: &str| {
            assert_eq!(git_blob(content.len() as u64, content).expect("memory"), expected);
        };
        check(b"", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        check(b"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a");
    }
}
