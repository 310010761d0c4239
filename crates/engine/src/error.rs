//! Trouble with the world; trouble with one item is a verdict and never gets here.

use std::error::Error;
use std::io;

use item::BodyKind;
use store::StoreError;

use crate::RestError;

/// A stage, source, barrier or sink cannot go on: the run ends.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct StageError {
    doing: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StageError {
    /// What was tried (fits after "failed to …"), and why it did not work.
    pub fn new(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { doing: doing.into(), source: Some(source.into()) }
    }

    /// Trouble that has no deeper cause.
    pub fn plain(doing: impl Into<String>) -> Self {
        Self { doing: doing.into(), source: None }
    }
}

/// Why a run ended without its dataset.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Neighbouring stages do not fit.
    #[error("connect the pipeline: `{stage}` takes {takes:?}, but `{before}` gives {gives:?}")]
    Mismatch {
        /// The stage that would get the wrong body.
        stage: String,
        /// What it takes.
        takes: BodyKind,
        /// What stands before it.
        before: String,
        /// What that gives.
        gives: BodyKind,
    },
    /// A source, stage, barrier or sink gave up.
    #[error("run `{stage}`")]
    Stage {
        /// Its name.
        stage: String,
        /// Its trouble.
        #[source]
        source: StageError,
    },
    /// The state could not be read or written.
    #[error("use the store")]
    Store(#[from] StoreError),
    /// A rest file could not be read or written.
    #[error("use what rests between phases")]
    Rest(#[from] RestError),
    /// A published record of ours does not parse.
    #[error("read `{name}` from the store")]
    Record {
        /// The blob.
        name: String,
        /// The parser's word.
        #[source]
        source: serde_json::Error,
    },
    /// Too many items failed for the dataset to be trusted.
    #[error("finish phase `{phase}` within its budget: {failed} of {seen} items failed, {allowed:.1} % are allowed")]
    OverBudget {
        /// The phase.
        phase: String,
        /// Items that failed in it.
        failed: u64,
        /// Items that entered it.
        seen: u64,
        /// Allowed failures in percent.
        allowed: f64,
    },
    /// This process was silent for so long that another one took over its work.
    #[error("write the dataset: another process took this one for dead and writes it")]
    Superseded,
    /// The user stopped the run; what was committed stays.
    #[error("finish: the run was interrupted")]
    Interrupted,
}

/// What is wrong with the disk of the store, where the system says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskTrouble {
    /// It is full, or the user's share of it is.
    Full,
    /// Nothing may be written to it.
    ReadOnly,
    /// What we had put there is gone.
    Missing,
}

impl EngineError {
    /// Whether it is the disk that ended the run: such an end has a remedy, and the same one whoever met with it.
    pub fn disk(&self) -> Option<DiskTrouble> {
        let mut of_store = false;
        let mut next: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = next {
            of_store |= matches!(error.downcast_ref(), Some(Self::Store(_) | Self::Rest(_)));
            if let Some(StoreError::Gone { .. } | StoreError::NotFound { .. }) = error.downcast_ref() {
                return Some(DiskTrouble::Missing);
            }
            match error.downcast_ref().map(io::Error::kind) {
                Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => return Some(DiskTrouble::Full),
                Some(io::ErrorKind::ReadOnlyFilesystem) => return Some(DiskTrouble::ReadOnly),
                // A stage may miss files of its own, such as a model or a browser.
                Some(io::ErrorKind::NotFound) if of_store => return Some(DiskTrouble::Missing),
                _ => next = error.source(),
            }
        }
        None
    }

    pub(crate) fn stage(stage: &str) -> impl FnOnce(StageError) -> Self {
        let stage = stage.to_owned();
        move |source| Self::Stage { stage, source }
    }
}
