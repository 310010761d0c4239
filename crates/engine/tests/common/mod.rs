//! A world for the engine: a source of made-up pages, JSON lines at rest, a sink that writes what it gets.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use engine::{
    Barrier, BatchSize, Cancel, Context, Decided, Decision, EngineError, Fingerprint, HeadReader, ItemReader,
    ItemWriter, LossReader, Note, Observer, Partition, PhaseSpec, Pipeline, RestError, RestFormat, RunEvent,
    RunOptions, RunSummary, Sink, SinkFile, SinkInput, SinkOutput, SinkWriter, Source, SourceContext, Sourced, Stage,
    StageError,
};
use item::{
    Attributes, Body, BodyKind, Digest, FailureClass, Head, Item, ItemId, Loss, Page, Provenance, Rejection, Rule,
    Verdict,
};
use serde_json::json;
use store::{LocalStore, Store};

pub(crate) const SEVENTH: Rule = Rule { name: "seventh", meaning: "Every seventh page." };

fn head(partition: &str, number: u64) -> Head {
    Head {
        id: ItemId::of_place(partition, number),
        provenance: Provenance { url: format!("https://{partition}.example/{number}"), ..Provenance::default() },
        attributes: Attributes::new(),
    }
}

/// Partitions of numbered pages; each has one rejected and one failed thing and two that are no items.
pub(crate) struct Numbers {
    pub(crate) partitions: Vec<(&'static str, u64)>,
    pub(crate) reads: Arc<AtomicUsize>,
}

impl Source for Numbers {
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { name: "numbers".into(), version: 1, settings: json!({}) }
    }
    fn gives(&self) -> BodyKind {
        BodyKind::Page
    }
    fn partitions(&self, _: &SourceContext) -> Result<Vec<Partition>, StageError> {
        let partition = |(name, count): &(&str, u64)| Partition {
            name: (*name).to_owned(),
            digest: Digest::of(format!("{name}{count}").as_bytes()),
            bytes: *count,
        };
        Ok(self.partitions.iter().map(partition).collect())
    }
    fn read(
        &self,
        partition: &Partition,
        _: &SourceContext,
        emit: &mut dyn FnMut(Sourced) -> bool,
    ) -> Result<(), StageError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let name = partition.name.as_str();
        emit(Sourced::Aside("warcinfo".into()));
        emit(Sourced::Rejected(head(name, 1000), Rejection { rule: SEVENTH, detail: "by the source".into() }));
        let failure = item::Failure { class: FailureClass::Damaged, message: "cut".into() };
        emit(Sourced::Failed(head(name, 1001), failure));
        for number in 0..partition.bytes {
            let body = Body::Page(Page { html: format!("{number}") });
            if !emit(Sourced::Item(Box::new(Item { head: head(name, number), body }))) {
                break;
            }
        }
        emit(Sourced::Aside("request".into()));
        Ok(())
    }
}

/// Keeps, rejects, fails, fans out and panics by number, taking its time at random places.
pub(crate) struct Sieve {
    pub(crate) calls: Arc<AtomicUsize>,
    pub(crate) setting: u32,
}

impl Stage for Sieve {
    type In = Page;
    type Out = Page;
    const NAME: &'static str = "sieve";
    const VERSION: u32 = 1;

    fn batch(&self) -> BatchSize {
        BatchSize { items: 8, bytes: 1 << 20 }
    }
    fn settings(&self) -> engine::Settings {
        json!({ "setting": self.setting })
    }
    fn process(&self, batch: &[Item<Page>], _: Context<'_>) -> Result<Vec<Verdict<Page>>, StageError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Ok(batch.iter().map(sieve).collect())
    }
}

fn sieve(item: &Item<Page>) -> Verdict<Page> {
    let number: u64 = item.body.html.parse().expect("numbered pages");
    std::thread::sleep(std::time::Duration::from_micros(number * 7919 % 500));
    assert_ne!(number % 50, 49, "the evil page");
    match number % 7 {
        0 => Verdict::reject(SEVENTH, format!("{number} = 7 n")),
        1 => Verdict::fail(FailureClass::Timeout, "too slow"),
        2 => {
            let twin = item::Kept { body: item.body.clone(), attributes: Attributes::new().with("twin", true) };
            Verdict::Fan(vec![twin.clone(), twin])
        }
        _ => Verdict::keep(item.body.clone(), Attributes::new().with("n", number)),
    }
}

/// Keeps every item but those whose id begins with a hex digit up to this one.
pub(crate) struct Gate(pub(crate) u8);

impl Barrier for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { name: "gate".into(), version: 1, settings: json!({ "last": self.0 }) }
    }
    fn reads(&self) -> &'static [&'static str] {
        &["n"]
    }
    fn decide(&self, notes: &[Note]) -> Result<Decided, StageError> {
        assert!(notes.windows(2).all(|pair| pair[0].id < pair[1].id), "notes come sorted");
        let decide = |note: &Note| match note.id.as_bytes()[0] >> 4 {
            digit if digit <= self.0 => Decision::Reject(Rejection { rule: SEVENTH, detail: "low".into() }),
            _ => Decision::Keep(Attributes::new().with("gate", true)),
        };
        Ok(notes.iter().map(decide).collect::<Vec<_>>().into())
    }
}

