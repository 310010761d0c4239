//! Raw bytes to unpacked bytes, in segments.
//!
//! A file is a sequence of segments: gzip members, or a plain run. Each is told by its first bytes, so a file may mix
//! them. The record reader sees unpacked bytes and the ends of segments, which are where damage stops; it never sees
//! how they were packed. Another packing is another [`Kind`].

use std::io;

use flate2::{Decompress, FlushDecompress, Status};

use super::input::Input;
use super::record::{find_record, starts_record};
use super::window::Window;
use crate::Limits;

/// Unpacked bytes made ready at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// Packed bytes that are enough to see how a gzip member's content starts.
const PROBE_BYTES: usize = 1024;
/// Raw bytes searched at a time for the next gzip member.
const SCAN_BYTES: usize = 64 * 1024;

/// Where something lies: the file offset of its segment (of itself, in a plain run), and the unpacked bytes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) inner: u64,
}

/// How a segment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SegmentEnd {
    /// At its end.
    Clean,
    /// The file ended inside a gzip member.
    Cut,
    /// The gzip data is not gzip data from here on, or its checksum is wrong.
    Broken(String),
    /// It unpacks to too much.
    Bomb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Gzip,
}

#[derive(Debug)]
pub(super) struct Unpacker {
    input: Input,
    window: Window,
    inflate: Decompress,
    limits: Limits,
    kind: Kind,
    /// File offset of the segment.
    start: u64,
    /// Unpacked bytes of the segment that were consumed.
    inner: u64,
    end: Option<SegmentEnd>,
}

impl Unpacker {
    pub(super) fn new(input: Input, limits: Limits) -> Self {
        let start = input.offset();
        let end = Some(SegmentEnd::Clean); // nothing is open yet: the first `next_segment` opens the first one
        Self { input, window: Window::default(), inflate: gzip(), limits, kind: Kind::Plain, start, inner: 0, end }
    }

    pub(super) fn ready(&self) -> &[u8] {
        self.window.ready()
    }

    pub(super) fn is_plain(&self) -> bool {
        self.kind == Kind::Plain
    }

    pub(super) fn place(&self) -> Place {
        match self.kind {
            Kind::Plain => Place { offset: self.start + self.inner, inner: 0 },
            Kind::Gzip => Place { offset: self.start, inner: self.inner },
        }
    }

    /// Offset of the first byte of the file that no segment so far has taken in. In a plain run, of the next byte.
    pub(super) fn file_offset(&self) -> u64 {
        match self.kind {
            Kind::Plain => self.start + self.inner,
            Kind::Gzip => self.input.offset(),
        }
    }

    pub(super) fn end(&self) -> Option<&SegmentEnd> {
        self.end.as_ref()
    }

