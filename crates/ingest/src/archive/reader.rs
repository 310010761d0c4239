//! Unpacked segments to entries.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use warc::RecordType;

use super::grammar::Grammar;
use super::input::Input;
use super::packing::{DICTIONARY_MAGIC, Packing, dictionary, skippable_bytes};
use super::record::RecordHeader;
use super::unpack::{DICTIONARY_BYTES_MAX, Place, SegmentEnd, Unpacker};
use super::{Damage, DamageReason, Format, WarcRecord};
use crate::Limits;

/// One thing found in an archive.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A whole record.
    Record(WarcRecord),
    /// A place where there is none, though there should be.
    Damage(Damage),
}

/// The archive could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("open archive `{path}`")]
pub struct OpenError {
    path: PathBuf,
    source: io::Error,
}

/// The world failed, not the archive: reading it again may work.
#[derive(Debug, thiserror::Error)]
#[error("read archive `{name}` at byte {offset}")]
pub struct ReadError {
    name: String,
    offset: u64,
    source: io::Error,
}

impl ReadError {
    pub(super) fn new(name: &str, offset: u64, source: io::Error) -> Self {
        Self { name: name.to_owned(), offset, source }
    }
}

/// An iterator over the entries of an archive, in the order of the file. Ends after the first [`ReadError`].
#[derive(Debug)]
pub struct ArchiveReader {
    name: String,
    limits: Limits,
    size: Option<u64>,
    unpacker: Unpacker,
    ready: VecDeque<Entry>,
    /// Garbage before the first record: when none follows, the whole file is something else.
    held: Option<Damage>,
    records: u64,
    damages: u64,
    started: bool,
    done: bool,
}

/// First wish for a header; most have less.
const HEADER_BYTES_WISHED: usize = 4 * 1024;
/// How far behind a block the next record is looked for before its length is judged.
const BOUNDARY_BYTES: usize = 1024;
/// Bytes taken at a time of a block that is not kept.
const SKIP_BYTES: usize = 64 * 1024;

/// What stands behind a block.
enum Boundary {
    /// Another record, the end, or at least a blank line.
    Fits,
    /// More of the block, by all appearances.
    Contradicts,
}

impl ArchiveReader {
    /// Opens the archive at `path`.
    pub fn open(path: impl AsRef<Path>, limits: Limits) -> Result<Self, OpenError> {
        Self::open_at(path, 0, limits)
    }

    /// Opens the archive at `path` and reads from `offset`, where a record starts.
    pub fn open_at(path: impl AsRef<Path>, offset: u64, limits: Limits) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let failed = |source| OpenError { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let dictionary = if offset > 0 { read_dictionary(&mut file).map_err(failed)? } else { None };
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let mut reader = Self::new_at(file, name, offset, limits);
        reader.size = Some(size);
        if let Some(dictionary) = dictionary {
            reader.unpacker.set_dictionary(dictionary);
        }
        Ok(reader)
    }

    /// Reads the archive that `source` gives; `name` stands in messages and provenance.
    pub fn new(source: impl Read + Send + 'static, name: impl Into<String>, limits: Limits) -> Self {
        Self::new_at(source, name, 0, limits)
    }

    /// Like [`Self::new`], for a part of an archive that starts at `offset`, such as a byte range of a remote one.
    pub fn new_at(source: impl Read + Send + 'static, name: impl Into<String>, offset: u64, limits: Limits) -> Self {
        Self {
            name: name.into(),
            limits,
            size: None,
            unpacker: Unpacker::new(Input::new(Box::new(source), offset), limits),
            ready: VecDeque::new(),
            held: None,
            records: 0,
            damages: 0,
            started: false,
            done: false,
        }
    }

    /// Reads another part of the file, or another file, with the memory that it has.
    pub(super) fn restart(&mut self, source: impl Read + Send + 'static, offset: u64) {
        self.unpacker.restart(Box::new(source), offset);
        self.ready.clear();
        self.held = None;
        self.done = false;
    }

    /// Makes it read a part of a file that another reader began: of this grammar, behind records or at the start.
    pub(super) fn within(&mut self, grammar: Grammar, behind_records: bool, damages: u64) {
        self.unpacker.set_grammar(grammar);
        self.started = true;
        self.records = u64::from(behind_records);
        self.damages = damages;
    }

    /// Name of the archive, without the folder it lies in.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The caps it reads under.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How far the file was read: for progress.
    pub fn bytes_read(&self) -> u64 {
        self.unpacker.file_offset()
    }

