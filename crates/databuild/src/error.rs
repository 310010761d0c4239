//! Errors as people read them: what failed, why, and what to try.

use engine::{DiskTrouble, EngineError};
use pipeline::PipelineError;
use store::StoreError;

use crate::exit::ExitStatus;

/// A command that did not work: the chain of causes, hints, and the exit code.
#[derive(Debug)]
pub(crate) struct CommandError {
    status: ExitStatus,
    chain: anyhow::Error,
    hints: Vec<String>,
}

impl CommandError {
    pub(crate) fn new(status: ExitStatus, chain: impl Into<anyhow::Error>) -> Self {
        Self { status, chain: chain.into(), hints: Vec::new() }
    }

    /// Arguments that make no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::Usage, anyhow::Error::msg(message.into()))
    }

    /// Something that is needed is missing or refuses.
    pub(crate) fn environment(chain: impl Into<anyhow::Error>) -> Self {
        Self::new(ExitStatus::Environment, chain)
    }

    /// Adds a hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub(crate) fn status(&self) -> ExitStatus {
        self.status
    }

    /// The text: the chain on one line per cause, then the hints.
    pub(crate) fn render(&self) -> String {
        let mut text = String::from("error: failed to ");
        text.push_str(&self.chain.to_string());
        for cause in self.chain.chain().skip(1) {
            text.push_str("\n  because: ");
            text.push_str(cause.to_string().trim_end());
        }
        for hint in &self.hints {
            text.push_str("\nhint: ");
            text.push_str(hint);
        }
        text
    }
}

impl From<PipelineError> for CommandError {
    fn from(error: PipelineError) -> Self {
        let status = match &error {
            PipelineError::Store(_) | PipelineError::Setup { table: "render" | "score" | "run", .. } => {
                ExitStatus::Environment
            }
            _ => ExitStatus::Usage,
        };
        let hints = error.hints();
        Self { status, chain: error.into(), hints }
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let hints = error.hint().into_iter().collect();
        Self { status: ExitStatus::Environment, chain: error.into(), hints }
    }
}

/// What to do about the disk of the store.
fn disk_hint(trouble: DiskTrouble) -> &'static str {
    match trouble {
        DiskTrouble::Full => {
            "the disk is full: make room (`databuild store prune FILE` removes what no dataset needs) and run the same command again; what is finished is kept"
        }
        DiskTrouble::ReadOnly => "nothing may be written there: mount it for writing, or name another store",
        DiskTrouble::Missing => {
            "files of the store were removed while it was in use; run the same command again, and what is missing is made again"
        }
    }
}

impl From<EngineError> for CommandError {
    fn from(error: EngineError) -> Self {
        if let Some(trouble) = error.disk() {
            return Self::new(ExitStatus::Environment, error).hint(disk_hint(trouble));
        }
        if let EngineError::Store(trouble) = &error
            && let Some(hint) = trouble.hint()
        {
            return Self::new(ExitStatus::Environment, error).hint(hint);
        }
        let (status, hint) = match &error {
            EngineError::Mismatch { .. } => (ExitStatus::Bug, "please report this with your pipeline file"),
            EngineError::OverBudget { .. } => (
                ExitStatus::OverBudget,
                "the failures are in the events above; `run.failed_share_max` sets how many are allowed",
            ),
            EngineError::Superseded => (
                ExitStatus::Environment,
                "this machine slept, or its store did not answer for long; run the same command again to see the outcome",
            ),
            EngineError::Interrupted => (ExitStatus::Interrupted, "run the same command again to go on from here"),
            EngineError::Record { .. } => (
                ExitStatus::Environment,
                "remove that file from the store and run the same command again: what it told of is made again",
            ),
            EngineError::Store(_) | EngineError::Rest(_) => {
                (ExitStatus::Environment, "look at the disk of the store: space, permissions, health")
            }
            EngineError::Stage { stage, .. } if stage == "source" => (
                ExitStatus::Environment,
                "look at `[source]`, at the archive and at the network; what is finished is kept, and the same command goes on from there",
            ),
            EngineError::Stage { stage, .. } if stage == "model" => (
                ExitStatus::Environment,
                "`databuild vlm check --url URL --model NAME` says what the server does; a key stands in DATABUILD_MODEL_KEY",
            ),
            EngineError::Stage { stage, .. } if stage == "sink" => (
                ExitStatus::Environment,
                "run the same command again: what the stages made is kept, only the dataset is written anew",
            ),
            EngineError::Stage { .. } => (ExitStatus::Environment, "`databuild doctor` checks what the stages need"),
        };
        Self::new(status, error).hint(hint)
    }
}
