//! Transfer and content codings.

use std::io::Read;

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use super::mime::{MimeKind, sniff};
use super::{HttpError, HttpHead, chunked};

/// Most codings on one body that are undone. Real ones have two; a list of hundreds is an attack.
const CODINGS_MAX: usize = 4;
/// Unpacked bytes made at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// A body with its codings undone.
pub(super) struct Payload {
    pub(super) bytes: Bytes,
    pub(super) truncated: bool,
}

/// What came of undoing one coding.
enum Undone {
    /// All of it.
    Whole(Vec<u8>),
    /// Its start; the rest is missing or broken.
    Start(Vec<u8>),
    /// The body is not in this coding.
    NotCoded,
}

/// Undoes the chunks and then the content codings, the last applied first.
pub(super) fn undo(head: &HttpHead, body: Bytes, bytes_max: u64) -> Result<Payload, HttpError> {
    let mut payload = Payload { bytes: body, truncated: false };
    let is_chunked = head.all("transfer-encoding").any(|value| value.to_ascii_lowercase().contains("chunked"));
    if is_chunked && let Some((bytes, truncated)) = chunked::undo(&payload.bytes) {
        payload = Payload { bytes: bytes.into(), truncated };
    }
    let codings: Vec<String> = ["content-encoding", "transfer-encoding"]
        .into_iter()
        .flat_map(|name| head.all(name))
        .flat_map(|value| value.split(','))
        .map(|coding| coding.trim().to_ascii_lowercase())
        .collect();
    for coding in codings.iter().rev().take(CODINGS_MAX) {
        let undone = match coding.as_str() {
            "gzip" | "x-gzip" => gunzip(&payload.bytes, bytes_max)?,
            "deflate" | "x-deflate" => inflate(&payload.bytes, bytes_max)?,
            "br" | "x-br" | "brotli" => {
                read_all(brotli::Decompressor::new(&payload.bytes[..], CHUNK_BYTES), bytes_max, &payload.bytes)?
            }
            "zstd" | "x-zstd" => match zstd::stream::read::Decoder::new(&payload.bytes[..]) {
                Ok(decoder) => read_all(decoder, bytes_max, &payload.bytes)?,
                Err(_) => Undone::NotCoded,
            },
            _ => Undone::NotCoded,
        };
        match undone {
            Undone::Whole(bytes) => payload.bytes = bytes.into(),
            Undone::Start(bytes) => payload = Payload { bytes: bytes.into(), truncated: true },
            Undone::NotCoded => {}
        }
    }
    if payload.bytes.len() as u64 > bytes_max {
        return Err(HttpError::PayloadTooLarge { limit: bytes_max });
    }
    Ok(payload)
}

fn gunzip(body: &[u8], bytes_max: u64) -> Result<Undone, HttpError> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Ok(Undone::NotCoded);
    }
    let mut out = Vec::new();
    let mut rest = body;
    // Members follow each other; what is no member behind the last one is ignored, as browsers do.
    while rest.starts_with(&[0x1f, 0x8b]) {
        let (taken, is_whole) = inflate_into(Decompress::new_gzip(15), rest, &mut out, bytes_max)?;
        if !is_whole {
            return Ok(Undone::Start(out));
        }
        rest = &rest[taken..];
    }
    Ok(Undone::Whole(out))
}

/// `deflate` is the zlib format by the standard, and bare deflate data from some servers.
fn inflate(body: &[u8], bytes_max: u64) -> Result<Undone, HttpError> {
    let is_zlib = matches!(body, [cmf, flg, ..]
        if cmf & 0x0f == 8 && (u16::from(*cmf) << 8 | u16::from(*flg)) % 31 == 0);
    let mut out = Vec::new();
    let (_, is_whole) = inflate_into(Decompress::new(is_zlib), body, &mut out, bytes_max)?;
    if is_whole {
        return Ok(Undone::Whole(out));
    }
    Ok(if out.is_empty() || is_text(body) { Undone::NotCoded } else { Undone::Start(out) })
}

