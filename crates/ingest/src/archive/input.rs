//! The raw bytes of a file, with their offsets, and a look back.

use std::fmt;
use std::io::{self, Read};

use super::window::Window;

/// One read from the source. 128 KiB: large enough that system calls do not show, small enough for a core's cache.
const READ_BYTES: usize = 128 * 1024;
/// How far consumed bytes can be looked at again. A decompressor that runs on over a damaged place notices within a few
/// KiB; what lies further back than this is taken as lost.
const LOOK_BACK_BYTES: usize = 64 * 1024;

pub(super) struct Input {
    source: Box<dyn Read + Send>,
    window: Window,
    /// File offset of the first ready byte.
    offset: u64,
    ended: bool,
}

impl Input {
    pub(super) fn new(source: Box<dyn Read + Send>, offset: u64) -> Self {
        Self { source, window: Window::default(), offset, ended: false }
    }

    /// Reads another source from here on, with the memory that it has.
    pub(super) fn restart(&mut self, source: Box<dyn Read + Send>, offset: u64) {
        self.window.clear();
        self.source = source;
        self.offset = offset;
        self.ended = false;
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn ready(&self) -> &[u8] {
        self.window.ready()
    }

    /// Reads until `want` bytes are ready or the file ends; answers how many are ready.
    pub(super) fn fill(&mut self, want: usize) -> io::Result<usize> {
        while self.window.ready().len() < want && !self.ended {
            let space = self.window.space(READ_BYTES, LOOK_BACK_BYTES);
            match self.source.read(space) {
                Ok(0) => self.ended = true,
                Ok(count) => self.window.commit(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.window.ready().len())
    }

    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.ready().len());
        self.offset += count as u64;
        self.window.consume(count);
    }

    /// Goes back to `offset`, or as near to it as the look back reaches.
    pub(super) fn go_back_to(&mut self, offset: u64) {
        let wanted = self.offset.saturating_sub(offset).min(LOOK_BACK_BYTES as u64);
        self.offset -= self.window.unconsume(wanted as usize) as u64;
    }

    /// Puts back bytes that were consumed last.
    pub(super) fn unread(&mut self, bytes: &[u8]) {
        self.offset -= bytes.len() as u64;
        self.window.unread(bytes);
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("offset", &self.offset).field("ended", &self.ended).finish_non_exhaustive()
    }
}
