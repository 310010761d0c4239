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

mod budget;
mod feed;
mod process;
mod pump;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use item::{Body, Item, Loss};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use budget::{Budget, Charge};
use feed::run_feed;
use pump::pump;

use crate::collect::Collected;
use crate::memo::Memo;
use crate::slots::Slots;
use crate::{
    BatchSize, Cancel, DynStage, EngineError, Limits, Observer, PhaseBooks, Resource, RunEvent, SourceContext, Sourced,
    StageError,
};

pub(crate) use feed::rejected;
pub(crate) use process::blocking;

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
    let batch = stages.first().map_or(BatchSize { items: 16, bytes: 1 << 20 }, |stage| stage.batch());
    let flow = Arc::new(Flow {
        shared: shared.clone(),
        books: Mutex::new(PhaseBooks::new(names)),
        budget: Budget::new(parcels_max(stages, &shared.limits), shared.limits.partition_bytes, batch.items),
        fault: Mutex::new(None),
        stop: Cancel::new(),
    });
    // Dropping the set (on cancellation) ends all tasks of the flow.
    let mut tasks: JoinSet<()> = JoinSet::new();

    let (feed_out, mut rx) = mpsc::channel(CHANNEL_BATCHES);
    let feeding = Arc::clone(&flow);
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
        Resource::Network => Some(limits.network_slots),
        Resource::Model => Some(limits.model_slots),
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
