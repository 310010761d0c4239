//! One unit of work: items stream from a feed through the stages to a collector.
//!
//! ```text
//! feed thread ─► channel ─► pump(stage 1) ─► channel ─► pump(stage 2) ─► channel ─► collector thread
//!                              └─ a task per batch, on the compute pool or on a waiting thread
//! ```
//!
//! What travels is a [`Parcel`]: one thing that the feed gave, with all that became of it. A parcel always arrives at the
//! collector exactly once, even when nothing is left in it, so nothing can disappear and the collector can restore the
//! order of the feed whatever finished first.
//!
//! Memory is bounded at one place, the [`Budget`]: a parcel is charged when it enters and until it is written. Only the
//! feed ever waits for the budget, so waiting for it cannot form a cycle. A batch is closed when it is full *or when
//! nothing more is at hand*: a stage that insisted on full batches would wait for items that the budget holds back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use item::{Body, Failure, FailureClass, Head, Item, Loss, LossKind, Verdict};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::collect::Collected;
use crate::memo::{Memo, Recalled, StageMemo};
use crate::slots::Slots;
use crate::stage::TypedBatch;
use crate::{
    BatchSize, Cancel, Context, DynStage, EngineError, Limits, Observer, PhaseBooks, Resource, RunEvent, SourceContext,
    Sourced, StageError,
};

/// Batches that wait between two stages: enough that neither side idles, few enough that memory is the budget's.
const CHANNEL_BATCHES: usize = 2;
/// Parcels in flight per slot of the scarcest resource: the fast ones overtake a slow one by this much before the feed
/// has to wait for it.
const PARCELS_PER_SLOT: usize = 12;
/// Parcels in flight when all work is computing: a few full batches per core.
const PARCELS_COMPUTING: usize = 1024;
/// How often a waiting feed looks whether the run was cancelled.
const CANCEL_POLL: Duration = Duration::from_millis(50);

/// One thing that the feed gave, and all that became of it.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) seq: u64,
    pub(crate) items: Vec<Item<Body>>,
    pub(crate) losses: Vec<Loss>,
    charge: Charge,
}

/// What the parts of a flow share.
#[derive(Clone)]
pub(crate) struct FlowShared {
    pub(crate) phase: Arc<str>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) slots: Slots,
    pub(crate) cancel: Cancel,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) memo: Memo,
}

impl FlowShared {
    pub(crate) fn source_context(&self) -> SourceContext {
        SourceContext { cancel: self.cancel.clone(), observer: Arc::clone(&self.observer) }
    }
}

/// Gives everything that a unit of work consists of, in order, to a callback that answers whether to go on.
pub(crate) type Feed = Box<dyn FnOnce(&mut dyn FnMut(Sourced) -> bool) -> Result<(), StageError> + Send>;

/// Takes the parcels in the order of the feed.
pub(crate) trait Collect: Send + 'static {
    /// Takes what became of one thing.
    fn take(&mut self, items: Vec<Item<Body>>, losses: Vec<Loss>) -> Result<(), EngineError>;
    /// Everything has arrived.
    fn finish(self) -> Result<Collected, EngineError>;
}

