//! Arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::exit;

/// Web archives to verified UI training data.
///
/// Reads WARC files, cleans the pages, renders them in headless Chrome, drops near-duplicates, scores what is left and
/// writes Parquet. Running a file again does only what changed.
#[derive(Debug, Parser)]
#[command(version, after_help = exit::HELP)]
pub(crate) struct Cli {
    /// Say nothing but errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a pipeline to its dataset, doing only what has no result yet.
    Run(RunArgs),
    /// Say what a run would do, and why, without doing it.
    Plan(PlanArgs),
    /// Check a pipeline file without looking at the data.
    Check(FileArgs),
    /// Show what is in a WARC file, a Parquet shard or a dataset.
    Inspect(InspectArgs),
    /// Render rows again from their stored code and compare the pixels with the stored screenshots.
    Verify(VerifyArgs),
    /// Write the HTML report of the last run.
    Report(FileArgs),
    /// Say what is installed, what is missing and how to get it.
    Doctor,
    /// Print the JSON Schema of the pipeline file, or the columns of a subset.
    Schema {
        /// `pipeline`, `pages` or `rejects`.
        #[arg(default_value = "pipeline")]
        of: String,
    },
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The pipeline file.
    pub(crate) file: PathBuf,
    /// Set a key of the file, such as `render.tabs=8`; may be given more than once.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) sets: Vec<String>,
    /// Folder of the state and of the dataset, instead of the one that the file names.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Write every event to this file, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Do not write the HTML report.
    #[arg(long)]
    pub(crate) no_report: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Print the plan as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A WARC file, a Parquet file, or the folder of a dataset.
    pub(crate) path: PathBuf,
    /// Print JSON lines instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// WARC: print the block of the record at this offset, as it is.
    #[arg(long, value_name = "BYTES")]
    pub(crate) offset: Option<u64>,
    /// WARC: compare the digests in record headers with the bytes.
    #[arg(long)]
    pub(crate) digests: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The folder of a dataset.
    pub(crate) dataset: PathBuf,
    /// Rows to render again, chosen by hash; all by default.
    #[arg(long, value_name = "N")]
    pub(crate) sample: Option<usize>,
    /// Tabs of the Chrome farm; by default what the machine can feed.
    #[arg(long, value_name = "N")]
    pub(crate) tabs: Option<usize>,
    /// The Chrome to use, instead of the one found in PATH.
    #[arg(long, value_name = "FILE")]
    pub(crate) chrome: Option<PathBuf>,
}

/// Reads the arguments; prints help or usage errors and ends where clap does.
pub(crate) fn parse() -> Cli {
    Cli::parse()
}