    /// Makes `want` bytes ready, or as many as the segment has; answers how many are.
    pub(super) fn fill(&mut self, want: usize) -> io::Result<usize> {
        while self.window.ready().len() < want && self.end.is_none() {
            match self.kind {
                Kind::Plain => self.copy_some()?,
                Kind::Gzip => self.inflate_some()?,
            }
        }
        Ok(self.window.ready().len())
    }

    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.window.ready().len());
        self.inner += count as u64;
        self.window.consume(count);
    }

    /// Goes on to the next segment; false at the end of the file. Behind a broken one, looks for the next gzip member
    /// that holds a record.
    pub(super) fn next_segment(&mut self) -> io::Result<bool> {
        self.window.clear();
        match self.end.take() {
            Some(SegmentEnd::Broken(_)) => {
                // The inflater may have run over the start of the next member before it noticed.
                self.input.go_back_to(self.start + 1);
                self.scan_for_member()?;
            }
            Some(SegmentEnd::Bomb) => self.scan_for_member()?,
            _ => self.skip_zeros()?,
        }
        self.start = self.input.offset();
        self.inner = 0;
        if self.input.fill(PROBE_BYTES)? == 0 {
            self.kind = Kind::Plain;
            self.end = Some(SegmentEnd::Clean);
            return Ok(false);
        }
        self.kind = if is_gzip_header(self.input.ready()) { Kind::Gzip } else { Kind::Plain };
        if self.kind == Kind::Gzip {
            self.inflate = gzip();
        }
        Ok(true)
    }

    /// Takes the next gzip member into this segment, if it does not start a record: some writers close members where
    /// they flush, not where records end.
    pub(super) fn join_next(&mut self) -> io::Result<bool> {
        if self.kind != Kind::Gzip || self.end != Some(SegmentEnd::Clean) {
            return Ok(false);
        }
        self.input.fill(PROBE_BYTES)?;
        let next = self.input.ready();
        if !is_gzip_header(next) || is_gzip_record(next) {
            return Ok(false);
        }
        self.inflate = gzip();
        self.end = None;
        Ok(true)
    }

    /// Whether a gzip member with a record starts here, in a plain run.
    pub(super) fn at_member(&mut self) -> io::Result<bool> {
        if self.kind != Kind::Plain {
            return Ok(false);
        }
        self.fill(PROBE_BYTES)?;
        Ok(is_gzip_record(self.window.ready()))
    }

    /// Ends the plain run here, so that the next segment starts here.
    pub(super) fn end_plain(&mut self) {
        debug_assert!(self.is_plain(), "only plain bytes can be put back");
        self.input.unread(self.window.ready());
        self.window.clear();
        self.end = Some(SegmentEnd::Clean);
    }

    /// Consumes damaged bytes up to where the next record starts, or to the end of the segment.
    pub(super) fn skip_to_record(&mut self) -> io::Result<()> {
        loop {
            // More may be ready; searching all of it after each damage would take quadratic time.
            let have = self.fill(SCAN_BYTES)?.min(SCAN_BYTES);
            let ready = &self.window.ready()[..have];
            let record = find_record(ready);
            let member = if self.is_plain() { find_member(ready) } else { None };
            if let Some(at) = [record, member].into_iter().flatten().min() {
                self.consume(at);
                return Ok(());
            }
            if have < SCAN_BYTES {
                self.consume(have);
                return Ok(());
            }
            self.consume(have - PROBE_BYTES);
        }
    }

    fn copy_some(&mut self) -> io::Result<()> {
        let have = self.input.fill(1)?;
        if have == 0 {
            self.end = Some(SegmentEnd::Clean);
            return Ok(());
        }
        let count = have.min(CHUNK_BYTES);
        self.window.space(count, 0)[..count].copy_from_slice(&self.input.ready()[..count]);
        self.window.commit(count);
        self.input.consume(count);
        Ok(())
    }

    fn inflate_some(&mut self) -> io::Result<()> {
        if self.input.fill(1)? == 0 {
            self.end = Some(SegmentEnd::Cut);
            return Ok(());
        }
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let space = self.window.space(CHUNK_BYTES, 0);
        let result = self.inflate.decompress(self.input.ready(), space, FlushDecompress::None);
        let (total_in, total_out) = (self.inflate.total_in(), self.inflate.total_out());
        let (taken, given) = ((total_in - before_in) as usize, (total_out - before_out) as usize);
        // Also behind an error: what was unpacked before it does not depend on how the bytes came in.
        self.input.consume(taken);
        self.window.commit(given);
        let ratio_exceeded =
            total_out > self.limits.block_bytes_max && total_out / total_in.max(1) > self.limits.inflate_ratio_max;
        match result {
            Ok(Status::StreamEnd) => self.end = Some(SegmentEnd::Clean),
            Ok(_) if ratio_exceeded => self.end = Some(SegmentEnd::Bomb),
            Ok(_) if taken > 0 || given > 0 => {}
            Ok(_) => self.end = Some(SegmentEnd::Broken("it makes no progress".to_owned())),
            Err(error) => {
                let message = error.message().filter(|message| *message != "repeated call with bad state");
                self.end = Some(SegmentEnd::Broken(message.unwrap_or("invalid deflate data").to_owned()));
            }
        }
        Ok(())
    }

    /// Some writers pad members to full disk blocks.
    fn skip_zeros(&mut self) -> io::Result<()> {
        while self.input.fill(1)? > 0 {
            let zeros = self.input.ready().iter().take_while(|b| **b == 0).count();
            if zeros == 0 {
                break;
            }
            self.input.consume(zeros);
        }
        Ok(())
    }

    fn scan_for_member(&mut self) -> io::Result<()> {
        loop {
            let have = self.input.fill(SCAN_BYTES)?.min(SCAN_BYTES);
            if let Some(at) = find_member(&self.input.ready()[..have]) {
                self.input.consume(at);
                return Ok(());
            }
            self.input.consume(if have < SCAN_BYTES { have } else { have - PROBE_BYTES });
            if have < SCAN_BYTES {
                return Ok(());
            }
        }
    }
}

/// A gzip inflater that checks the member's checksum.
fn gzip() -> Decompress {
    Decompress::new_gzip(15)
}

/// Method deflate, and none of the reserved flags.
fn is_gzip_header(bytes: &[u8]) -> bool {
    matches!(bytes, [0x1f, 0x8b, 0x08, flags, ..] if flags & 0xe0 == 0)
}

/// Whether `bytes` start a gzip member whose content starts a record.
fn is_gzip_record(bytes: &[u8]) -> bool {
    if !is_gzip_header(bytes) {
        return false;
    }
    let mut start = [0; 16];
    let mut inflate = gzip();
    let probe = &bytes[..bytes.len().min(PROBE_BYTES)];
    let _ = inflate.decompress(probe, &mut start, FlushDecompress::None);
    let given = &start[..(inflate.total_out() as usize).min(start.len())];
    let blank = given.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    starts_record(&given[blank..])
}

fn find_member(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].windows(3).position(|w| w == [0x1f, 0x8b, 0x08]) {
        if is_gzip_record(&bytes[from + at..]) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}