/// Runs one unit of work to its end.
///
/// `source_name` is the name under which the feed's own rejections and failures are booked; `None` when the feed only
/// hands on what another phase made.
pub(crate) async fn run_flow(
    shared: &FlowShared,
    source_name: Option<&str>,
    stages: &[Arc<dyn DynStage>],
    feed: Feed,
    collect: impl Collect,
) -> Result<(Collected, PhaseBooks), EngineError> {
    let names = source_name.into_iter().chain(stages.iter().map(|stage| stage.name()));
    let flow = Arc::new(Flow {
        shared: shared.clone(),
        books: Mutex::new(PhaseBooks::new(names)),
        budget: Budget::new(parcels_max(stages, &shared.limits), shared.limits.partition_bytes),
        fault: Mutex::new(None),
        stop: Cancel::new(),
    });
    // Dropping the set (on cancellation) ends all tasks of the flow.
    let mut tasks: JoinSet<()> = JoinSet::new();

    let (feed_out, mut rx) = mpsc::channel(CHANNEL_BATCHES);
    let feeding = Arc::clone(&flow);
    let batch = stages.first().map_or(BatchSize { items: 16, bytes: 1 << 20 }, |stage| stage.batch());
    let source_name = source_name.map(str::to_owned);
    tasks.spawn_blocking(move || run_feed(&feeding, source_name.as_deref(), batch, feed, &feed_out));

    let first = usize::from(flow.books().stages.len() > stages.len());
    for (index, stage) in stages.iter().enumerate() {
        let (tx, next_rx) = mpsc::channel(CHANNEL_BATCHES);
        tasks.spawn(pump(Arc::clone(&flow), Arc::clone(stage), first + index, rx, tx));
        rx = next_rx;
    }

    let collecting = Arc::clone(&flow);
    let (done_tx, done) = oneshot::channel();
    tasks.spawn_blocking(move || {
        let _ = done_tx.send(run_collector(&collecting, collect, rx));
    });

    let collected = tokio::select! {
        collected = done => collected,
        () = shared.cancel.cancelled() => {
            flow.stop.cancel();
            return Err(EngineError::Interrupted);
        }
    };
    if let Some(fault) = flow.fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(fault);
    }
    let Ok(collected) = collected else {
        // The collector's thread panicked: a bug of ours that must not pass as a short partition.
        panic!("the collector of phase `{}` panicked", shared.phase);
    };
    let collected = collected?;
    let books = flow.books().clone();
    books.assert_balanced();
    Ok((collected, books))
}

/// How many parcels may be in flight: bounded by the scarce resource where one waits for something outside.
fn parcels_max(stages: &[Arc<dyn DynStage>], limits: &Limits) -> usize {
    let slots = |resource| match resource {
        Resource::Cpu => None,
        Resource::Chrome => Some(limits.chrome_slots),
        Resource::Gpu => Some(limits.gpu_slots),
    };
    let scarcest = stages.iter().filter_map(|stage| Some(slots(stage.demand().resource)? * stage.batch().items)).max();
    scarcest.map_or(PARCELS_COMPUTING, |slots| slots * PARCELS_PER_SLOT)
}

struct Flow {
    shared: FlowShared,
    books: Mutex<PhaseBooks>,
    budget: Arc<Budget>,
    fault: Mutex<Option<EngineError>>,
    stop: Cancel,
}

impl Flow {
    fn books(&self) -> std::sync::MutexGuard<'_, PhaseBooks> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the flow; the first trouble is the one that people read.
    fn fail(&self, error: EngineError) {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.stop.cancel();
    }

    fn stopped(&self) -> bool {
        self.stop.is_cancelled() || self.shared.cancel.is_cancelled()
    }

    fn emit(&self, event: &RunEvent) {
        self.shared.observer.event(event);
    }
}

// ---------------------------------------------------------------------------------------------------------- feed

fn run_feed(
    flow: &Arc<Flow>,
    source_name: Option<&str>,
    batch: BatchSize,
    feed: Feed,
    out: &mpsc::Sender<Vec<Parcel>>,
) {
    let mut seq = 0;
    let mut waiting = Vec::new();
    let mut waiting_bytes = 0;
    let mut emit = |sourced: Sourced| {
        let Some((items, losses)) = book_sourced(flow, source_name, sourced) else { return !flow.stopped() };
        let bytes = items.iter().map(Item::size_bytes).sum();
        let is_full = waiting.len() >= batch.items || waiting_bytes + bytes > batch.bytes;
        if (is_full || flow.budget.would_wait(bytes))
            && !waiting.is_empty()
            && out.blocking_send(std::mem::take(&mut waiting)).is_err()
        {
            return false;
        }
        waiting_bytes = if waiting.is_empty() { bytes } else { waiting_bytes + bytes };
        let Some(charge) = flow.budget.enter(bytes, || flow.stopped()) else { return false };
        waiting.push(Parcel { seq, items, losses, charge });
        seq += 1;
        !flow.stopped()
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| feed(&mut emit)));
    let name = source_name.unwrap_or("rest");
    match outcome {
        Ok(Ok(())) => {
            if !waiting.is_empty() {
                // A closed channel means that the flow has ended already; its reason is kept elsewhere.
                let _closed = out.blocking_send(waiting);
            }
        }
        Ok(Err(error)) => flow.fail(EngineError::stage(name)(error)),
        Err(panic) => flow.fail(EngineError::stage(name)(StageError::plain(format!(
            "read: the source panicked: {}",
            panic_message(panic.as_ref())
        )))),
    }
}

