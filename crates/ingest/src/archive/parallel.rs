//! One archive, several threads.
//!
//! Gzip members with a record each are independent: the caller's thread cuts the file into batches where such members
//! start, workers read a batch each with an [`ArchiveReader`] of its own, and what they make comes out in the order of
//! the file. A cut may be wrong (an archive inside of an archive looks the same) and damage may reach over it; so a batch
//! counts only when it ends with a whole record. One that does not is read again together with the next, and what can
//! not be cut at all is read by one thread. Either way the entries are those of the reader alone.

use std::collections::VecDeque;
use std::io::{self, Cursor, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use bytes::Bytes;

use super::grammar::Grammar;
use super::packing::{Packing, find_packed_record, is_packed_record};
use super::{ArchiveReader, Entry, ReadError};
use crate::Limits;

/// Packed bytes of a batch: some tens of records, so that handing over costs nothing beside reading.
const BATCH_BYTES: usize = 256 * 1024;
/// How far behind a batch's size the place to cut it is looked for at first; what was read and not cut off is copied.
const SEARCH_BYTES: usize = 64 * 1024;
/// A batch that finds no place to be cut within this is no batch.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Unpacked bytes that a batch may hold until its turn comes. More of them are read by one thread, which holds one record.
const UNPACKED_BYTES_MAX: usize = 12 * 1024 * 1024;
/// Batches on their way for each worker: one in work and one waiting.
const BATCHES_PER_WORKER: usize = 2;

/// What to read.
#[derive(Debug, Clone)]
pub struct ParallelRead {
    /// Name of the archive in messages and provenance.
    pub name: String,
    /// The caps to read under.
    pub limits: Limits,
    /// Threads that unpack and read, beside the caller's, which fetches; at least 2 to be of use.
    pub threads: usize,
}

struct Job<T> {
    offset: u64,
    bytes: Bytes,
    answer: SyncSender<(Bytes, Answer<T>)>,
}

struct Sent<T> {
    offset: u64,
    /// The batch comes back with the answer: to be read again, or as memory for another one.
    answer: Receiver<(Bytes, Answer<T>)>,
}

/// What became of a batch.
enum Answer<T> {
    /// It ends with a whole record.
    Whole { made: Vec<T>, damages: u64 },
    /// What its end means depends on what follows, or it is too large to hold.
    Open,
}

impl ParallelRead {
    /// Reads the archive that `source` gives. `make` turns an entry into what the caller wants, on any thread; `emit` gets
    /// all of that in order, on this one, until it answers false.
    pub fn run<T: Send>(
        &self,
        source: impl Read + Send + 'static,
        make: impl Fn(Entry) -> T + Sync,
        mut emit: impl FnMut(T) -> bool,
    ) -> Result<(), ReadError> {
        let mut cutter = Cutter::new(Box::new(source));
        let failed = |offset, source| ReadError::new(&self.name, offset, source);
        let grammar = cutter.grammar().map_err(|error| failed(0, error))?;
        let (Some(grammar), true) = (grammar, self.threads > 1) else {
            let reader = self.reader(cutter.into_rest(VecDeque::new()), 0);
            return read_all(reader, &make, &mut emit);
        };
        let (jobs, queue) = sync_channel::<Job<T>>(self.threads * BATCHES_PER_WORKER);
        let queue = Mutex::new(queue);
        let rest = thread::scope(|scope| {
            // Dropped when this closure ends, which ends the workers.
            let jobs = jobs;
            for _ in 0..self.threads {
                scope.spawn(|| {
                    // One reader a thread: its memory is touched once, not for each batch.
                    let mut reader = self.reader(io::empty(), 0);
                    loop {
                        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok(Job { offset, bytes, answer }) = job else { break };
                        let read = read_batch(&mut reader, &bytes, offset, grammar, &make);
                        // A caller that has stopped takes no answers.
                        drop(answer.send((bytes, read)));
                    }
                });
            }
            self.read_batches(&mut cutter, &jobs, grammar, &make, &mut emit)
        });
        match rest.map_err(|(offset, error)| failed(offset, error))? {
            Outcome::Done => Ok(()),
            Outcome::Rest { offset, damages, sent } => {
                let mut reader = self.reader(cutter.into_rest(sent), offset);
                reader.within(grammar, offset > 0, damages);
                read_all(reader, &make, &mut emit)
            }
        }
    }

    fn read_batches<T: Send>(
        &self,
        cutter: &mut Cutter,
        jobs: &SyncSender<Job<T>>,
        grammar: Grammar,
        make: &(impl Fn(Entry) -> T + Sync),
        emit: &mut impl FnMut(T) -> bool,
    ) -> Result<Outcome, (u64, io::Error)> {
        let mut sent: VecDeque<Sent<T>> = VecDeque::new();
        let mut damages_so_far = 0;
        let mut more = true;
        loop {
            while more && sent.len() < self.threads * BATCHES_PER_WORKER {
                let offset = cutter.offset;
                let Some(bytes) = cutter.next(grammar).map_err(|error| (offset, error))? else {
                    more = false;
                    break;
                };
                let (answer, receiver) = sync_channel(1);
                sent.push_back(Sent { offset, answer: receiver });
                if jobs.send(Job { offset, bytes, answer }).is_err() {
                    break;
                }
            }
            let Some(batch) = sent.pop_front() else {
                // Either the end, or what could not be cut.
                let rest = Outcome::Rest { offset: cutter.offset, damages: damages_so_far, sent: VecDeque::new() };
                return Ok(if cutter.is_done() { Outcome::Done } else { rest });
            };
            let offset = batch.offset;
            // A worker that has died of a panic answers nothing; the panic comes out where the scope ends.
            let Ok((bytes, mut answer)) = batch.answer.recv() else { return Ok(Outcome::Done) };
            let mut held = VecDeque::from([bytes]);
            if matches!(answer, Answer::Open)
                && let Some(next) = sent.pop_front()
            {
                let Ok((bytes, _)) = next.answer.recv() else { return Ok(Outcome::Done) };
                held.push_back(bytes);
                let joined = held.iter().flatten().copied().collect::<Vec<u8>>();
                let mut reader = self.reader(io::empty(), 0);
                answer = read_batch(&mut reader, &Bytes::from(joined), offset, grammar, make);
            }
            match answer {
                Answer::Whole { made, damages } if damages_so_far + damages <= self.limits.damages_max => {
                    damages_so_far += damages;
                    cutter.take_back(held);
                    if !made.into_iter().all(&mut *emit) {
                        return Ok(Outcome::Done);
                    }
                }
                _ => {
                    for batch in sent {
                        let Ok((bytes, _)) = batch.answer.recv() else { return Ok(Outcome::Done) };
                        held.push_back(bytes);
                    }
                    return Ok(Outcome::Rest { offset, damages: damages_so_far, sent: held });
                }
            }
        }
    }

    fn reader(&self, source: impl Read + Send + 'static, offset: u64) -> ArchiveReader {
        ArchiveReader::new_at(source, self.name.clone(), offset, self.limits)
    }
}

/// Reads a batch, and lets go of its bytes.
fn read_batch<T>(
    reader: &mut ArchiveReader,
    bytes: &Bytes,
    offset: u64,
    grammar: Grammar,
    make: &impl Fn(Entry) -> T,
) -> Answer<T> {
    reader.restart(Cursor::new(bytes.clone()), offset);
    reader.within(grammar, offset > 0, 0);
    let end = offset + bytes.len() as u64;
    let answer = read_entries(reader, end, make);
    reader.restart(io::empty(), 0);
    answer
}

fn read_entries<T>(reader: &mut ArchiveReader, end: u64, make: &impl Fn(Entry) -> T) -> Answer<T> {
    let (mut made, mut damages, mut unpacked, mut ends_whole) = (Vec::new(), 0, 0, false);
    for entry in reader {
        let Ok(entry) = entry else { return Answer::Open };
        match &entry {
            Entry::Record(record) => {
                unpacked += record.block.len();
                ends_whole = record.offset + record.length <= end;
            }
            Entry::Damage(_) => {
                damages += 1;
                ends_whole = false;
            }
        }
        if unpacked > UNPACKED_BYTES_MAX {
            return Answer::Open;
        }
        made.push(make(entry));
    }
    if ends_whole { Answer::Whole { made, damages } } else { Answer::Open }
}

fn read_all<T>(
    reader: ArchiveReader,
    make: &impl Fn(Entry) -> T,
    emit: &mut impl FnMut(T) -> bool,
) -> Result<(), ReadError> {
    for entry in reader {
        if !emit(make(entry?)) {
            break;
        }
    }
    Ok(())
}

/// How the batches ended.
enum Outcome {
    /// Nothing is left, or nothing is wanted.
    Done,
    /// From here on one thread has to read: these batches, and what was not cut yet.
    Rest { offset: u64, damages: u64, sent: VecDeque<Bytes> },
}

/// Cuts a stream where packed records start.
struct Cutter {
    source: Box<dyn Read + Send>,
    bytes: Vec<u8>,
    /// File offset of the first of `bytes`.
    offset: u64,
    ended: bool,
    /// Memory of batches that were read.
    spare: Vec<Vec<u8>>,
}

impl Cutter {
    fn new(source: Box<dyn Read + Send>) -> Self {
        Self { source, bytes: Vec::new(), offset: 0, ended: false, spare: Vec::new() }
    }

    /// Takes the memory of batches that were read for those to come.
    fn take_back(&mut self, batches: VecDeque<Bytes>) {
        // Nobody else has them any more; if somebody had, they would be freed later.
        let memory = batches.into_iter().filter_map(|batch| batch.try_into_mut().ok());
        self.spare.extend(memory.map(Vec::<u8>::from));
    }

    /// The grammar of the file, if it starts with a packed record.
    fn grammar(&mut self) -> io::Result<Option<Grammar>> {
        self.fill(BATCH_BYTES)?;
        let is_gzip = Packing::of(&self.bytes) == Some(Packing::Gzip);
        let starts = |grammar: &Grammar| is_packed_record(&self.bytes, *grammar, None);
        Ok([Grammar::Warc, Grammar::Arc].into_iter().find(starts).filter(|_| is_gzip))
    }

    fn fill(&mut self, want: usize) -> io::Result<()> {
        while self.bytes.len() < want && !self.ended {
            let missing = want - self.bytes.len();
            self.bytes.reserve(missing);
            self.ended = self.source.by_ref().take(missing as u64).read_to_end(&mut self.bytes)? == 0;
        }
        Ok(())
    }

    /// The next batch; `None` at the end, and where there is no place to cut.
    fn next(&mut self, grammar: Grammar) -> io::Result<Option<Bytes>> {
        let mut from = BATCH_BYTES;
        loop {
            self.fill(from + SEARCH_BYTES)?;
            if self.bytes.is_empty() {
                return Ok(None);
            }
            let cut = self.bytes.get(from..).and_then(|behind| find_packed_record(behind, grammar)).map(|at| from + at);
            let Some(end) = cut.or_else(|| (self.ended).then_some(self.bytes.len())) else {
                // A record that starts across the end of what was searched shows in the next round.
                from = self.bytes.len() - 1024;
                if self.bytes.len() > BATCH_BYTES_MAX {
                    return Ok(None);
                }
                continue;
            };
            let mut rest = self.spare.pop().unwrap_or_default();
            rest.clear();
            rest.extend_from_slice(&self.bytes[end..]);
            self.bytes.truncate(end);
            let batch = std::mem::replace(&mut self.bytes, rest);
            self.offset += batch.len() as u64;
            return Ok(Some(Bytes::from(batch)));
        }
    }

    fn is_done(&self) -> bool {
        self.ended && self.bytes.is_empty()
    }

    fn into_rest(self, before: VecDeque<Bytes>) -> impl Read + Send + 'static {
        let before: Vec<u8> = before.into_iter().flatten().collect();
        Cursor::new(before).chain(Cursor::new(self.bytes)).chain(self.source)
    }
}
