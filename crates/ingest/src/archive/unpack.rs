//! Raw bytes to unpacked bytes, in segments.
//!
//! A file is a sequence of segments: gzip members, Zstandard or LZ4 frames, or a plain run. Each is told by its first bytes,
//! so a file may mix them; and a zip is what stands between segments. The record reader sees unpacked bytes and the ends of segments, which are where damage stops; it
//! never sees how they were packed. Another packing is another [`Codec`].

use std::io::{self, Read};

use super::grammar::Grammar;
use super::input::Input;
use super::member::{Members, PACKED_BYTES_MAX};
use super::packing::{
    Codec, DICTIONARY_MAGIC, FRAME_PROBE_BYTES, PROBE_BYTES, Packing, State, dictionary, find_packed_record,
    is_packed_record, skippable_bytes,
};
use super::window::Window;
use super::zip::{self, Method, Part};
use crate::Limits;

/// Unpacked bytes made ready at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// Raw bytes searched at a time for the next packed record.
const SCAN_BYTES: usize = 64 * 1024;
/// First look for the end of a gzip member; most are shorter.
const MEMBER_BYTES_WISHED: usize = 64 * 1024;
/// Ends of a gzip member that are tried before it is streamed: bytes in its middle may look like the start of the next.
const MEMBER_ENDS_MAX: usize = 4;
/// Bytes of a Zstandard dictionary. 4 MiB: those in use have about one.
pub(super) const DICTIONARY_BYTES_MAX: usize = 4 * 1024 * 1024;

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
    /// The packed data is not what it should be from here on, or its checksum is wrong.
    Broken(Packing, String),
    /// It unpacks to too much.
    Bomb,
}

#[derive(Debug)]
pub(super) struct Unpacker {
    input: Input,
    window: Window,
    limits: Limits,
    grammar: Grammar,
    /// How the segment is packed; `None` in a plain run.
    packing: Option<Packing>,
    /// Kept from segment to segment: starting afresh costs more than small members do.
    codec: Option<Codec>,
    /// The codec has begun with this segment; until then it may be unpacked as a whole.
    begun: bool,
    members: Members,
    dictionary: Option<Vec<u8>>,
    zip: Zip,
    /// Packed and unpacked bytes of the member or frame that the codec is in.
    totals: (u64, u64),
    /// File offset of the segment.
    start: u64,
    /// Unpacked bytes of the segment that were consumed.
    inner: u64,
    end: Option<SegmentEnd>,
}

/// Where it stands in a zip.
#[derive(Debug, Default)]
struct Zip {
    /// The file is one.
    found: bool,
    /// Where the data of the entry ends that is read, if that is known.
    entry_end: Option<u64>,
    /// The entry that starts here is deflated.
    is_deflated: bool,
}

impl Unpacker {
    pub(super) fn new(input: Input, limits: Limits) -> Self {
        let start = input.offset();
        Self {
            input,
            window: Window::default(),
            limits,
            grammar: Grammar::Warc,
            packing: None,
            codec: None,
            begun: false,
            members: Members::default(),
            dictionary: None,
            zip: Zip::default(),
            totals: (0, 0),
            start,
            inner: 0,
            // Nothing is open yet: the first `next_segment` opens the first one.
            end: Some(SegmentEnd::Clean),
        }
    }

    /// Reads another source from here on, with the memory and the codec that it has.
    pub(super) fn restart(&mut self, source: Box<dyn Read + Send>, offset: u64) {
        self.input.restart(source, offset);
        self.window.clear();
        self.packing = None;
        self.begun = false;
        self.dictionary = None;
        self.zip = Zip::default();
        self.start = offset;
        self.inner = 0;
        self.end = Some(SegmentEnd::Clean);
    }

    /// Whether the file is a zip.
    pub(super) fn is_zip(&self) -> bool {
        self.zip.found
    }

    pub(super) fn grammar(&self) -> Grammar {
        self.grammar
    }

    pub(super) fn set_grammar(&mut self, grammar: Grammar) {
        self.grammar = grammar;
    }

