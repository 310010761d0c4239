//! `databuild status FILE`: how far a pipeline has come, who works on it, and how its last run ended.

use std::sync::Arc;

use engine::{Held, Outcome as RunOutcome, Plan, PlannedPhase, RunRecord, housekeeping};
use serde::Serialize;

use super::{Outcome, build};
use crate::cli::PlanArgs;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// What is known of a pipeline, from its store alone: whoever runs it, and wherever, need not be asked.
#[derive(Debug, Serialize)]
struct Status {
    name: String,
    /// The dataset is there, and nothing would change it.
    up_to_date: bool,
    phases: Vec<Progress>,
    /// Work that somebody does just now.
    working: Vec<Held>,
    last: Option<Last>,
}

/// How far a phase has come.
#[derive(Debug, Serialize)]
struct Progress {
    phase: String,
    /// Units of work that are done.
    done: usize,
    /// Units that are left; `None` while that depends on the phase before.
    left: Option<usize>,
    /// Items in the units that are left, as far as they are known.
    items: u64,
    /// Those of them whose answers are remembered.
    remembered: u64,
}

/// The last run that came to its end.
#[derive(Debug, Serialize)]
struct Last {
    started_at: String,
    elapsed_ms: u64,
    outcome: RunOutcome,
    rows: u64,
    bytes: u64,
    rejected: u64,
    failed: u64,
}

/// Prints what is done, what is left and who is at it.
pub(crate) fn status(args: &PlanArgs, printer: Printer) -> Outcome {
    let (_, built, _) = build(&args.file)?;
    let plan = engine::plan(&built.pipeline, &built.store, Arc::new(engine::Silent))?;
    let working = housekeeping::held(built.store.as_ref())?.into_iter().filter(|held| !held.is_gone).collect();
    let last = engine::last_record(built.store.as_ref(), &plan.name)?;
    let status = Status::new(&plan, working, last.as_ref());
    if args.json {
        let json = serde_json::to_string_pretty(&status).map_err(|e| CommandError::new(ExitStatus::Bug, e))?;
        printer.data(&json);
    } else {
        printer.data(status.text().trim_end());
    }
    Ok(())
}

impl Status {
    fn new(plan: &Plan, working: Vec<Held>, last: Option<&RunRecord>) -> Self {
        Self {
            name: plan.name.clone(),
            up_to_date: plan.is_done(),
            phases: plan.phases.iter().map(Progress::of).collect(),
            working,
            last: last.map(Last::of),
        }
    }

    fn text(&self) -> String {
        let state = match (self.working.is_empty(), self.up_to_date) {
            (false, _) => "a run goes on in its store",
            (true, true) => "up to date",
            (true, false) => "not up to date, and nobody works on it",
        };
        let mut lines = vec![format!("{}: {state}", self.name)];
        lines.extend(self.phases.iter().map(Progress::line));
        lines.extend(self.working.iter().map(|held| {
            let (pid, seen) = (held.lease.owner.pid, &held.lease.renewed_at);
            let what: String = held.what.chars().take(SHORT).collect();
            format!("process {pid} works on {} {what}, last seen {seen}", held.kind)
        }));
        lines.push(self.last.as_ref().map_or_else(|| "no run has come to its end yet".to_owned(), Last::line));
        lines.join("\n")
    }
}

/// Characters of a unit's key that people are shown.
const SHORT: usize = 12;

impl Progress {
    fn of(phase: &PlannedPhase) -> Self {
        let units = phase.run.as_deref().unwrap_or_default();
        Self {
            phase: phase.phase.clone(),
            done: phase.reused,
            left: phase.run.as_ref().map(Vec::len),
            items: units.iter().filter_map(|unit| unit.items).sum(),
            remembered: units.iter().filter_map(|unit| unit.remembered).sum(),
        }
    }

    fn line(&self) -> String {
        let Self { phase, done, left, items, remembered } = self;
        let Some(left) = left else { return format!("{phase}: depends on the phase before") };
        let units = format!("{phase}: {done} of {} units done", done + left);
        if *items == 0 { units } else { format!("{units}, {remembered} of {items} items of the others remembered") }
    }
}

impl Last {
    fn of(record: &RunRecord) -> Self {
        let stages = || {
            let phases = record.phases.iter().flat_map(|phase| &phase.books.stages);
            phases.chain(record.barriers.iter().map(|barrier| &barrier.books))
        };
        Self {
            started_at: record.started_at.clone(),
            elapsed_ms: record.elapsed_ms,
            outcome: record.outcome,
            rows: record.dataset.rows,
            bytes: record.dataset.bytes,
            rejected: stages().map(engine::StageBooks::rejected_total).sum(),
            failed: stages().map(engine::StageBooks::failed_total).sum(),
        }
    }

    fn line(&self) -> String {
        let Self { started_at, elapsed_ms, rows, bytes, rejected, failed, .. } = self;
        let (seconds, megabytes) = (*elapsed_ms as f64 / 1e3, *bytes as f64 / 1e6);
        format!(
            "last run, begun {started_at}: {rows} rows, {megabytes:.1} MB, {rejected} rejected, {failed} failed, in \
             {seconds:.1} s"
        )
    }
}