    /// Reads one thing and puts what it gives into `ready`.
    fn advance(&mut self) -> io::Result<()> {
        self.skip_blank()?;
        if self.unpacker.fill(1)? == 0 {
            return self.end_segment();
        }
        let start = self.unpacker.place();
        let mut other_format = None;
        if !self.started {
            self.started = true;
            self.unpacker.fill(Grammar::Arc.find_bytes())?;
            other_format = Format::of(self.unpacker.ready());
            self.unpacker.set_grammar(Grammar::of(self.unpacker.ready()));
        }
        let grammar = self.unpacker.grammar();
        self.unpacker.fill(grammar.find_bytes())?;
        if let Some(format) = other_format {
            let length = self.size.map_or(0, |size| size.saturating_sub(start.offset));
            self.push_damage(start, length, DamageReason::NotWarc(format), None);
            self.done = true;
            return Ok(());
        }
        if grammar.starts_record(self.unpacker.ready()) {
            return self.read_record(start);
        }
        if self.unpacker.at_packed_record()? {
            self.unpacker.end_plain();
            return Ok(());
        }
        self.resume(start, DamageReason::Garbage, None)
    }

    fn read_record(&mut self, start: Place) -> io::Result<()> {
        let Some(header_bytes) = self.find_header_end(start)? else { return Ok(()) };
        let (header, behind) = self.unpacker.ready().split_at(header_bytes);
        let header = self.unpacker.grammar().parse(header, behind);
        let says = match header.content_length() {
            Ok(length) => length,
            Err(value) => {
                self.unpacker.consume(header_bytes);
                return self.resume(start, DamageReason::NoLength { value }, header.uri());
            }
        };
        if says > self.limits.block_bytes_max {
            return self.skip_oversize(start, &header, header_bytes, says);
        }

        let total = header_bytes + says as usize;
        let mut have = self.unpacker.fill(total)?;
        while have < total && self.unpacker.join_next()? {
            have = self.unpacker.fill(total)?;
        }
        if have < total {
            return self.lose_short(start, &header, header_bytes, says);
        }
        if let Boundary::Contradicts = self.boundary(total)? {
            return self.lose_contradicted(start, &header, header_bytes, says);
        }

        let block = self.unpacker.take(total).slice(header_bytes..);
        let blank = self.skip_blank()?;
        let at_end = self.unpacker.fill(1)? == 0;
        let end = if at_end { self.unpacker.end().cloned() } else { None };
        let length = if self.unpacker.is_plain() {
            total as u64 + blank.min(self.unpacker.grammar().tail_bytes())
        } else if at_end && start.inner == 0 {
            self.unpacker.file_offset() - start.offset
        } else {
            0
        };
        let uri = header.uri();
        let record = WarcRecord {
            offset: start.offset,
            inner_offset: start.inner,
            length,
            version: header.version.clone(),
            record_type: RecordType::from(header.field("warc-type").unwrap_or_default()),
            headers: header.fields,
            block,
        };
        match end {
            // A wrong checksum says that something in the member is wrong, maybe in this record.
            Some(SegmentEnd::Broken(..) | SegmentEnd::Bomb) => self.lose_segment(start, uri),
            Some(SegmentEnd::Cut) => {
                self.push_record(record);
                self.push_damage(start, length, DamageReason::CutAfterRecord, None);
                self.open_next().map(drop)
            }
            Some(SegmentEnd::Clean) | None => {
                self.push_record(record);
                Ok(())
            }
        }
    }

    /// Length of the header that starts here. `None` when there is none; that is dealt with then.
    fn find_header_end(&mut self, start: Place) -> io::Result<Option<usize>> {
        let mut want = HEADER_BYTES_WISHED;
        loop {
            let have = self.unpacker.fill(want)?;
            let searched = &self.unpacker.ready()[..have.min(self.limits.header_bytes_max)];
            if let Some(end) = self.unpacker.grammar().header_end(searched) {
                return Ok(Some(end));
            }
            if have >= self.limits.header_bytes_max {
                self.unpacker.consume(self.unpacker.grammar().start_bytes());
                self.resume(start, DamageReason::HeaderEndless { bytes: self.limits.header_bytes_max }, None)?;
                return Ok(None);
            }
            if have >= want {
                want = (have * 2).min(self.limits.header_bytes_max);
            } else if !self.unpacker.join_next()? {
                self.lose_header(start, have)?;
                return Ok(None);
            }
        }
    }

    /// The segment ends in a record's header.
    fn lose_header(&mut self, start: Place, have: usize) -> io::Result<()> {
        if self.unpacker.end() != Some(&SegmentEnd::Clean) {
            return self.lose_segment(start, None);
        }
        let is_plain = self.unpacker.is_plain();
        self.unpacker.consume(self.unpacker.grammar().start_bytes());
        let reason = if is_plain { DamageReason::Cut } else { DamageReason::HeaderEndless { bytes: have } };
        self.resume(start, reason, None)
    }