    /// The dictionary of the file, where reading starts behind it.
    pub(super) fn set_dictionary(&mut self, dictionary: Vec<u8>) {
        self.dictionary = Some(dictionary);
    }

    pub(super) fn ready(&self) -> &[u8] {
        self.window.ready()
    }

    pub(super) fn is_plain(&self) -> bool {
        self.packing.is_none()
    }

    pub(super) fn place(&self) -> Place {
        if self.is_plain() {
            Place { offset: self.start + self.inner, inner: 0 }
        } else {
            Place { offset: self.start, inner: self.inner }
        }
    }

    /// Offset of the first byte of the file that no segment so far has taken in. In a plain run, of the next byte.
    pub(super) fn file_offset(&self) -> u64 {
        if self.is_plain() { self.start + self.inner } else { self.input.offset() }
    }

    pub(super) fn end(&self) -> Option<&SegmentEnd> {
        self.end.as_ref()
    }

    /// Makes `want` bytes ready, or as many as the segment has; answers how many are.
    pub(super) fn fill(&mut self, want: usize) -> io::Result<usize> {
        while self.window.ready().len() < want && self.end.is_none() {
            if self.is_plain() {
                self.copy_some()?;
            } else if self.begun || !self.unpack_member()? {
                self.unpack_some()?;
            }
        }
        Ok(self.window.ready().len())
    }

