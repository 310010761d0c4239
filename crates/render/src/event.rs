//! What a farm tells of itself.

use std::sync::Arc;

/// Why a browser was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RestartReason {
    /// It had rendered its share of pages.
    Pages,
    /// It was old.
    Age,
    /// It used more memory than it should keep.
    Memory,
    /// It ended by itself or was killed from outside.
    Died,
    /// It stopped answering.
    Hung,
}

impl RestartReason {
    /// Every reason, in the order of [`FarmStats::restarts`].
    pub const ALL: [Self; 5] = [Self::Pages, Self::Age, Self::Memory, Self::Died, Self::Hung];

    /// The kebab-case name, as in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pages => "pages",
            Self::Age => "age",
            Self::Memory => "memory",
            Self::Died => "died",
            Self::Hung => "hung",
        }
    }
}

/// The steps of a render, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The tab becomes blank after the page before.
    Clear,
    /// The document is handed over, parsed, and its style sheets and pictures are there.
    Load,
    /// One frame is drawn, and what moves comes to rest.
    Settle,
    /// Boxes, styles and texts of all elements are read.
    Layout,
    /// The screenshot is painted, encoded and handed over.
    Paint,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 5] = [Self::Clear, Self::Load, Self::Settle, Self::Layout, Self::Paint];

    /// The word for tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Load => "load",
            Self::Settle => "settle",
            Self::Layout => "layout",
            Self::Paint => "paint",
        }
    }

    /// What the page is after the step.
    pub(crate) const fn done(self) -> &'static str {
        match self {
            Self::Clear => "cleared",
            Self::Load => "loaded",
            Self::Settle => "settled",
            Self::Layout => "laid out",
            Self::Paint => "painted",
        }
    }
}

/// Something happened to a browser or a tab; pages are the caller's to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FarmEvent {
    /// A browser was replaced.
    BrowserReplaced {
        /// Which of the farm's browsers, from 0.
        browser: usize,
        /// Why.
        reason: RestartReason,
    },
    /// A tab was thrown away because its renderer crashed or its page hung.
    TabReplaced {
        /// Which of the farm's browsers, from 0.
        browser: usize,
        /// What happened to it.
        message: String,
    },
    /// A page is rendered once more in a browser of its own, because its renderer or its browser died.
    PageRetried {
        /// What happened to it.
        message: String,
    },
    /// A process was killed for its memory.
    ProcessKilled {
        /// Bytes that it used.
        memory_bytes: u64,
    },
    /// A step of a render is over, well or not. Told from the thread that renders, several times a page.
    StepEnded {
        /// Which.
        step: Step,
        /// How long it took.
        elapsed: std::time::Duration,
    },
    /// Memory of each running browser, every few seconds: shared pages not counted, the oldest browser first.
    MemorySeen {
        /// Bytes.
        browsers: Vec<u64>,
    },
}

/// Called for each event, from the thread where it happens; must return quickly.
pub type Observer = Arc<dyn Fn(FarmEvent) + Send + Sync>;

/// Counts since the farm started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FarmStats {
    /// Pages that were asked for and have their answer.
    pub pages: u64,
    /// Pages that were rendered a second time, in a browser of their own.
    pub retries: u64,
    /// Requests that pages made, each of which was refused: a cleaned page makes none.
    pub requests_refused: u64,
    /// Tabs that are rendering now.
    pub tabs_busy: usize,
    /// Tabs that were thrown away.
    pub tabs_replaced: u64,
    /// Tabs that were exchanged for fresh ones, because a page has font sizes that they would have drawn otherwise.
    pub tabs_renewed: u64,
    /// Browsers that were replaced, by reason, in the order of [`RestartReason::ALL`].
    pub restarts: [u64; RestartReason::ALL.len()],
    /// Memory of all browsers when last looked at, shared pages not counted.
    pub memory_bytes: u64,
    /// The most that one browser was seen to use.
    pub browser_memory_peak_bytes: u64,
    /// Processor time of all browsers so far, also of those that have ended.
    pub chrome_cpu: std::time::Duration,
}

impl FarmStats {
    /// Browsers that were replaced for that reason.
    pub fn restarts_for(&self, reason: RestartReason) -> u64 {
        self.restarts[reason as usize]
    }
}
