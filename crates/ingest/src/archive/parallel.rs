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
    answer: SyncSender<Answer<T>>,
}

struct Sent<T> {
    offset: u64,
    bytes: Bytes,
    answer: Receiver<Answer<T>>,
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
                    loop {
                        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok(job) = job else { break };
                        // A caller that has stopped takes no answers.
                        drop(job.answer.send(self.read_batch(&job.bytes, job.offset, grammar, &make)));
                    }
                });
            }
            self.read_batches(&mut cutter, &jobs, grammar, &make, &mut emit)
        });
        match rest.map_err(|(offset, error)| failed(offset, error))? {
            Outcome::Done => Ok(()),
            Outcome::Rest { offset, damages, sent } => {
                let reader = self.reader(cutter.into_rest(sent), offset).within(grammar, offset > 0, damages);
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
                sent.push_back(Sent { offset, bytes: bytes.clone(), answer: receiver });
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
            let Ok(answer) = batch.answer.recv() else { return Ok(Outcome::Done) };
            let mut held = VecDeque::from([batch.bytes]);
            let mut answer = answer;
            if matches!(answer, Answer::Open)
                && let Some(next) = sent.pop_front()
            {
                held.push_back(next.bytes);
                let joined = held.iter().flatten().copied().collect::<Vec<u8>>();
                answer = self.read_batch(&Bytes::from(joined), offset, grammar, make);
            }
            match answer {
                Answer::Whole { made, damages } if damages_so_far + damages <= self.limits.damages_max => {
                    damages_so_far += damages;
                    if !made.into_iter().all(&mut *emit) {
                        return Ok(Outcome::Done);
                    }
                }
                _ => {
                    held.extend(sent.into_iter().map(|batch| batch.bytes));
                    return Ok(Outcome::Rest { offset, damages: damages_so_far, sent: held });
                }
            }
        }
    }

    fn read_batch<T>(&self, bytes: &Bytes, offset: u64, grammar: Grammar, make: &impl Fn(Entry) -> T) -> Answer<T> {
        let source = Cursor::new(bytes.clone());
        let reader = self.reader(source, offset).within(grammar, offset > 0, 0);
        let (mut made, mut damages, mut unpacked, mut ends_whole) = (Vec::new(), 0, 0, false);
        for entry in reader {
            let Ok(entry) = entry else { return Answer::Open };
            match &entry {
                Entry::Record(record) => {
                    unpacked += record.block.len();
                    ends_whole = record.offset + record.length <= offset + bytes.len() as u64;
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

    fn reader(&self, source: impl Read + Send + 'static, offset: u64) -> ArchiveReader {
        ArchiveReader::new_at(source, self.name.clone(), offset, self.limits)
    }
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
}

impl Cutter {
    fn new(source: Box<dyn Read + Send>) -> Self {
        Self { source, bytes: Vec::new(), offset: 0, ended: false }
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
            let missing = (want - self.bytes.len()) as u64;
            self.ended = self.source.by_ref().take(missing).read_to_end(&mut self.bytes)? == 0;
        }
        Ok(())
    }

    /// The next batch; `None` at the end, and where there is no place to cut.
    fn next(&mut self, grammar: Grammar) -> io::Result<Option<Bytes>> {
        let mut from = BATCH_BYTES;
        loop {
            let want = from + BATCH_BYTES;
            self.fill(want)?;
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
            let rest = self.bytes.split_off(end);
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
