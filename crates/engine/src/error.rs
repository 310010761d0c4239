//! Trouble with the world; trouble with one item is a verdict and never gets here.

use item::BodyKind;

use crate::RestError;

/// A stage, source, barrier or sink cannot go on: the run ends.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct StageError {
    doing: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StageError {
    /// What was tried (fits after "failed to …"), and why it did not work.
    pub fn new(doing: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
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
    Store(#[from] store::StoreError),
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

impl EngineError {
    pub(crate) fn stage(stage: &str) -> impl FnOnce(StageError) -> Self {
        let stage = stage.to_owned();
        move |source| Self::Stage { stage, source }
    }
}
