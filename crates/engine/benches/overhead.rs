//! What the engine itself costs an item: three stages that do nothing, in batches of 64, on a store in memory where there is one.
//!
//! `cargo bench -p engine --bench overhead [-- ITEMS]`. Processor time is what counts: wall time says little on a machine
//! that does other work. The best of several runs stands first, since noise only ever adds.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use engine::{
    Barrier, BatchSize, Cancel, Context, Decided, Decision, Fingerprint, HeadReader, ItemReader, ItemWriter,
    LossReader, Note, Observer, Partition, PhaseSpec, Pipeline, RestError, RestFormat, RunEvent, RunOptions, Sink,
    SinkFile, SinkInput, SinkOutput, SinkWriter, Source, SourceContext, Sourced, Stage, StageError, erase,
};
use item::{Attributes, Body, BodyKind, Digest, Head, Item, ItemId, Loss, Page, Provenance, Verdict};
use serde_json::json;
use store::{BlobInfo, BlobName, LocalPath, LocalStore, Store, StoreError};

const ITEMS: u64 = 400_000;
/// Partitions of that many items: 50,000 captures are one of Common Crawl's archives.
const PARTITION_ITEMS: u64 = 50_000;
const RUNS: usize = 5;
/// Stages of the one phase.
const STAGES: u64 = 3;
const BATCH: BatchSize = BatchSize { items: 64, bytes: 16 << 20 };

fn main() {
    let items = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(ITEMS);
    let mut runs: Vec<Measured> = (0..RUNS).map(|_| measure(items)).collect();
    runs.sort_by(|a, b| a.phase.processor.total_cmp(&b.phase.processor));
    for run in &runs {
        print(&run.text(items));
    }
}

fn print(text: &str) {
    let _broken_pipe = writeln!(std::io::stdout(), "{text}");
}

/// Runs the pipeline once, on an empty store.
fn measure(items: u64) -> Measured {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::TempDir::new_in(memory) } else { tempfile::TempDir::new() };
    let folder = folder.expect("a temp folder");
    let (stored, rested) = (Meter::default(), Meter::default());
    let local: Arc<dyn Store> = Arc::new(LocalStore::open(folder.path()).expect("a new store"));
    let store: Arc<dyn Store> = Arc::new(Metered { inner: local, meter: stored.clone() });
    let pipeline = Arc::new(pipeline(items, &rested));
    let clock = Instant::now();
    let marks = Arc::new(Marks { clock, stored, rested, batches: AtomicU64::new(0), reached: Mutex::default() });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("a runtime");
    let observer: Arc<dyn Observer> = marks.clone();
    let options = RunOptions::default();
    let run = engine::run(&pipeline, &store, &options, Cancel::new(), observer);
    let summary = runtime.block_on(run).expect("a run");
    assert_eq!(summary.record.dataset.rows, items, "nothing is lost");
    let marks = marks.reached.lock().expect("no panic");
    let [start, phase, barrier, sink] = marks.as_slice() else { panic!("four marks: {marks:?}") };
    Measured { phase: phase.since(start), barrier: barrier.since(phase), sink: sink.since(barrier) }
}

/// Where the clocks stood at a point of a run, or what passed between two such points, in seconds.
#[derive(Debug, Clone, Copy)]
struct Mark {
    wall: f64,
    processor: f64,
    /// In the operations of the store: records, leases, publications.
    stored: f64,
    store_operations: u64,
    /// In the format of rest files.
    rested: f64,
    batches: u64,
}

impl Mark {
    fn since(&self, earlier: &Self) -> Self {
        Self {
            wall: self.wall - earlier.wall,
            processor: self.processor - earlier.processor,
            stored: self.stored - earlier.stored,
            store_operations: self.store_operations - earlier.store_operations,
            rested: self.rested - earlier.rested,
            batches: self.batches - earlier.batches,
        }
    }
}

struct Measured {
    phase: Mark,
    barrier: Mark,
    sink: Mark,
}

impl Measured {
    fn text(&self, items: u64) -> String {
        let Mark { wall, processor, stored, store_operations, rested, batches } = self.phase;
        let batch = (items * STAGES) as f64 / batches as f64;
        let per_core = |seconds: f64| items as f64 / seconds;
        format!(
            "phase {:.0} items/s per core ({processor:.2} s of processor, {wall:.2} s of wall, batches of {batch:.0}): \
             store {:.1} % ({store_operations} operations), rest files {:.1} %; \
             barrier {:.0}, sink {:.0}, all {:.0} items/s per core",
            per_core(processor),
            100.0 * stored / processor,
            100.0 * rested / processor,
            per_core(self.barrier.processor),
            per_core(self.sink.processor),
            per_core(processor + self.barrier.processor + self.sink.processor),
        )
    }
}

