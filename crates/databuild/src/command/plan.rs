//! `databuild plan FILE`

use std::fmt::Write as _;
use std::sync::Arc;

use engine::{Observer, Plan, PlannedPhase, RunEvent};

use super::{Outcome, build};
use crate::cli::PlanArgs;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Units that are listed one by one for each reason; more of the same is a number.
const LISTED_MAX: usize = 5;

/// Prints what a run would do, and why.
pub(crate) fn plan(args: &PlanArgs, printer: Printer) -> Outcome {
    let (_, built, _) = build(&args.file)?;
    let plan = engine::plan(&built.pipeline, &built.store, notes(printer))?;
    if args.json {
        let json = serde_json::to_string_pretty(&plan).map_err(|e| CommandError::new(ExitStatus::Bug, e))?;
        printer.data(&json);
    } else {
        printer.data(text(&plan).trim_end());
    }
    Ok(())
}

/// Whoever plans hears what the source says.
pub(super) fn notes(printer: Printer) -> Arc<dyn Observer> {
    Arc::new(Notes(printer))
}

/// Prints what a source has to say while it lists its archives: that it waits for a server, say.
struct Notes(Printer);

impl Observer for Notes {
    fn event(&self, event: &RunEvent) {
        if let RunEvent::Noted { message } = event {
            self.0.note(message);
        }
    }
}

fn text(plan: &Plan) -> String {
    if plan.is_done() {
        return format!("`{}` is up to date: nothing to do", plan.name);
    }
    let mut text = String::new();
    for phase in &plan.phases {
        text.push_str(&phase_text(phase));
    }
    text.push_str(match plan.dataset_reused {
        Some(true) => "dataset: there already\n",
        Some(false) => "dataset: to be written\n",
        None => "dataset: depends on the phases above\n",
    });
    text
}

/// As precise as an estimate is.
fn duration(seconds: f64) -> String {
    match seconds {
        ..90.0 => format!("{} s", seconds.ceil()),
        ..5400.0 => format!("{} min", (seconds / 60.0).round()),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

fn phase_text(phase: &PlannedPhase) -> String {
    let stages = phase.stages.join(", ");
    let Some(run) = &phase.run else {
        let takes = phase.estimate_s.map_or_else(String::new, |s| format!(", at most about {}", duration(s)));
        return format!("{} ({stages}): depends on the phase before{takes}\n", phase.phase);
    };
    let takes =
        phase.estimate_s.filter(|_| !run.is_empty()).map_or_else(String::new, |s| format!(", about {}", duration(s)));
    let mut text = format!("{} ({stages}): {} reused, {} to run{takes}\n", phase.phase, phase.reused, run.len());
    let mut reasons: std::collections::BTreeMap<String, Vec<&engine::PlannedUnit>> = std::collections::BTreeMap::new();
    for unit in run {
        reasons.entry(unit.why.to_string()).or_default().push(unit);
    }
    for (why, units) in reasons {
        let _infallible = writeln!(text, "  because {why}:");
        for unit in units.iter().take(LISTED_MAX) {
            let mut items = unit.items.map_or_else(String::new, |items| format!(", {items} items"));
            if let Some(remembered) = unit.remembered.filter(|&remembered| remembered > 0) {
                let _infallible = write!(items, ", {remembered} of them remembered");
            }
            let _infallible = writeln!(text, "    {} ({:.1} MB{items})", unit.name, unit.bytes as f64 / 1e6);
        }
        if units.len() > LISTED_MAX {
            let _infallible = writeln!(text, "    and {} more", units.len() - LISTED_MAX);
        }
    }
    text
}
