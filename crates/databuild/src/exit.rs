//! Exit codes: what a supervisor may conclude. Each number stands once, here.

use std::process::ExitCode;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// Done; if it was a run, a dataset was committed.
    Ok = 0,
    /// Something that should not happen; please report it.
    Bug = 1,
    /// Arguments or pipeline file are wrong; nothing was touched. Never again like this.
    Usage = 2,
    /// Something that is needed is missing or refuses: store, Chrome, model, disk. Again once that is mended.
    Environment = 3,
    /// Too many items failed; nothing was committed. Look at the failures first.
    OverBudget = 4,
    /// Stopped on request; the next run goes on from here.
    Interrupted = 5,
    /// What was checked is not as it should be (`verify`, `doctor`).
    CheckFailed = 7,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// The table that `--help` prints.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done; a run has committed its dataset
  1  a bug: please report it
  2  arguments or pipeline file are wrong; nothing was touched
  3  something is missing or refuses: store, Chrome, ONNX Runtime, disk
  4  too many items failed; nothing was committed
  5  stopped on request; the next run goes on
  7  what was checked is not as it should be";