/// Processor time of all threads of this process so far, in seconds; in ticks of 10 ms.
fn processor_s() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    /// Fields of the line behind the program's name, which come before the time spent in user mode.
    const BEFORE: usize = 11;
    let line = fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = line.rsplit_once(')').expect("a line of stat").1;
    let ticks: u64 =
        fields.split_whitespace().skip(BEFORE).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    ticks as f64 / TICKS_PER_SECOND
}

/// Time spent in something, from many threads.
#[derive(Debug, Clone, Default)]
struct Meter(Arc<Spent>);

#[derive(Debug, Default)]
struct Spent {
    nanoseconds: AtomicU64,
    times: AtomicU64,
}

impl Meter {
    fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let clock = Instant::now();
        let done = work();
        self.0.nanoseconds.fetch_add(clock.elapsed().as_nanos() as u64, Ordering::Relaxed);
        self.0.times.fetch_add(1, Ordering::Relaxed);
        done
    }

    fn seconds(&self) -> f64 {
        Duration::from_nanos(self.0.nanoseconds.load(Ordering::Relaxed)).as_secs_f64()
    }
}

/// Reads the clocks where one part of a run ends and the next begins.
struct Marks {
    clock: Instant,
    stored: Meter,
    rested: Meter,
    batches: AtomicU64,
    reached: Mutex<Vec<Mark>>,
}

impl Observer for Marks {
    fn event(&self, event: &RunEvent) {
        let is_mark = matches!(
            event,
            RunEvent::PhaseStarted { .. }
                | RunEvent::PhaseEnded { .. }
                | RunEvent::BarrierDecided { .. }
                | RunEvent::DatasetCommitted { .. }
        );
        if !is_mark {
            let is_batch = matches!(event, RunEvent::BatchProcessed { .. });
            self.batches.fetch_add(u64::from(is_batch), Ordering::Relaxed);
            return;
        }
        let mark = Mark {
            wall: self.clock.elapsed().as_secs_f64(),
            processor: processor_s(),
            stored: self.stored.seconds(),
            store_operations: self.stored.0.times.load(Ordering::Relaxed),
            rested: self.rested.seconds(),
            batches: self.batches.load(Ordering::Relaxed),
        };
        self.reached.lock().expect("no panic").push(mark);
    }
}

// ------------------------------------------------------------------------------------------------------------ pipeline

fn pipeline(items: u64, rested: &Meter) -> Pipeline {
    let stages = vec![erase(Keeping), erase(Measuring::<1>), erase(Measuring::<2>)];
    Pipeline {
        name: "overhead".into(),
        source: Arc::new(Pages(items)),
        phases: vec![PhaseSpec { name: "idle", stages, barrier: Arc::new(Open) }],
        sink: Arc::new(Counting),
        rest: Arc::new(Packed(rested.clone())),
    }
}

fn fingerprint(name: &str) -> Fingerprint {
    Fingerprint { name: name.to_owned(), version: 1, settings: json!({}) }
}

/// Small pages.
struct Pages(u64);

impl Source for Pages {
    fn fingerprint(&self) -> Fingerprint {
        fingerprint("pages")
    }
    fn gives(&self) -> BodyKind {
        BodyKind::Page
    }
    fn partitions(&self, _: &SourceContext) -> Result<Vec<Partition>, StageError> {
        let partition = |start: u64| Partition {
            name: format!("{start}"),
            digest: Digest::of(&start.to_le_bytes()),
            bytes: PARTITION_ITEMS.min(self.0 - start),
        };
        Ok((0..self.0).step_by(PARTITION_ITEMS as usize).map(partition).collect())
    }
    fn read(
        &self,
        partition: &Partition,
        _: &SourceContext,
        emit: &mut dyn FnMut(Sourced) -> bool,
    ) -> Result<(), StageError> {
        for number in 0..partition.bytes {
            let provenance = Provenance {
                url: format!("https://www.example.org/{}/{number}", partition.name),
                domain: "example.org".into(),
                warc_filename: partition.name.clone(),
                warc_record_offset: number,
                ..Provenance::default()
            };
            let id = ItemId::of_place(&partition.name, number);
            let head = Head { id, provenance, attributes: Attributes::new() };
            let body = Body::Page(Page { html: format!("<!DOCTYPE html><title>{number}</title><p>A small page.") });
            if !emit(Sourced::Item(Box::new(Item { head, body }))) {
                break;
            }
        }
        Ok(())
    }
}

