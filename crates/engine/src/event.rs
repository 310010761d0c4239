//! What happens in a run, as data: the progress display, the JSON log and the report are readers of this one stream.

use serde::Serialize;

use crate::{PhaseBooks, Plan};

/// Something that happened. Names are noun and past verb.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RunEvent {
    /// The run knows what it will do first.
    RunStarted {
        /// Name of the run.
        name: String,
        /// Partitions of the source.
        partitions: usize,
        /// Their bytes.
        bytes: u64,
    },
    /// A phase begins.
    PhaseStarted {
        /// Its name.
        phase: String,
        /// Stages, in order.
        stages: Vec<String>,
        /// Units of work.
        units: usize,
        /// Units whose result is there already.
        reused: usize,
        /// Items that will enter, where that is known.
        items: Option<u64>,
    },
    /// A stage has answered a batch.
    BatchProcessed {
        /// The phase.
        phase: String,
        /// The stage.
        stage: String,
        /// Items that entered.
        seen: u64,
        /// Items that go on.
        kept: u64,
        /// Items that a rule refused.
        rejected: u64,
        /// Items that could not be processed.
        failed: u64,
        /// Items whose answer was remembered.
        recalled: u64,
        /// How long it took.
        elapsed_ms: u64,
    },
    /// A source has read on.
    SourceRead {
        /// The partition.
        partition: String,
        /// Items found so far in this partition.
        items: u64,
    },
    /// An item could not be processed.
    ItemFailed {
        /// The stage.
        stage: String,
        /// The item.
        id: String,
        /// Its URL.
        url: String,
        /// The class of trouble.
        class: String,
        /// The error chain.
        message: String,
    },
    /// A unit of work is done and published.
    PartitionCommitted {
        /// The phase.
        phase: String,
        /// The partition.
        partition: String,
        /// Items that it gave.
        items: u64,
        /// How long it took.
        elapsed_ms: u64,
    },
    /// A phase is over; its books balance.
    PhaseEnded {
        /// Its name.
        phase: String,
        /// Its books.
        books: PhaseBooks,
    },
    /// A barrier has decided.
    BarrierDecided {
        /// Its name.
        barrier: String,
        /// Items that it saw.
        seen: u64,
        /// Items that go on.
        kept: u64,
        /// The decisions were there already.
        reused: bool,
    },
    /// A browser was replaced.
    BrowserReplaced {
        /// Why.
        reason: String,
    },
    /// A tab was thrown away, because its page hung or its renderer crashed.
    TabReplaced {
        /// What happened to it.
        message: String,
    },
    /// A page is rendered once more, in a browser of its own, to find out whether it was the one that broke the last.
    PageRetried {
        /// What happened to it.
        message: String,
    },
    /// A process of a browser was ended for its memory.
    ProcessKilled {
        /// What it used.
        memory_bytes: u64,
    },
    /// How the browsers do, every few seconds.
    FarmSeen {
        /// Pages that have their answer, since the browsers were started.
        pages: u64,
        /// Pages a second, since the last such event.
        pages_per_s: f64,
        /// Tabs that render now.
        tabs_busy: usize,
        /// All tabs.
        tabs: usize,
        /// Browsers that were replaced so far.
        restarts: u64,
        /// Memory of each browser, shared pages not counted.
        memory_bytes: Vec<u64>,
    },
    /// How a model does.
    ModelSeen {
        /// Requests that got an answer, since the run began.
        requests: u64,
        /// Requests that had to be sent again.
        retries: u64,
        /// Answers that were remembered from before.
        recalled: u64,
        /// Tokens that were asked.
        prompt_tokens: u64,
        /// Tokens that were answered.
        completion_tokens: u64,
        /// Time that requests took, all of them added up.
        elapsed_ms: u64,
    },
    /// A note for people, about something that is neither an item nor an error.
    Noted {
        /// The note.
        message: String,
    },
    /// The dataset is there.
    DatasetCommitted {
        /// Rows of its main subset.
        rows: u64,
        /// Files.
        files: usize,
        /// Bytes of all files.
        bytes: u64,
        /// It was there already.
        reused: bool,
    },
    /// What a dry run found.
    Planned {
        /// The plan.
        plan: Plan,
    },
}

/// A reader of run events. Called from many threads; must not block for long.
pub trait Observer: Send + Sync {
    /// Takes note of an event.
    fn event(&self, event: &RunEvent);
}

/// Takes note of nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &RunEvent) {}
}