/// Items as JSON lines: head, then HTML.
pub(crate) struct JsonLines;

struct Lines {
    path: std::path::PathBuf,
    text: String,
}

fn at<E: Into<Box<dyn std::error::Error + Send + Sync>>>(path: &Path) -> impl FnOnce(E) -> RestError {
    let path = path.display().to_string();
    move |error| RestError::new(format!("use `{path}`"), error)
}

impl ItemWriter for Lines {
    fn write(&mut self, items: &[Item]) -> Result<(), RestError> {
        for item in items {
            let Body::Page(page) = &item.body else { panic!("only pages rest here") };
            let line = serde_json::to_string(&(&item.head, &page.html)).map_err(at(&self.path))?;
            self.text.push_str(&line);
            self.text.push('\n');
        }
        Ok(())
    }
    fn finish(self: Box<Self>) -> Result<(), RestError> {
        fs::write(&self.path, &self.text).map_err(at(&self.path))
    }
}

fn read_all(path: &Path) -> Result<Vec<Item>, RestError> {
    let text = fs::read_to_string(path).map_err(at(path))?;
    let parse = |line: &str| {
        let (head, html): (Head, String) = serde_json::from_str(line).map_err(at(path))?;
        Ok(Item { head, body: Body::Page(Page { html }) })
    };
    text.lines().map(parse).collect()
}

impl RestFormat for JsonLines {
    fn extension(&self) -> &'static str {
        "jsonl"
    }
    fn create_items(&self, path: &Path, _: BodyKind) -> Result<Box<dyn ItemWriter>, RestError> {
        Ok(Box::new(Lines { path: path.to_owned(), text: String::new() }))
    }
    fn read_items(&self, path: &Path, rows: Range<u64>) -> Result<ItemReader, RestError> {
        let items = read_all(path)?;
        let part = items[rows.start as usize..rows.end as usize].to_vec();
        Ok(Box::new(std::iter::once(Ok(part))))
    }
    fn read_heads(&self, path: &Path) -> Result<HeadReader, RestError> {
        let heads = read_all(path)?.into_iter().map(|item| item.head).collect();
        Ok(Box::new(std::iter::once(Ok(heads))))
    }
    fn write_losses(&self, path: &Path, losses: &[Loss]) -> Result<(), RestError> {
        fs::write(path, serde_json::to_vec(losses).map_err(at(path))?).map_err(at(path))
    }
    fn read_losses(&self, path: &Path) -> Result<LossReader, RestError> {
        let losses = serde_json::from_slice(&fs::read(path).map_err(at(path))?).map_err(at(path))?;
        Ok(Box::new(std::iter::once(Ok(losses))))
    }
}

/// Writes one file of sorted lines.
pub(crate) struct Sorted;

struct SortedWriter {
    folder: std::path::PathBuf,
    lines: Vec<String>,
    losses: Vec<String>,
}

impl Sink for Sorted {
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { name: "sorted".into(), version: 1, settings: json!({}) }
    }
    fn takes(&self) -> BodyKind {
        BodyKind::Page
    }
    fn begin(&self, staging: &Path) -> Result<Box<dyn SinkWriter>, StageError> {
        Ok(Box::new(SortedWriter { folder: staging.to_owned(), lines: Vec::new(), losses: Vec::new() }))
    }
}

impl SinkWriter for SortedWriter {
    fn add(&mut self, item: Item) -> Result<(), StageError> {
        let attributes = serde_json::to_string(&item.head.attributes).expect("plain data");
        self.lines.push(format!("{} {attributes}", item.head.id));
        Ok(())
    }
    fn add_loss(&mut self, loss: Loss) -> Result<(), StageError> {
        self.losses.push(format!("{} {} {} {}", loss.id, loss.stage, loss.rule, loss.detail));
        Ok(())
    }
    fn finish(mut self: Box<Self>, input: SinkInput<'_>) -> Result<SinkOutput, StageError> {
        self.lines.sort();
        self.losses.sort();
        let text = format!("{}\n--\n{}\n", self.lines.join("\n"), self.losses.join("\n"));
        let staged = self.folder.join("rows.txt");
        fs::write(&staged, &text).map_err(|error| StageError::new(format!("write `{}`", staged.display()), error))?;
        let name = format!("data/rows-{}.txt", Digest::of(text.as_bytes()).short());
        let manifest = json!({ "file": name, "books": input.books }).to_string().into_bytes();
        let file = SinkFile { staged, name, bytes: text.len() as u64 };
        Ok(SinkOutput { files: vec![file], manifest, rows: self.lines.len() as u64, books: None })
    }
}

/// Remembers events.
#[derive(Default)]
pub(crate) struct Log(pub(crate) Mutex<Vec<RunEvent>>);