/// Keeps each page as a new one, as a stage that cleans does.
struct Keeping;

impl Stage for Keeping {
    type In = Page;
    type Out = Page;
    const NAME: &'static str = "keeping";
    const VERSION: u32 = 1;

    fn batch(&self) -> BatchSize {
        BATCH
    }
    fn settings(&self) -> engine::Settings {
        json!({})
    }
    fn process(&self, batch: &[Item<Page>], _: Context<'_>) -> Result<Vec<Verdict<Page>>, StageError> {
        Ok(batch.iter().map(|item| Verdict::keep(item.body.clone(), Attributes::new())).collect())
    }
}

/// Notes one number, as a stage that measures does.
struct Measuring<const N: u64>;

impl<const N: u64> Stage for Measuring<N> {
    type In = Page;
    type Out = Page;
    const NAME: &'static str = if N == 1 { "measuring" } else { "measuring-more" };
    const VERSION: u32 = 1;

    fn batch(&self) -> BatchSize {
        BATCH
    }
    fn settings(&self) -> engine::Settings {
        json!({})
    }
    fn process(&self, batch: &[Item<Page>], _: Context<'_>) -> Result<Vec<Verdict<Page>>, StageError> {
        let annotate = |item: &Item<Page>| Attributes::new().with(Self::NAME, item.body.html.len());
        Ok(batch.iter().map(|item| Verdict::Annotate(annotate(item))).collect())
    }
}

/// Lets everything pass.
struct Open;

impl Barrier for Open {
    fn name(&self) -> &'static str {
        "open"
    }
    fn fingerprint(&self) -> Fingerprint {
        fingerprint("open")
    }
    fn reads(&self) -> &'static [&'static str] {
        &["measuring"]
    }
    fn decide(&self, notes: &[Note]) -> Result<Decided, StageError> {
        Ok(notes.iter().map(|_| Decision::Keep(Attributes::new())).collect::<Vec<_>>().into())
    }
}

/// Counts items.
struct Counting;

struct Count {
    folder: PathBuf,
    rows: u64,
}

impl Sink for Counting {
    fn fingerprint(&self) -> Fingerprint {
        fingerprint("counting")
    }
    fn takes(&self) -> BodyKind {
        BodyKind::Page
    }
    fn begin(&self, staging: &Path) -> Result<Box<dyn SinkWriter>, StageError> {
        Ok(Box::new(Count { folder: staging.to_owned(), rows: 0 }))
    }
}

impl SinkWriter for Count {
    fn add(&mut self, _: Item) -> Result<(), StageError> {
        self.rows += 1;
        Ok(())
    }
    fn add_loss(&mut self, _: Loss) -> Result<(), StageError> {
        Ok(())
    }
    fn finish(self: Box<Self>, _: SinkInput<'_>) -> Result<SinkOutput, StageError> {
        let (staged, text) = (self.folder.join("rows"), self.rows.to_string());
        fs::write(&staged, &text).map_err(|error| StageError::new("write rows", error))?;
        let file = SinkFile { staged, name: "data/rows".into(), bytes: text.len() as u64 };
        Ok(SinkOutput { files: vec![file], manifest: text.into_bytes(), rows: self.rows, books: None })
    }
}

// ---------------------------------------------------------------------------------------------------------- rest files

/// Items as MessagePack, one behind the other: about the least that a format can do.
struct Packed(Meter);

struct PackedWriter {
    file: BufWriter<File>,
    meter: Meter,
}

fn trouble<E: Into<Box<dyn std::error::Error + Send + Sync>>>(error: E) -> RestError {
    RestError::new("use a rest file", error)
}

impl ItemWriter for PackedWriter {
    fn write(&mut self, items: &[Item]) -> Result<(), RestError> {
        let file = &mut self.file;
        self.meter.time(|| {
            items.iter().try_for_each(|item| rmp_serde::encode::write(file, &(&item.head, &item.body)).map_err(trouble))
        })
    }
    fn finish(mut self: Box<Self>) -> Result<(), RestError> {
        self.file.flush().map_err(trouble)
    }
}

