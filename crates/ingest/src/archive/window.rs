//! A stretch of bytes that grows at the end and is consumed at the front.

use bytes::Bytes;

/// Free space is kept initialised, so that a reader can fill it without unsafe code and without zeroing it each time.
#[derive(Debug, Default)]
pub(super) struct Window {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

/// An idle window larger than this is given back: one big record must not hold its memory for the rest of the file.
const IDLE_BYTES_MAX: usize = 1024 * 1024;

/// A window doubles up to this, and then grows by it: the last doubling of a large one would be mostly empty.
const GROWTH_BYTES_MAX: usize = 2 * 1024 * 1024;

impl Window {
    pub(super) fn ready(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.start == self.end && self.bytes.len() > IDLE_BYTES_MAX {
            *self = Self::default();
        }
    }

    /// Takes the first `count` ready bytes out. Many of them take their memory with them instead of being copied, which
    /// would need it twice.
    pub(super) fn take(&mut self, count: usize) -> Bytes {
        let end = (self.start + count).min(self.end);
        if end - self.start <= IDLE_BYTES_MAX {
            let taken = Bytes::copy_from_slice(&self.bytes[self.start..end]);
            self.consume(count);
            return taken;
        }
        let rest = self.bytes[end..self.end].to_vec();
        let start = self.start;
        let mut bytes = std::mem::replace(&mut self.bytes, rest);
        (self.start, self.end) = (0, self.bytes.len());
        bytes.truncate(end);
        Bytes::from(bytes).slice(start..)
    }

    /// Steps back over bytes that were consumed and are still there; answers how many.
    pub(super) fn unconsume(&mut self, count: usize) -> usize {
        let count = count.min(self.start);
        self.start -= count;
        count
    }

    /// At least `count` free bytes at the end. Of the consumed bytes, the last `keep` stay.
    pub(super) fn space(&mut self, count: usize, keep: usize) -> &mut [u8] {
        if self.bytes.len() - self.end < count {
            let kept_from = self.start.saturating_sub(keep);
            self.bytes.copy_within(kept_from..self.end, 0);
            self.start -= kept_from;
            self.end -= kept_from;
            let wanted = self.end + count;
            if self.bytes.len() < wanted {
                let doubled = self.bytes.len() + self.bytes.len().min(GROWTH_BYTES_MAX);
                self.bytes.resize(wanted.max(doubled), 0);
            }
        }
        &mut self.bytes[self.end..]
    }

    /// The first `count` bytes of the free space are now ready.
    pub(super) fn commit(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    /// Puts `bytes` before what is ready.
    pub(super) fn unread(&mut self, bytes: &[u8]) {
        let mut all = bytes.to_vec();
        all.extend_from_slice(self.ready());
        *self = Self { start: 0, end: all.len(), bytes: all };
    }

    pub(super) fn clear(&mut self) {
        self.consume(self.end - self.start);
        self.start = 0;
        self.end = 0;
    }
}