    /// The segment ends before the block does.
    fn lose_short(&mut self, start: Place, header: &RecordHeader, header_bytes: usize, says: u64) -> io::Result<()> {
        if self.unpacker.end() != Some(&SegmentEnd::Clean) {
            return self.lose_segment(start, header.uri());
        }
        let behind_header = &self.unpacker.ready()[header_bytes..];
        let next = self.unpacker.grammar().find_record(behind_header);
        let found = next.unwrap_or(behind_header.len());
        let reason = if next.is_none() && self.unpacker.is_plain() {
            DamageReason::Cut
        } else {
            DamageReason::TooLong { says, found: found as u64 }
        };
        self.unpacker.consume(header_bytes + found);
        self.push_damage_until_here(start, reason, header.uri())
    }

    /// What stands behind the block is neither a record nor an end: the length is wrong, one way or the other.
    fn lose_contradicted(
        &mut self,
        start: Place,
        header: &RecordHeader,
        header_bytes: usize,
        says: u64,
    ) -> io::Result<()> {
        let total = header_bytes + says as usize;
        let ready = self.unpacker.ready();
        let grammar = self.unpacker.grammar();
        let search_end = ready.len().min(total + grammar.find_bytes());
        if let Some(found) = grammar.find_record(&ready[header_bytes..search_end]) {
            self.unpacker.consume(header_bytes + found);
            return self.push_damage_until_here(
                start,
                DamageReason::TooLong { says, found: found as u64 },
                header.uri(),
            );
        }
        self.unpacker.consume(total);
        self.resume(start, DamageReason::TooShort { says }, header.uri())
    }

    fn boundary(&mut self, total: usize) -> io::Result<Boundary> {
        self.unpacker.fill(total + BOUNDARY_BYTES)?;
        let behind = &self.unpacker.ready()[total..];
        let blank = behind.iter().take_while(|b| is_blank(**b)).count();
        let grammar = self.unpacker.grammar();
        let is_ended = memchr::memchr_iter(b'\n', &behind[..blank]).count() >= grammar.tail_lines();
        let next = &behind[blank..];
        let is_packed = self.unpacker.is_plain() && Packing::of(next).is_some();
        let fits = next.is_empty() || is_ended || grammar.starts_record(next) || is_packed;
        Ok(if fits { Boundary::Fits } else { Boundary::Contradicts })
    }

    fn skip_oversize(&mut self, start: Place, header: &RecordHeader, header_bytes: usize, says: u64) -> io::Result<()> {
        self.unpacker.consume(header_bytes);
        let left =
            self.size.filter(|_| self.unpacker.is_plain()).map(|s| s.saturating_sub(self.unpacker.file_offset()));
        if let Some(found) = left.filter(|left| *left < says) {
            return self.resume(start, DamageReason::TooLong { says, found }, header.uri());
        }
        let mut missing = says;
        while missing > 0 {
            let have = self.unpacker.fill(missing.min(SKIP_BYTES as u64) as usize)?;
            let taken = (have as u64).min(missing);
            if taken == 0 && !self.unpacker.join_next()? {
                break;
            }
            self.unpacker.consume(taken as usize);
            missing -= taken;
        }
        if missing > 0 && self.unpacker.end() != Some(&SegmentEnd::Clean) {
            return self.lose_segment(start, header.uri());
        }
        let reason = if missing > 0 {
            DamageReason::TooLong { says, found: says - missing }
        } else {
            DamageReason::Oversize { bytes: says, limit: self.limits.block_bytes_max }
        };
        self.push_damage_until_here(start, reason, header.uri())
    }

    /// Reports damage that starts at `start`, and goes on at the next record of the segment, or at its end.
    fn resume(&mut self, start: Place, reason: DamageReason, uri: Option<String>) -> io::Result<()> {
        self.unpacker.skip_to_record()?;
        self.push_damage_until_here(start, reason, uri)
    }

    /// Reports that the segment's end took a record, and goes on at the next segment.
    fn lose_segment(&mut self, start: Place, uri: Option<String>) -> io::Result<()> {
        let reason = match self.unpacker.end() {
            Some(SegmentEnd::Broken(packing, message)) => {
                DamageReason::Packing { packing: packing.name(), message: message.clone() }
            }
            Some(SegmentEnd::Bomb) => DamageReason::Bomb { ratio: self.limits.inflate_ratio_max },
            _ => DamageReason::Cut,
        };
        let more = self.unpacker.next_segment()?;
        let length = self.unpacker.file_offset() - start.offset;
        self.push_damage(start, length, reason, uri);
        if !more {
            self.finish();
        }
        Ok(())
    }