impl Packed {
    fn read_all(
        &self,
        path: &Path,
    ) -> Result<impl Iterator<Item = Result<Vec<Item>, RestError>> + Send + use<>, RestError> {
        let mut file = BufReader::new(File::open(path).map_err(trouble)?);
        let meter = self.0.clone();
        Ok(std::iter::from_fn(move || {
            let items: Result<Vec<Item>, RestError> = meter.time(|| (0..64).map_while(|_| next(&mut file)).collect());
            items.map_or_else(|error| Some(Err(error)), |items| (!items.is_empty()).then_some(Ok(items)))
        }))
    }
}

fn next(file: &mut BufReader<File>) -> Option<Result<Item, RestError>> {
    let is_end = std::io::BufRead::fill_buf(file).is_ok_and(<[u8]>::is_empty);
    let read = |file: &mut dyn Read| rmp_serde::from_read::<_, (Head, Body)>(file);
    (!is_end).then(|| read(file).map(|(head, body)| Item { head, body }).map_err(trouble))
}

impl RestFormat for Packed {
    fn extension(&self) -> &'static str {
        "msgpack"
    }
    fn create_items(&self, path: &Path, _: BodyKind) -> Result<Box<dyn ItemWriter>, RestError> {
        let file = BufWriter::new(File::create(path).map_err(trouble)?);
        Ok(Box::new(PackedWriter { file, meter: self.0.clone() }))
    }
    fn read_items(&self, path: &Path, _: Range<u64>) -> Result<ItemReader, RestError> {
        // The sink is the only reader, and reads all rows.
        Ok(Box::new(self.read_all(path)?))
    }
    fn read_heads(&self, path: &Path) -> Result<HeadReader, RestError> {
        let heads = |items: Vec<Item>| items.into_iter().map(|item| item.head).collect();
        Ok(Box::new(self.read_all(path)?.map(move |items| items.map(heads))))
    }
    fn write_losses(&self, path: &Path, _: &[Loss]) -> Result<(), RestError> {
        File::create(path).map(drop).map_err(trouble)
    }
    fn read_losses(&self, _: &Path) -> Result<LossReader, RestError> {
        Ok(Box::new(std::iter::empty()))
    }
}

// --------------------------------------------------------------------------------------------------------------- store

/// A store whose operations are timed.
#[derive(Debug)]
struct Metered {
    inner: Arc<dyn Store>,
    meter: Meter,
}

impl Store for Metered {
    fn get(&self, name: &BlobName) -> Result<Vec<u8>, StoreError> {
        self.meter.time(|| self.inner.get(name))
    }
    fn get_range(&self, name: &BlobName, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        self.meter.time(|| self.inner.get_range(name, range))
    }
    fn size(&self, name: &BlobName) -> Result<Option<u64>, StoreError> {
        self.meter.time(|| self.inner.size(name))
    }
    fn put(&self, name: &BlobName, bytes: &[u8]) -> Result<(), StoreError> {
        self.meter.time(|| self.inner.put(name, bytes))
    }
    fn put_if_absent(&self, name: &BlobName, bytes: &[u8]) -> Result<bool, StoreError> {
        self.meter.time(|| self.inner.put_if_absent(name, bytes))
    }
    fn put_file(&self, name: &BlobName, file: &Path) -> Result<(), StoreError> {
        self.meter.time(|| self.inner.put_file(name, file))
    }
    fn local_path(&self, name: &BlobName) -> Result<LocalPath, StoreError> {
        self.meter.time(|| self.inner.local_path(name))
    }
    fn local_folder(&self, prefix: &str) -> Result<LocalPath, StoreError> {
        self.meter.time(|| self.inner.local_folder(prefix))
    }
    fn list(&self, prefix: &str) -> Result<Vec<BlobInfo>, StoreError> {
        self.meter.time(|| self.inner.list(prefix))
    }
    fn delete(&self, name: &BlobName) -> Result<(), StoreError> {
        self.meter.time(|| self.inner.delete(name))
    }
    fn scratch(&self) -> Result<tempfile::TempDir, StoreError> {
        self.meter.time(|| self.inner.scratch())
    }
    fn location(&self) -> String {
        self.inner.location()
    }
}
