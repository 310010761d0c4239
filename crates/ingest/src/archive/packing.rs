//! How records are packed: gzip members, Zstandard or LZ4 frames, and how their starts look.

use std::io;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{Decoder, Operation};
use zstd::zstd_safe::DParameter;

use super::grammar::Grammar;
use super::lz4::{self, Lz4};

/// A frame whose window is larger than 2 to the power of this is refused: it would need that much memory. 8 MiB is what
/// the format asks decoders to support, and what levels up to 19 need.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// Packed bytes that are enough to see how a gzip member's content starts.
pub(super) const PROBE_BYTES: usize = 1024;
/// Packed bytes that hold the first block of a Zstandard frame, or a usual one of an LZ4 frame, before which it gives nothing.
pub(super) const FRAME_PROBE_BYTES: usize = 160 * 1024;

/// Magic number of the skippable frame that holds the dictionary of a `.warc.zst`.
pub(super) const DICTIONARY_MAGIC: [u8; 4] = [0x5d, 0x2a, 0x4d, 0x18];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
    Lz4,
    /// Bare deflate data: an entry of a zip.
    Deflate,
}

impl Packing {
    /// The packing of what starts here; `None` when nothing packed does.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            // Method deflate, and none of the reserved flags.
            [0x1f, 0x8b, 0x08, flags, ..] if flags & 0xe0 == 0 => Some(Self::Gzip),
            // The reserved bit of the frame's header.
            [0x28, 0xb5, 0x2f, 0xfd, descriptor, ..] if descriptor & 0x08 == 0 => Some(Self::Zstd),
            [0x04, 0x22, 0x4d, 0x18, ..] if lz4::is_frame(bytes) => Some(Self::Lz4),
            _ => None,
        }
    }

    /// The name in messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "Zstandard",
            Self::Lz4 => "LZ4",
            Self::Deflate => "deflate",
        }
    }

    /// Whether it comes in frames that give nothing before their first block, which may be long, is whole.
    pub(super) const fn is_framed(self) -> bool {
        matches!(self, Self::Zstd | Self::Lz4)
    }
}

/// Bytes of the skippable Zstandard frame that starts here, header included.
pub(super) fn skippable_bytes(bytes: &[u8]) -> Option<u64> {
    match bytes {
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] => Some(8 + u64::from(u32::from_le_bytes([*a, *b, *c, *d]))),
        _ => None,
    }
}

/// The dictionary in the content of its frame, which may be a Zstandard frame itself.
pub(super) fn dictionary(content: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
    if content.starts_with(&ZSTD_MAGIC) {
        return zstd::bulk::decompress(content, bytes_max);
    }
    Ok(content.to_vec())
}

/// What one step of unpacking did.
pub(super) struct Step {
    pub(super) taken: usize,
    pub(super) given: usize,
    pub(super) state: State,
}

/// Where it stands after the step.
pub(super) enum State {
    More,
    /// It goes on when this many bytes are at hand.
    Wants(usize),
    End,
    Broken(String),
}

/// An unpacker in the middle of a member or frame.
pub(super) enum Codec {
    Gzip(Decompress),
    Zstd(Decoder<'static>),
    Lz4(Box<Lz4>),
    Deflate(Decompress),
}

impl Codec {
    /// Starts a member or frame.
    pub(super) fn new(packing: Packing, dictionary: Option<&[u8]>) -> io::Result<Self> {
        Ok(match packing {
            // Checks the member's checksum, too.
            Packing::Gzip => Self::Gzip(Decompress::new_gzip(15)),
            Packing::Zstd => {
                let mut decoder = dictionary.map_or_else(Decoder::new, Decoder::with_dictionary)?;
                decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX))?;
                Self::Zstd(decoder)
            }
            Packing::Lz4 => Self::Lz4(Box::default()),
            Packing::Deflate => Self::Deflate(Decompress::new(false)),
        })
    }

    /// Starts the next member or frame of the same packing.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(inflate) => *inflate = Decompress::new_gzip(15),
            Self::Zstd(decoder) => decoder.reinit()?,
            Self::Lz4(lz4) => **lz4 = Lz4::default(),
            Self::Deflate(inflate) => inflate.reset(false),
        }
        Ok(())
    }

    pub(super) const fn packing(&self) -> Packing {
        match self {
            Self::Gzip(_) => Packing::Gzip,
            Self::Zstd(_) => Packing::Zstd,
            Self::Lz4(_) => Packing::Lz4,
            Self::Deflate(_) => Packing::Deflate,
        }
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match self {
            Self::Gzip(inflate) | Self::Deflate(inflate) => {
                let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
                let result = inflate.decompress(input, output, FlushDecompress::None);
                let taken = (inflate.total_in() - before_in) as usize;
                let given = (inflate.total_out() - before_out) as usize;
                let state = match result {
                    Ok(Status::StreamEnd) => State::End,
                    Ok(_) => State::More,
                    Err(error) => {
                        let message = error.message().filter(|message| *message != "repeated call with bad state");
                        State::Broken(message.unwrap_or("invalid deflate data").to_owned())
                    }
                };
                Step { taken, given, state }
            }
            Self::Zstd(decoder) => match decoder.run_on_buffers(input, output) {
                Ok(status) => {
                    let state = if status.remaining == 0 { State::End } else { State::More };
                    Step { taken: status.bytes_read, given: status.bytes_written, state }
                }
                Err(error) => Step { taken: 0, given: 0, state: State::Broken(error.to_string()) },
            },
            Self::Lz4(lz4) => lz4.step(input, output),
        }
    }
}

impl std::fmt::Debug for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.packing().name())
    }
}

/// Whether something packed starts here whose content starts a record.
pub(super) fn is_packed_record(bytes: &[u8], grammar: Grammar, dictionary: Option<&[u8]>) -> bool {
    let Some(packing) = Packing::of(bytes) else { return false };
    let Ok(mut codec) = Codec::new(packing, dictionary) else { return false };
    let probe = match packing {
        Packing::Gzip => &bytes[..bytes.len().min(PROBE_BYTES)],
        _ => bytes,
    };
    let mut start = vec![0; grammar.find_bytes()];
    let mut step = codec.step(probe, &mut start);
    if packing == Packing::Lz4 && step.given == 0 {
        // The first step takes its header.
        step = codec.step(&probe[step.taken..], &mut start);
    }
    let given = &start[..step.given.min(start.len())];
    let blank = given.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    grammar.starts_record(&given[blank..])
}

/// Where in damaged or plain bytes the next packed record starts.
pub(super) fn find_packed_record(bytes: &[u8], grammar: Grammar) -> Option<usize> {
    let gzip =
        memchr::memmem::find_iter(bytes, &[0x1f, 0x8b, 0x08]).find(|at| is_packed_record(&bytes[*at..], grammar, None));
    // What a frame holds shows only at the end of its first block, which may be far away; four bytes are rare enough.
    let frame = |magic| memchr::memmem::find_iter(bytes, magic).find(|at| Packing::of(&bytes[*at..]).is_some());
    [gzip, frame(&ZSTD_MAGIC), frame(&lz4::MAGIC)].into_iter().flatten().min()
}