impl Observer for Log {
    fn event(&self, event: &RunEvent) {
        self.0.lock().expect("no panic while logging").push(event.clone());
    }
}

/// A pipeline over made-up pages, with its store and counters.
pub(crate) struct World {
    temporary: Option<tempfile::TempDir>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) reads: Arc<AtomicUsize>,
    pub(crate) calls: Arc<AtomicUsize>,
    pub(crate) asked: Arc<AtomicUsize>,
    pub(crate) tired: Arc<AtomicBool>,
    pub(crate) log: Arc<Log>,
    pub(crate) options: RunOptions,
    pub(crate) cancel: Cancel,
}

impl World {
    pub(crate) fn new() -> Self {
        // Flushing to a real disk is nearly all of the time of these tests, where there is a way around it.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::TempDir::new_in(memory) } else { tempfile::TempDir::new() };
        let temporary = folder.expect("a temp folder");
        let mut world = Self::at(&temporary.path().join("store"));
        world.temporary = Some(temporary);
        world
    }

    /// A world whose store lies in a folder that somebody else looks after.
    pub(crate) fn at(folder: &Path) -> Self {
        let store = Arc::new(LocalStore::open(folder).expect("a store"));
        Self {
            temporary: None,
            store,
            reads: Arc::default(),
            calls: Arc::default(),
            asked: Arc::default(),
            tired: Arc::default(),
            log: Arc::default(),
            options: RunOptions::default(),
            cancel: Cancel::new(),
        }
    }

    pub(crate) fn pipeline(&self, partitions: &[(&'static str, u64)], setting: u32) -> Arc<Pipeline> {
        self.gated(partitions, setting, 0)
    }

    pub(crate) fn gated(&self, partitions: &[(&'static str, u64)], setting: u32, gate: u8) -> Arc<Pipeline> {
        let sieve = engine::erase(Sieve { calls: Arc::clone(&self.calls), setting });
        let again = engine::erase(Second { asked: Arc::clone(&self.asked), tired: Arc::clone(&self.tired) });
        Arc::new(Pipeline {
            name: "test".into(),
            source: Arc::new(Numbers { partitions: partitions.to_vec(), reads: Arc::clone(&self.reads) }),
            phases: vec![
                PhaseSpec { name: "first", stages: vec![sieve], barrier: Arc::new(Gate(gate)) },
                PhaseSpec { name: "second", stages: vec![again], barrier: Arc::new(Gate(0)) },
            ],
            sink: Arc::new(Sorted),
            rest: Arc::new(JsonLines),
        })
    }

    pub(crate) fn run(&self, pipeline: &Arc<Pipeline>) -> Result<RunSummary, EngineError> {
        self.run_on(&self.store, pipeline)
    }

    /// Runs with a store that others use as well.
    pub(crate) fn run_on(&self, store: &Arc<dyn Store>, pipeline: &Arc<Pipeline>) -> Result<RunSummary, EngineError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("a runtime");
        let observer = Arc::clone(&self.log);
        runtime.block_on(engine::run(pipeline, store, &self.options, self.cancel.clone(), observer))
    }

    /// Everything that the dataset's folder holds, by name.
    pub(crate) fn dataset(&self) -> Vec<(String, Vec<u8>)> {
        let blobs = self.store.list("dataset").expect("a list");
        let read = |blob: store::BlobInfo| {
            let bytes = self.store.get(&blob.name).expect("a listed blob");
            (blob.name.to_string(), bytes)
        };
        blobs.into_iter().map(read).collect()
    }
}

/// Marks what it sees, and is remembered for it. Refuses one in thirteen; one in eleven fails while it is tired.
pub(crate) struct Second {
    pub(crate) asked: Arc<AtomicUsize>,
    pub(crate) tired: Arc<AtomicBool>,
}

impl Stage for Second {
    type In = Page;
    type Out = Page;
    const NAME: &'static str = "second";
    const VERSION: u32 = 1;
    const REMEMBERED: bool = true;

    fn demand(&self) -> engine::Demand {
        engine::Demand { resource: engine::Resource::Chrome }
    }
    fn batch(&self) -> BatchSize {
        BatchSize { items: 1, bytes: 1 << 20 }
    }
    fn settings(&self) -> engine::Settings {
        json!({})
    }
    fn rules(&self) -> &'static [item::Rule] {
        &[SEVENTH]
    }
    fn process(&self, batch: &[Item<Page>], _: Context<'_>) -> Result<Vec<Verdict<Page>>, StageError> {
        self.asked.fetch_add(batch.len(), Ordering::SeqCst);
        let tired = self.tired.load(Ordering::SeqCst);
        let answer = |item: &Item<Page>| match item.body.html.parse::<u64>().expect("numbered pages") {
            number if tired && number % 11 == 3 => Verdict::fail(FailureClass::Timeout, "tired"),
            number if number % 13 == 5 => Verdict::reject(SEVENTH, "by the second"),
            number => Verdict::Annotate(Attributes::new().with("second", number)),
        };
        Ok(batch.iter().map(answer).collect())
    }
}