/// Books what a source says of a thing; gives what travels on.
fn book_sourced(flow: &Flow, source_name: Option<&str>, sourced: Sourced) -> Option<(Vec<Item<Body>>, Vec<Loss>)> {
    let mut books = flow.books();
    let Some(source_name) = source_name else {
        // What another phase made has been booked there.
        return match sourced {
            Sourced::Item(item) => Some((vec![*item], Vec::new())),
            _ => None,
        };
    };
    let own = &mut books.stages[0];
    match sourced {
        Sourced::Item(item) => {
            own.keep(1);
            Some((vec![*item], Vec::new()))
        }
        Sourced::Rejected(head, rejection) => {
            own.reject(rejection.rule.name);
            Some((Vec::new(), vec![rejected(head, source_name, rejection)]))
        }
        Sourced::Failed(head, failure) => {
            own.fail(failure.class.name());
            flow.emit(&failed_event(source_name, &head, &failure));
            Some((Vec::new(), vec![failed(head, source_name, failure)]))
        }
        Sourced::Aside(kind) => {
            *books.aside.entry(kind).or_default() += 1;
            None
        }
    }
}

pub(crate) fn rejected(head: Head, stage: &str, rejection: item::Rejection) -> Loss {
    Loss {
        id: head.id,
        provenance: head.provenance,
        stage: stage.to_owned(),
        kind: LossKind::Rejected,
        rule: rejection.rule.name.to_owned(),
        detail: rejection.detail,
    }
}

fn failed(head: Head, stage: &str, failure: Failure) -> Loss {
    Loss {
        id: head.id,
        provenance: head.provenance,
        stage: stage.to_owned(),
        kind: LossKind::Failed,
        rule: failure.class.name().to_owned(),
        detail: failure.message,
    }
}

fn failed_event(stage: &str, head: &Head, failure: &Failure) -> RunEvent {
    RunEvent::ItemFailed {
        stage: stage.to_owned(),
        id: head.id.to_string(),
        url: head.provenance.url.clone(),
        class: failure.class.name().to_owned(),
        message: failure.message.clone(),
    }
}

// ---------------------------------------------------------------------------------------------------------- stages

