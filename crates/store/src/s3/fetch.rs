//! A whole object to a file, in pieces that come at the same time.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::client::Client;
use super::object::{self, Head};
use super::trouble::S3Error;
use crate::at_once;

/// One connection to S3 gives some 50 to 100 MB/s; more of them give more. Small enough that a broken one costs little.
const PIECE_BYTES: u64 = 16 << 20;
const PIECES_AT_ONCE: usize = 4;
/// How often an object is fetched whose bytes are not those of its digest.
const TRIES: usize = 2;

/// Why an object did not get into a file.
pub(super) enum Trouble {
    Server(S3Error),
    Disk(io::Error),
}

impl From<S3Error> for Trouble {
    fn from(error: S3Error) -> Self {
        Self::Server(error)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Fetches a version of an object into a file, and compares its bytes with their digest.
pub(super) fn fetch(client: &Client, key: &str, head: &Head, to: &Path) -> Result<(), Trouble> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(to)?;
    for _ in 0..TRIES {
        at_once(&pieces(head.bytes), PIECES_AT_ONCE, |piece| piece_to(client, key, head, piece, &file))?;
        if head.sha256.is_none() || head.sha256 == Some(sha256_of(to)?) {
            // It will stand in the cache under a name that promises these bytes.
            return Ok(file.sync_all()?);
        }
    }
    Err(Trouble::Server(S3Error::GivenUp {
        attempts: TRIES,
        reason: "what came differs from the SHA-256 of what was written".to_owned(),
    }))
}

fn pieces(bytes: u64) -> Vec<Range<u64>> {
    let starts = (0..bytes).step_by(PIECE_BYTES as usize);
    starts.map(|start| start..bytes.min(start + PIECE_BYTES)).collect()
}

fn piece_to(client: &Client, key: &str, head: &Head, piece: &Range<u64>, file: &File) -> Result<(), Trouble> {
    let version = Some(head.version.as_str()).filter(|version| !version.is_empty());
    let bytes = object::get_range(client, key, piece.clone(), version)?.unwrap_or_default();
    if bytes.len() as u64 != piece.end - piece.start {
        let message = "the object was replaced while it was read".to_owned();
        return Err(Trouble::Server(S3Error::Refused { status: 206, code: "Shorter".to_owned(), message }));
    }
    Ok(file.write_all_at(&bytes, piece.start)?)
}

/// SHA-256 of a file, in hex.
pub(super) fn sha256_of(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut HashWriter(&mut hasher))?;
    Ok(HEXLOWER.encode(&hasher.finalize()))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{PIECE_BYTES, pieces};

    #[test]
    fn pieces_cover_the_object() {
        for bytes in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 10 * PIECE_BYTES + 7] {
            let pieces = pieces(bytes);
            assert_eq!(pieces.iter().map(|piece| piece.end - piece.start).sum::<u64>(), bytes);
            assert!(pieces.windows(2).all(|pair| pair[0].end == pair[1].start), "{bytes}");
        }
    }
}
