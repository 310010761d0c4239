//! LZ4 frames, block by block.
//!
//! The decoder of `lz4_flex` pulls from a reader and can not wait; so it is handed a header or a block at a time, once all
//! of it is at hand, and gives what that unpacks to.

use std::io::{BufRead, Read};

use lz4_flex::frame::FrameDecoder;

use super::packing::{State, Step};

/// Magic number of a frame.
pub(super) const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

const BLOCK_CHECKSUMS: u8 = 0x10;
const CONTENT_SIZE: u8 = 0x08;
const CONTENT_CHECKSUM: u8 = 0x04;
const DICTIONARY: u8 = 0x01;
/// Set in the size of a block that is stored as it is.
const STORED: u32 = 1 << 31;

/// Whether a frame starts here: the version, no reserved bit, and one of the four sizes of blocks.
pub(super) fn is_frame(bytes: &[u8]) -> bool {
    let Some([flags, sizes]) = bytes.get(4..6) else { return false };
    bytes.starts_with(&MAGIC) && flags & 0xc2 == 0x40 && sizes & 0x8f == 0 && sizes >> 4 >= 4
}

/// The bytes that the decoder may read now.
#[derive(Default)]
struct Fed {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Fed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = (&self.bytes[self.at..]).read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

/// A frame in the middle of being unpacked.
pub(super) struct Lz4 {
    decoder: FrameDecoder<Fed>,
    /// Flags and largest block of the frame, once its header was read.
    header: Option<(u8, usize)>,
    /// Unpacked bytes that wait to be given.
    left: usize,
}

impl Default for Lz4 {
    fn default() -> Self {
        Self { decoder: FrameDecoder::new(Fed::default()), header: None, left: 0 }
    }
}

impl Lz4 {
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        if self.left > 0 {
            return self.give(0, output);
        }
        match self.unit(input) {
            Err(message) => Step { taken: 0, given: 0, state: State::Broken(message.to_owned()) },
            Ok(bytes) if bytes > input.len() => Step { taken: 0, given: 0, state: State::Wants(bytes) },
            Ok(bytes) => self.feed(&input[..bytes], output),
        }
    }

    /// Bytes of the header or block that starts `input`, or of what is needed to know that.
    fn unit(&self, input: &[u8]) -> Result<usize, &'static str> {
        let Some((flags, block_bytes_max)) = self.header else {
            let Some(flags) = input.get(4) else { return Ok(7) };
            let size = if flags & CONTENT_SIZE != 0 { 8 } else { 0 };
            let dictionary = if flags & DICTIONARY != 0 { 4 } else { 0 };
            return Ok(7 + size + dictionary);
        };
        let Some(size) = input.first_chunk() else { return Ok(4) };
        let size = u32::from_le_bytes(*size);
        if size == 0 {
            return Ok(if flags & CONTENT_CHECKSUM != 0 { 8 } else { 4 });
        }
        let bytes = (size & !STORED) as usize;
        if bytes > block_bytes_max {
            return Err("a block is larger than the frame's header says");
        }
        Ok(4 + bytes + if flags & BLOCK_CHECKSUMS != 0 { 4 } else { 0 })
    }

    fn feed(&mut self, unit: &[u8], output: &mut [u8]) -> Step {
        let fed = self.decoder.get_mut();
        fed.bytes.clear();
        fed.bytes.extend_from_slice(unit);
        fed.at = 0;
        let is_end = self.header.is_some() && unit.starts_with(&[0; 4]);
        let unpacked = self.decoder.fill_buf().map(<[u8]>::len);
        match unpacked {
            Err(error) => Step { taken: unit.len(), given: 0, state: State::Broken(error.to_string()) },
            Ok(_) if is_end => Step { taken: unit.len(), given: 0, state: State::End },
            Ok(bytes) => {
                if self.header.is_none() {
                    let (flags, sizes) = (unit[4], unit[5]);
                    self.header = Some((flags, 1 << (8 + 2 * (sizes >> 4 & 7))));
                }
                self.left = bytes;
                self.give(unit.len(), output)
            }
        }
    }

    fn give(&mut self, taken: usize, output: &mut [u8]) -> Step {
        let given = self.left.min(output.len());
        if given > 0 {
            // It holds all that is left, so this reads nothing.
            if let Ok(ready) = self.decoder.fill_buf() {
                output[..given].copy_from_slice(&ready[..given]);
            }
            self.decoder.consume(given);
            self.left -= given;
        }
        Step { taken, given, state: State::More }
    }
}