async fn pump(
    flow: Arc<Flow>,
    stage: Arc<dyn DynStage>,
    book: usize,
    mut rx: mpsc::Receiver<Vec<Parcel>>,
    tx: mpsc::Sender<Vec<Parcel>>,
) {
    let limits = &flow.shared.limits;
    let slots = match stage.demand().resource {
        Resource::Cpu => limits.cpu_slots,
        Resource::Chrome => limits.chrome_slots,
        Resource::Gpu => limits.gpu_slots,
    };
    // One batch more than can work, so that a free slot finds work at hand.
    let in_flight = Arc::new(Semaphore::new(slots + 1));
    let mut tasks = JoinSet::new();
    let mut waiting = std::collections::VecDeque::new();
    loop {
        let permit = Arc::clone(&in_flight).acquire_owned().await.expect("never closed");
        let Some(batch) = next_batch(&mut rx, &mut waiting, stage.batch()).await else { break };
        let (flow, stage, tx) = (Arc::clone(&flow), Arc::clone(&stage), tx.clone());
        tasks.spawn(async move {
            let done = work(&flow, &stage, book, batch).await;
            // The slot is free by now; this wait holds nothing but the batch itself.
            let _closed = tx.send(done).await;
            drop(permit);
        });
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
}

/// The next batch: as large as wished if that much is at hand, else what there is. `None` at the end.
async fn next_batch(
    rx: &mut mpsc::Receiver<Vec<Parcel>>,
    waiting: &mut std::collections::VecDeque<Parcel>,
    wish: BatchSize,
) -> Option<Vec<Parcel>> {
    if waiting.is_empty() {
        waiting.extend(rx.recv().await?);
    }
    while waiting.len() < wish.items {
        match rx.try_recv() {
            Ok(more) => waiting.extend(more),
            Err(_) => break,
        }
    }
    let mut bytes = 0;
    let mut take = 0;
    for parcel in waiting.iter() {
        bytes += parcel.charge.bytes;
        if take > 0 && (take >= wish.items || bytes > wish.bytes) {
            break;
        }
        take += 1;
    }
    Some(waiting.drain(..take).collect())
}

async fn work(flow: &Arc<Flow>, stage: &Arc<dyn DynStage>, book: usize, mut parcels: Vec<Parcel>) -> Vec<Parcel> {
    if flow.stopped() {
        return Vec::new();
    }
    let counts: Vec<usize> = parcels.iter().map(|parcel| parcel.items.len()).collect();
    let items: Vec<Item<Body>> = parcels.iter_mut().flat_map(|parcel| std::mem::take(&mut parcel.items)).collect();
    if items.is_empty() {
        return parcels;
    }
    let started = Instant::now();
    let answer = match flow.shared.memo.of(stage.name()) {
        None => process(flow, stage, items).await.map_err(EngineError::stage(stage.name())),
        Some(memo) => process_unknown(flow, stage, memo, items).await,
    };
    match answer {
        Ok(answer) => {
            apply(flow, stage.name(), book, &mut parcels, &counts, answer, started);
            parcels
        }
        Err(error) => {
            flow.fail(error);
            Vec::new()
        }
    }
}

/// Puts the verdicts into the parcels and the books.
fn apply(
    flow: &Flow,
    stage: &str,
    book: usize,
    parcels: &mut [Parcel],
    counts: &[usize],
    answer: Answer,
    started: Instant,
) {
    let mut answers = answer.items.into_iter().zip(answer.verdicts);
    let mut all = flow.books();
    let books = &mut all.stages[book];
    let before = (books.seen, books.kept, books.rejected_total(), books.failed_total());
    for (parcel, count) in parcels.iter_mut().zip(counts) {
        for (item, verdict) in answers.by_ref().take(*count) {
            let Item { mut head, body } = item;
            match verdict {
                Verdict::Annotate(attributes) => {
                    books.keep(1);
                    head.attributes.merge(attributes);
                    parcel.items.push(Item { head, body });
                }
                Verdict::Keep(kept) => {
                    books.keep(1);
                    parcel.items.push(grown(head, kept));
                }
                Verdict::Fan(children) => {
                    books.keep(children.len() as u64);
                    for (index, kept) in children.into_iter().enumerate() {
                        let child = Head { id: head.id.child(index), ..head.clone() };
                        parcel.items.push(grown(child, kept));
                    }
                }
                Verdict::Reject(rejection) => {
                    books.reject(rejection.rule.name);
                    parcel.losses.push(rejected(head, stage, rejection));
                }
                Verdict::Fail(failure) => {
                    books.fail(failure.class.name());
                    flow.emit(&failed_event(stage, &head, &failure));
                    parcel.losses.push(failed(head, stage, failure));
                }
            }
        }
        parcel.charge.resize(parcel.items.iter().map(Item::size_bytes).sum());
    }
    let event = RunEvent::BatchProcessed {
        phase: flow.shared.phase.to_string(),
        stage: stage.to_owned(),
        seen: books.seen - before.0,
        kept: books.kept - before.1,
        rejected: books.rejected_total() - before.2,
        failed: books.failed_total() - before.3,
        recalled: answer.recalled,
        elapsed_ms: started.elapsed().as_millis() as u64,
    };
    drop(all);
    flow.emit(&event);
}

fn grown(mut head: Head, kept: item::Kept<Body>) -> Item<Body> {
    head.attributes.merge(kept.attributes);
    Item { head, body: kept.body }
}

/// What a stage gave for a batch: the items as they went in, and one verdict for each.
struct Answer {
    items: Vec<Item<Body>>,
    verdicts: Vec<Verdict<Body>>,
    /// Verdicts that were known already.
    recalled: u64,
}

/// Has the stage process what it has not answered before, and remembers what it says.
async fn process_unknown(
    flow: &Arc<Flow>,
    stage: &Arc<dyn DynStage>,
    memo: Arc<StageMemo>,
    items: Vec<Item<Body>>,
) -> Result<Answer, EngineError> {
    let reading = Arc::clone(&memo);
    let Recalled { items, keys, verdicts } = blocking(move || reading.recall(items)).await;
    let mut answers: Vec<Option<(Item<Body>, Verdict<Body>)>> = Vec::with_capacity(items.len());
    let (mut unknown, mut places) = (Vec::new(), Vec::new());
    for (place, (item, verdict)) in items.into_iter().zip(verdicts).enumerate() {
        if let Some(verdict) = verdict {
            answers.push(Some((item, verdict)));
        } else {
            answers.push(None);
            places.push(place);
            unknown.push(item);
        }
    }
    let recalled = (keys.len() - unknown.len()) as u64;
    if !unknown.is_empty() {
        let Answer { items, verdicts, .. } =
            process(flow, stage, unknown).await.map_err(EngineError::stage(stage.name()))?;
        let asked: Vec<_> = places.iter().map(|&place| keys[place]).collect();
        let verdicts = blocking(move || {
            let answers: Vec<_> = asked.into_iter().zip(&verdicts).collect();
            memo.remember(&answers).map(|()| verdicts)
        });
        for (place, answer) in places.into_iter().zip(items.into_iter().zip(verdicts.await?)) {
            answers[place] = Some(answer);
        }
    }
    let (items, verdicts) = answers.into_iter().flatten().unzip();
    Ok(Answer { items, verdicts, recalled })
}

/// Has the stage process a batch where its resource wants it, within the deadline.
async fn process(flow: &Arc<Flow>, stage: &Arc<dyn DynStage>, items: Vec<Item<Body>>) -> Result<Answer, StageError> {
    let resource = stage.demand().resource;
    let batch = Arc::new(stage.accept(items));
    let permit = flow.shared.slots.take(resource).await;
    let (tx, rx) = oneshot::channel();
    let job = {
        let (flow, stage, batch) = (Arc::clone(flow), Arc::clone(stage), Arc::clone(&batch));
        move || {
            // The slot belongs to the work itself: work that outlives its deadline still takes up a core or a tab.
            let _permit = permit;
            let verdicts = isolated(&flow, stage.as_ref(), &batch);
            drop(batch);
            let _nobody_waits = tx.send(verdicts);
        }
    };
    if resource == Resource::Cpu {
        rayon::spawn(job);
    } else {
        // Ends by itself within the stage's own deadlines; the receiver is what owns its outcome.
        tokio::task::spawn_blocking(job);
    }
    match tokio::time::timeout(flow.shared.limits.batch_deadline, rx).await {
        Ok(Ok(verdicts)) => {
            let verdicts = verdicts?;
            let batch = Arc::try_unwrap(batch).expect("the job lets go of the batch before it answers");
            Ok(Answer { items: batch.into_items(), verdicts, recalled: 0 })
        }
        Ok(Err(_)) => Err(StageError::plain("answer: the worker thread went away")),
        Err(_) => {
            let seconds = flow.shared.limits.batch_deadline.as_secs();
            let message = format!("no answer within the batch deadline of {seconds} s");
            let items: Vec<Item<Body>> = batch.heads().into_iter().map(without_body).collect();
            let verdicts = items.iter().map(|_| Verdict::fail(FailureClass::Timeout, &*message)).collect();
            Ok(Answer { items, verdicts, recalled: 0 })
        }
    }
}

/// Does work that waits for a disk on a thread that may wait; a panic goes on in the caller.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// An item whose body is held by work that hangs; good for its own obituary only.
fn without_body(head: Head) -> Item<Body> {
    Item { head, body: Body::Page(item::Page { html: String::new() }) }
}

/// Processes a batch; if that panics, item by item, so that one evil page costs one page.
fn isolated(flow: &Flow, stage: &dyn DynStage, batch: &TypedBatch) -> Result<Vec<Verdict<Body>>, StageError> {
    let context = Context { cancel: &flow.shared.cancel, observer: flow.shared.observer.as_ref() };
    let attempt = |part| catch_unwind(AssertUnwindSafe(|| stage.process(batch, part, context)));
    if let Ok(verdicts) = attempt(0..batch.len()) {
        return verdicts;
    }
    let mut verdicts = Vec::with_capacity(batch.len());
    for index in 0..batch.len() {
        match attempt(index..index + 1) {
            Ok(verdict) => verdicts.extend(verdict?),
            Err(panic) => verdicts.push(Verdict::fail(
                FailureClass::Panic,
                format!("stage `{}` panicked: {}", stage.name(), panic_message(panic.as_ref())),
            )),
        }
    }
    Ok(verdicts)
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

// ---------------------------------------------------------------------------------------------------------- collector

/// Puts the parcels back into the order of the feed and hands them to `collect`.
fn run_collector(
    flow: &Flow,
    mut collect: impl Collect,
    mut rx: mpsc::Receiver<Vec<Parcel>>,
) -> Result<Collected, EngineError> {
    let mut early = std::collections::BTreeMap::new();
    let mut next = 0;
    while let Some(parcels) = rx.blocking_recv() {
        for parcel in parcels {
            early.insert(parcel.seq, parcel);
        }
        while let Some(parcel) = early.remove(&next) {
            next += 1;
            if let Err(error) = collect.take(parcel.items, parcel.losses) {
                flow.stop.cancel();
                return Err(error);
            }
        }
    }
    let complete = early.is_empty() && !flow.stopped();
    if complete { collect.finish() } else { Err(EngineError::Interrupted) }
}

// ---------------------------------------------------------------------------------------------------------- budget

/// What is in flight, in parcels and bytes.
#[derive(Debug)]
struct Budget {
    parcels_max: usize,
    bytes_max: usize,
    used: Mutex<Used>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Used {
    parcels: usize,
    bytes: usize,
}

impl Budget {
    fn new(parcels_max: usize, bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { parcels_max, bytes_max, used: Mutex::default(), freed: Condvar::new() })
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A parcel fits, or is alone: one that is larger than the whole budget must pass some time.
    fn fits(&self, used: &Used, bytes: usize) -> bool {
        used.parcels == 0 || (used.parcels < self.parcels_max && used.bytes + bytes <= self.bytes_max)
    }

    fn would_wait(&self, bytes: usize) -> bool {
        !self.fits(&self.used(), bytes)
    }

    /// Waits until a parcel fits; `None` when the flow stops first.
    fn enter(self: &Arc<Self>, bytes: usize, stopped: impl Fn() -> bool) -> Option<Charge> {
        let mut used = self.used();
        while !self.fits(&used, bytes) {
            if stopped() {
                return None;
            }
            used = self.freed.wait_timeout(used, CANCEL_POLL).unwrap_or_else(PoisonError::into_inner).0;
        }
        used.parcels += 1;
        used.bytes += bytes;
        Some(Charge { budget: Arc::clone(self), bytes })
    }
}

/// A parcel's share of the budget, given back when dropped.
#[derive(Debug)]
struct Charge {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Charge {
    /// The parcel has become larger (a page got its screenshot) or smaller. Never waits: only the feed does.
    fn resize(&mut self, bytes: usize) {
        let mut used = self.budget.used();
        used.bytes = used.bytes - self.bytes + bytes;
        self.bytes = bytes;
        drop(used);
        self.budget.freed.notify_all();
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let mut used = self.budget.used();
        used.parcels -= 1;
        used.bytes -= self.bytes;
        drop(used);
        self.budget.freed.notify_all();
    }
}