/// Appends what `body` inflates to; answers the bytes taken, and whether the stream came to its end.
fn inflate_into(
    mut inflate: Decompress,
    body: &[u8],
    out: &mut Vec<u8>,
    bytes_max: u64,
) -> Result<(usize, bool), HttpError> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let (taken, given) = (inflate.total_in() as usize, inflate.total_out());
        let result = inflate.decompress(&body[taken.min(body.len())..], &mut chunk, FlushDecompress::None);
        let new = (inflate.total_out() - given) as usize;
        out.extend_from_slice(&chunk[..new.min(CHUNK_BYTES)]);
        if out.len() as u64 > bytes_max {
            return Err(HttpError::PayloadTooLarge { limit: bytes_max });
        }
        let stuck = new == 0 && inflate.total_in() as usize == taken;
        match result {
            Ok(Status::StreamEnd) => return Ok((inflate.total_in() as usize, true)),
            Ok(_) if !stuck => {}
            _ => return Ok((taken, false)),
        }
    }
}

fn read_all(mut decoder: impl Read, bytes_max: u64, body: &[u8]) -> Result<Undone, HttpError> {
    let mut out = Vec::new();
    let result = decoder.by_ref().take(bytes_max + 1).read_to_end(&mut out);
    if out.len() as u64 > bytes_max {
        return Err(HttpError::PayloadTooLarge { limit: bytes_max });
    }
    Ok(match result {
        Ok(_) => Undone::Whole(out),
        // Plain text is a valid start of almost anything for a decoder without a magic number.
        Err(_) if out.is_empty() || is_text(body) => Undone::NotCoded,
        Err(_) => Undone::Start(out),
    })
}

fn is_text(body: &[u8]) -> bool {
    sniff(body) != MimeKind::Binary
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &str = "<p>one two three one two three one two three</p>";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(text: &[u8]) -> Vec<u8> {
        let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
        encoder.write_all(text).unwrap();
        encoder.into_inner()
    }

    #[test]
    fn codings_are_undone_where_they_are() {
        let check = |coding: &str, body: Vec<u8>, expected: &str, truncated: bool| {
            let headers = vec![("Content-Encoding".to_owned(), coding.to_owned())];
            let head = HttpHead { status: 200, headers, bytes: 0 };
            let payload = undo(&head, body.into(), 1000).expect("below the cap");
            assert_eq!((std::str::from_utf8(&payload.bytes), payload.truncated), (Ok(expected), truncated), "{coding}");
        };
        let text = TEXT.as_bytes();
        check("gzip", gzip(text), TEXT, false);
        check("X-GZIP", gzip(text), TEXT, false);
        check("deflate", zlib(text), TEXT, false);
        check("deflate", deflate(text), TEXT, false);
        check("br", brotli(text), TEXT, false);
        check("zstd", zstd::encode_all(text, 3).unwrap(), TEXT, false);
        check("gzip, br", brotli(&gzip(text)), TEXT, false);
        check("identity", text.to_vec(), TEXT, false);
        check("utf-8", text.to_vec(), TEXT, false);
        for said_but_plain in ["gzip", "deflate", "br", "zstd"] {
            check(said_but_plain, text.to_vec(), TEXT, false);
        }
        check("gzip", [gzip(b"one "), gzip(b"two")].concat(), "one two", false);
        check("gzip", [gzip(text), b"behind".to_vec()].concat(), TEXT, false);
        let cut = gzip(text);
        check("gzip", cut[..cut.len() - 8].to_vec(), TEXT, true);
    }

    #[test]
    fn a_bomb_stops_at_the_cap() {
        let check = |coding: &str, body: Vec<u8>| {
            let headers = vec![("content-encoding".to_owned(), coding.to_owned())];
            let head = HttpHead { status: 200, headers, bytes: 0 };
            let error = undo(&head, body.into(), 1 << 20).err();
            assert_eq!(error, Some(HttpError::PayloadTooLarge { limit: 1 << 20 }), "{coding}");
        };
        let zeros = vec![0; 8 << 20];
        check("gzip", gzip(&zeros));
        check("deflate", zlib(&zeros));
        check("br", brotli(&zeros));
        check("zstd", zstd::encode_all(&zeros[..], 3).unwrap());
    }
}