    /// Takes the first `count` ready bytes out; what lies behind them stays.
    pub(super) fn take(&mut self, count: usize) -> bytes::Bytes {
        self.inner += count as u64;
        self.window.take(count)
    }

    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.window.ready().len());
        self.inner += count as u64;
        self.window.consume(count);
    }

    /// Goes on to the next segment; false at the end of the file. Behind a broken one, looks for the next packed record.
    pub(super) fn next_segment(&mut self) -> io::Result<bool> {
        self.window.clear();
        match self.end.take() {
            Some(SegmentEnd::Broken(..)) => {
                // The decompressor may have run over the start of the next member before it noticed.
                self.input.go_back_to(self.start + 1);
                // One that broke at its first byte was not consumed at all.
                if self.input.offset() == self.start {
                    self.input.consume(1);
                }
                self.scan_for_packed_record()?;
            }
            Some(SegmentEnd::Bomb) => self.scan_for_packed_record()?,
            _ => self.skip_padding()?,
        }
        self.start = self.input.offset();
        self.inner = 0;
        if self.input.fill(PROBE_BYTES)? == 0 {
            self.packing = None;
            self.end = Some(SegmentEnd::Clean);
            return Ok(false);
        }
        let is_deflated = std::mem::take(&mut self.zip.is_deflated);
        self.packing = if is_deflated { Some(Packing::Deflate) } else { Packing::of(self.input.ready()) };
        self.begun = false;
        Ok(true)
    }

    /// Takes the next member or frame into this segment, if it does not start a record: some writers close members where
    /// they flush, not where records end.
    pub(super) fn join_next(&mut self) -> io::Result<bool> {
        if self.is_plain() || self.end != Some(SegmentEnd::Clean) {
            return Ok(false);
        }
        let is_framed = self.packing.is_some_and(Packing::is_framed);
        self.input.fill(if is_framed { FRAME_PROBE_BYTES } else { PROBE_BYTES })?;
        let next = self.input.ready();
        if Packing::of(next) != self.packing || is_packed_record(next, self.grammar, self.dictionary.as_deref()) {
            return Ok(false);
        }
        self.begun = false;
        self.end = None;
        Ok(true)
    }

    /// Whether a packed record starts here, in a plain run.
    pub(super) fn at_packed_record(&mut self) -> io::Result<bool> {
        if !self.is_plain() {
            return Ok(false);
        }
        self.fill(PROBE_BYTES)?;
        let ready = self.window.ready();
        // What is found has to be taken here, too, or nobody would ever get past it: a frame by its header alone.
        let is_frame = Packing::of(ready).is_some_and(Packing::is_framed);
        Ok(is_frame || is_packed_record(ready, self.grammar, self.dictionary.as_deref()))
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
        let mut within_line = false;
        loop {
            // More may be ready; searching all of it after each damage would take quadratic time.
            let have = self.fill(SCAN_BYTES)?.min(SCAN_BYTES);
            let ready = &self.window.ready()[..have];
            let from = if within_line { self.grammar.next_start(ready) } else { 0 };
            let record = self.grammar.find_record(&ready[from..]).map(|at| from + at);
            let packed = if self.is_plain() { find_packed_record(ready, self.grammar) } else { None };
            if let Some(at) = [record, packed].into_iter().flatten().min() {
                self.consume(at);
                return Ok(());
            }
            if have < SCAN_BYTES {
                self.consume(have);
                return Ok(());
            }
            self.consume(have - PROBE_BYTES.max(self.grammar.find_bytes()));
            within_line = true;
        }
    }

    fn copy_some(&mut self) -> io::Result<()> {
        let mut have = self.input.fill(1)?;
        if let Some(end) = self.zip.entry_end {
            have = have.min(end.saturating_sub(self.input.offset()) as usize);
        }
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

    /// Unpacks the gzip member that starts here at once; false where that can not be done.
    fn unpack_member(&mut self) -> io::Result<bool> {
        if self.packing != Some(Packing::Gzip) {
            return Ok(false);
        }
        let (mut want, mut from, mut tried) = (MEMBER_BYTES_WISHED, 1, 0);
        loop {
            let have = self.input.fill(want)?;
            while let Some(at) = memchr::memmem::find(&self.input.ready()[from..], &[0x1f, 0x8b, 0x08]) {
                let end = from + at;
                from = end + 1;
                if Packing::of(&self.input.ready()[end..]).is_none() {
                    continue;
                }
                if self.unpack_until(end) {
                    return Ok(true);
                }
                tried += 1;
                if tried == MEMBER_ENDS_MAX {
                    return Ok(false);
                }
            }
            if have < want {
                return Ok(self.unpack_until(have));
            }
            if have >= PACKED_BYTES_MAX {
                return Ok(false);
            }
            // The four bytes may lie across the end of what is at hand.
            from = from.max(have - 3);
            want = have * 2;
        }
    }

    /// Unpacks the ready bytes before `end`, if they are one member.
    fn unpack_until(&mut self, end: usize) -> bool {
        let member = &self.input.ready()[..end];
        let Some(length) = Members::unpacked_bytes(member) else { return false };
        let space = &mut self.window.space(length, 0)[..length];
        if !self.members.unpack(member, space) {
            return false;
        }
        self.window.commit(length);
        self.input.consume(end);
        self.end = Some(SegmentEnd::Clean);
        true
    }

    fn begin(&mut self, packing: Packing) -> io::Result<()> {
        match &mut self.codec {
            Some(codec) if codec.packing() == packing => codec.restart()?,
            codec => *codec = Some(Codec::new(packing, self.dictionary.as_deref())?),
        }
        self.begun = true;
        self.totals = (0, 0);
        Ok(())
    }

    fn unpack_some(&mut self) -> io::Result<()> {
        if self.input.fill(1)? == 0 {
            self.end = Some(SegmentEnd::Cut);
            return Ok(());
        }
        let packing = self.packing.unwrap_or(Packing::Gzip);
        if !self.begun {
            self.begin(packing)?;
        }
        let Some(codec) = &mut self.codec else { return Ok(()) };
        let step = codec.step(self.input.ready(), self.window.space(CHUNK_BYTES, 0));
        // Also behind an error: what was unpacked before it does not depend on how the bytes came in.
        self.input.consume(step.taken);
        self.window.commit(step.given);
        self.totals = (self.totals.0 + step.taken as u64, self.totals.1 + step.given as u64);
        let (packed, unpacked) = self.totals;
        let ratio_exceeded =
            unpacked > self.limits.block_bytes_max && unpacked / packed.max(1) > self.limits.inflate_ratio_max;
        match step.state {
            State::End => self.end = Some(SegmentEnd::Clean),
            State::Wants(bytes) => {
                let have = self.input.fill(bytes)?;
                if have < bytes {
                    self.input.consume(have);
                    self.end = Some(SegmentEnd::Cut);
                }
            }
            State::More if ratio_exceeded => self.end = Some(SegmentEnd::Bomb),
            State::More if step.taken > 0 || step.given > 0 => {}
            State::More => self.end = Some(SegmentEnd::Broken(packing, "it makes no progress".to_owned())),
            State::Broken(message) => self.end = Some(SegmentEnd::Broken(packing, message)),
        }
        Ok(())
    }

    /// Passes over what stands between segments: zeros up to full disk blocks, frames that Zstandard skips, of which the one
    /// with the dictionary is taken, and in a zip all but its archives.
    fn skip_padding(&mut self) -> io::Result<()> {
        loop {
            self.input.fill(PROBE_BYTES)?;
            let zeros = self.input.ready().iter().take_while(|b| **b == 0).count();
            if zeros > 0 {
                self.input.consume(zeros);
            } else if let Some(bytes) = skippable_bytes(self.input.ready()) {
                self.skip_frame(bytes)?;
            } else if !self.skip_zip_part()? {
                return Ok(());
            }
        }
    }

    /// Passes over the part of a zip that starts here; false where none does, or the data of an archive comes next.
    fn skip_zip_part(&mut self) -> io::Result<bool> {
        self.zip.found |= self.input.offset() == 0 && zip::is_zip(self.input.ready());
        let is_within_entry = self.zip.entry_end.is_some_and(|end| self.input.offset() < end);
        if !self.zip.found || is_within_entry {
            return Ok(false);
        }
        self.zip.entry_end = None;
        self.input.fill(zip::HEADER_BYTES_MAX)?;
        let entry = match zip::part(self.input.ready()) {
            None => return Ok(false),
            Some(Part::Directory) => {
                self.skip(u64::MAX)?;
                return Ok(true);
            }
            Some(Part::Descriptor) => {
                self.skip_to_zip_part()?;
                return Ok(true);
            }
            Some(Part::Entry(entry)) => entry,
        };
        self.input.consume(entry.header_bytes);
        let is_read = entry.is_archive && entry.method != Method::Other && entry.packed_bytes != Some(0);
        match (is_read, entry.packed_bytes) {
            (true, packed_bytes) => {
                self.zip.entry_end = packed_bytes.map(|bytes| self.input.offset().saturating_add(bytes));
                self.zip.is_deflated = entry.method == Method::Deflated;
            }
            (false, Some(bytes)) => self.skip(bytes)?,
            (false, None) => self.skip_to_zip_part()?,
        }
        Ok(!is_read)
    }

    fn skip_to_zip_part(&mut self) -> io::Result<()> {
        // Past the descriptor's own start.
        self.input.consume(1);
        loop {
            let have = self.input.fill(SCAN_BYTES + zip::HEADER_BYTES_MAX)?;
            if let Some(at) = zip::find_part(self.input.ready()) {
                self.input.consume(at);
                return Ok(());
            }
            let is_last = have < SCAN_BYTES + zip::HEADER_BYTES_MAX;
            self.input.consume(if is_last { have } else { SCAN_BYTES });
            if is_last {
                return Ok(());
            }
        }
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let mut left = bytes;
        while left > 0 && self.input.fill(1)? > 0 {
            let count = left.min(self.input.ready().len() as u64);
            self.input.consume(count as usize);
            left -= count;
        }
        Ok(())
    }

    fn skip_frame(&mut self, bytes: u64) -> io::Result<()> {
        let is_dictionary = self.input.ready().starts_with(&DICTIONARY_MAGIC);
        if is_dictionary && bytes <= DICTIONARY_BYTES_MAX as u64 {
            let have = self.input.fill(bytes as usize)?;
            let content = &self.input.ready()[8..have.min(bytes as usize)];
            // Without it the frames are broken, and say so.
            self.dictionary = dictionary(content, DICTIONARY_BYTES_MAX).ok();
            self.codec = None;
        }
        self.skip(bytes)
    }

    fn scan_for_packed_record(&mut self) -> io::Result<()> {
        loop {
            let have = self.input.fill(SCAN_BYTES)?.min(SCAN_BYTES);
            if let Some(at) = find_packed_record(&self.input.ready()[..have], self.grammar) {
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