    /// The segment has nothing more.
    fn end_segment(&mut self) -> io::Result<()> {
        let place = self.unpacker.place();
        if self.unpacker.end() == Some(&SegmentEnd::Clean) { self.open_next() } else { self.lose_segment(place, None) }
    }

    fn open_next(&mut self) -> io::Result<()> {
        if !self.unpacker.next_segment()? {
            self.finish();
        }
        Ok(())
    }

    fn finish(&mut self) {
        self.done = true;
        if let Some(mut damage) = self.held.take() {
            damage.reason = DamageReason::NotWarc(Format::Other);
            self.ready.push_back(Entry::Damage(damage));
        } else if self.records + self.damages == 0 && self.unpacker.is_zip() {
            let (reason, length) = (DamageReason::NotWarc(Format::Zip), self.unpacker.file_offset());
            self.ready.push_back(Entry::Damage(Damage { offset: 0, inner_offset: 0, length, reason, uri: None }));
        }
    }

    /// Consumes line ends and zero padding; answers how many bytes.
    fn skip_blank(&mut self) -> io::Result<u64> {
        let mut skipped = 0;
        while self.unpacker.fill(1)? > 0 {
            let blank = self.unpacker.ready().iter().take_while(|b| is_blank(**b)).count();
            if blank == 0 {
                break;
            }
            self.unpacker.consume(blank);
            skipped += blank as u64;
        }
        Ok(skipped)
    }

    fn push_record(&mut self, record: WarcRecord) {
        self.ready.extend(self.held.take().map(Entry::Damage));
        self.records += 1;
        self.ready.push_back(Entry::Record(record));
    }

    fn push_damage_until_here(&mut self, start: Place, reason: DamageReason, uri: Option<String>) -> io::Result<()> {
        self.skip_blank()?;
        let goes_on_in_member = self.unpacker.fill(1)? > 0 && !self.unpacker.is_plain();
        let length = if goes_on_in_member { 0 } else { self.unpacker.file_offset() - start.offset };
        self.push_damage(start, length, reason, uri);
        Ok(())
    }

    fn push_damage(&mut self, start: Place, length: u64, reason: DamageReason, uri: Option<String>) {
        // Broken packing around something that is no archive says nothing more about it.
        let is_same_trouble = uri.is_none() && matches!(reason, DamageReason::Packing { .. } | DamageReason::Cut);
        let is_held = reason == DamageReason::Garbage || (is_same_trouble && self.held.is_some());
        if self.records == 0 && is_held {
            let end = start.offset + length;
            let held = self.held.get_or_insert(Damage {
                offset: start.offset,
                inner_offset: start.inner,
                length,
                reason,
                uri,
            });
            held.length = held.length.max(end - held.offset);
            return;
        }
        self.ready.extend(self.held.take().map(Entry::Damage));
        self.damages += 1;
        self.ready.push_back(Entry::Damage(Damage {
            offset: start.offset,
            inner_offset: start.inner,
            length,
            reason,
            uri,
        }));
        if self.damages > self.limits.damages_max && !self.done {
            self.done = true;
            let offset = self.unpacker.file_offset();
            let length = self.size.map_or(0, |size| size.saturating_sub(offset));
            let reason = DamageReason::GivenUp { limit: self.limits.damages_max };
            self.ready.push_back(Entry::Damage(Damage { offset, inner_offset: 0, length, reason, uri: None }));
        }
    }
}

impl Iterator for ArchiveReader {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Some(Ok(entry));
            }
            if self.done {
                return None;
            }
            if let Err(source) = self.advance() {
                self.done = true;
                return Some(Err(ReadError::new(&self.name, self.bytes_read(), source)));
            }
        }
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0)
}

/// The dictionary at the start of a Zstandard file: frames in its middle can not be read without it.
fn read_dictionary(file: &mut File) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    file.by_ref().take(8).read_to_end(&mut head)?;
    let bytes = skippable_bytes(&head).filter(|_| head.starts_with(&DICTIONARY_MAGIC)).map(|bytes| bytes - 8);
    let Some(bytes) = bytes.filter(|bytes| *bytes <= DICTIONARY_BYTES_MAX as u64) else { return Ok(None) };
    let mut content = Vec::new();
    file.by_ref().take(bytes).read_to_end(&mut content)?;
    Ok(dictionary(&content, DICTIONARY_BYTES_MAX).ok())
}
