//! `databuild schema`, `databuild completions`

use clap::CommandFactory as _;
use dataset::{Manifest, Subset};

use super::Outcome;
use crate::cli::Cli;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Prints a schema.
pub(crate) fn schema(of: &str, printer: Printer) -> Outcome {
    if of == "pipeline" {
        let json = serde_json::to_string_pretty(&pipeline::json_schema());
        printer.data(&json.map_err(|error| CommandError::new(ExitStatus::Bug, error))?);
        return Ok(());
    }
    if of == "manifest" {
        printer.data(Manifest::json_schema().trim_end());
        return Ok(());
    }
    let subset = Subset::ALL.into_iter().find(|subset| subset.name() == of);
    let subset = subset.ok_or_else(|| {
        let known: Vec<&str> = Subset::ALL.iter().map(|subset| subset.name()).collect();
        CommandError::usage(format!("print the schema of `{of}`: there is no such subset"))
            .hint(format!("known are: pipeline, manifest, {}", known.join(", ")))
    })?;
    printer.data(subset.schema_text().trim_end());
    Ok(())
}

/// Prints completions.
pub(crate) fn completions(shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut Cli::command(), "databuild", &mut std::io::stdout());
}
