//! `databuild score`: numbers for pictures, and what a scorer is trained and tested on.

mod eval;
mod looks;
mod paths;
mod states;

use std::path::Path;

use score::{Runtime, find_runtime};
use stages::{PageScorer, scorer_config, scorer_model};

use super::Outcome;
use crate::cli::{ModelArgs, ScoreArgs, ScoreCommand};
use crate::environment;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

pub(crate) fn score(args: &ScoreArgs, printer: Printer) -> Outcome {
    match &args.command {
        None => paths::paths(&args.of, printer),
        Some(ScoreCommand::States(args)) => states::states(args, printer),
        Some(ScoreCommand::Eval(args)) => eval::eval(args, printer),
    }
}

/// The model, ready to score; says where it runs.
fn scorer(args: &ModelArgs, printer: Printer) -> Result<PageScorer, CommandError> {
    let model = scorer_model(&args.model, Path::new("")).map_err(|error| {
        CommandError::new(ExitStatus::Usage, error)
            .hint("give the name of a built-in model, or a folder with a `model.toml`")
    })?;
    let load = || {
        let runtime = Runtime::load(&find_runtime(&environment::read().onnx_runtime)?)?;
        PageScorer::new(&runtime, &model, &scorer_config(args.device))
    };
    let scorer = load().map_err(|error| {
        CommandError::environment(error).hint(
            "`databuild doctor` says how to get ONNX Runtime; a card needs its GPU build, `--device cpu` does not",
        )
    })?;
    printer.note(&format!("{} on {}", scorer.label(), scorer.scorer().device()));
    Ok(scorer)
}
