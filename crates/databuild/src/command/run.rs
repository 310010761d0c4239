//! `databuild run FILE`

use std::sync::Arc;
use std::time::Duration;

use engine::{Cancel, EngineError, Observer, Outcome as RunOutcome, RunSummary};
use pipeline::Built;

use super::{Outcome, build};
use crate::cli::RunArgs;
use crate::error::CommandError;
use crate::events::{JsonLog, JsonProgress, Readers};
use crate::exit::ExitStatus;
use crate::funnel;
use crate::metrics::{self, Metrics};
use crate::printer::Printer;
use crate::progress::Bars;

/// The longest that threads which still wait on something may take to end after the run is over, and to remove what they
/// had put aside; they are killed with the browsers, so it is a matter of milliseconds.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Runs a pipeline, prints its funnel, writes its report.
pub(crate) fn run(args: &RunArgs, printer: Printer) -> Outcome {
    let (_, built, _) = build(&args.file)?;
    run_built(&built, args, printer)
}

/// The same of a pipeline that was set up already.
pub(super) fn run_built(built: &Built, args: &RunArgs, printer: Printer) -> Outcome {
    let observer = observer(args, printer)?;
    let summary = run_to_end(built, observer, printer)?;
    let record = &summary.record;
    if record.outcome == RunOutcome::Unchanged {
        printer.note(&format!("`{}` is up to date: nothing to do", record.name));
    }
    printer.note(funnel::table(record).trim_end());
    if let Some(model) = record.spent.get("model") {
        printer.note(&used(model));
    }
    let dataset = &record.dataset;
    printer.note(&format!(
        "{} rows in {} files, {:.1} MB, {:.1} s",
        dataset.rows,
        dataset.files,
        dataset.bytes as f64 / 1e6,
        record.elapsed_ms as f64 / 1e3
    ));
    if !args.no_report {
        let report = super::report::write(built, record.outcome == RunOutcome::Committed)?;
        printer.note(&format!("report: {report}"));
    }
    printer.data(&format!("{}/{}", built.store.location(), summary.dataset));
    Ok(())
}

/// What a model was asked in this run.
fn used(model: &serde_json::Value) -> String {
    let count = |name: &str| model[name].as_u64().unwrap_or_default();
    format!(
        "model: {} requests ({} sent again, {} answers remembered), {} tokens asked, {} answered, {:.1} s",
        count("requests"),
        count("retries"),
        count("recalled"),
        count("prompt_tokens"),
        count("completion_tokens"),
        model["seconds"].as_f64().unwrap_or_default()
    )
}

fn observer(args: &RunArgs, printer: Printer) -> Result<Arc<dyn Observer>, CommandError> {
    let mut readers: Vec<Arc<dyn Observer>> = Vec::new();
    if printer.draws_progress() {
        readers.push(Arc::new(Bars::new()));
    } else if !printer.is_quiet() {
        readers.push(Arc::new(JsonProgress::default()));
    }
    if let Some(path) = &args.events {
        let log = JsonLog::create(path).map_err(|error| {
            CommandError::usage(format!("write events to `{}`: {error}", path.display()))
                .hint("the folder has to exist; the file is written anew")
        })?;
        readers.push(Arc::new(log));
    }
    if let Some(address) = args.metrics {
        let metrics = Arc::new(Metrics::new());
        let bound = metrics::serve(&metrics, address).map_err(|error| {
            CommandError::usage(format!("serve metrics at `{address}`: {error}"))
                .hint("take another port; port 0 finds a free one")
        })?;
        printer.note(&format!("metrics: http://{bound}/metrics"));
        readers.push(metrics);
    }
    Ok(Arc::new(Readers(readers)))
}

fn run_to_end(built: &Built, observer: Arc<dyn Observer>, printer: Printer) -> Result<RunSummary, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::new(ExitStatus::Environment, error))?;
    let cancel = Cancel::new();
    let outcome = runtime.block_on(async {
        let run = engine::run(&built.pipeline, &built.store, &built.options, cancel.clone(), observer);
        tokio::pin!(run);
        tokio::select! {
            outcome = &mut run => outcome,
            () = stop_signal() => {
                printer.note("stopping: what is finished is kept; once more to stop at once");
                cancel.cancel();
                tokio::select! {
                    outcome = &mut run => outcome,
                    () = stop_signal() => Err(EngineError::Interrupted),
                }
            }
        }
    });
    runtime.shutdown_timeout(SHUTDOWN_GRACE);
    outcome.map_err(CommandError::from)
}

/// Waits for Ctrl-C or a polite kill.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => {
            if interrupted.is_err() {
                std::future::pending::<()>().await;
            }
        }
        () = terminate => {}
    }
}
