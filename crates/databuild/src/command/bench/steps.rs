//! One page at a time in one tab: where its cost goes, step by step.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use render::{Farm, FarmConfig, FarmEvent, RenderPolicy, Step};

use super::load::Usage;
use super::{Outcome, Run, Tally, ms, render_all};
use crate::error::CommandError;
use crate::printer::Printer;

#[derive(Default)]
struct Cost {
    calls: u64,
    wall: Duration,
    usage: Usage,
}

/// Costs by step, and what had been used when the last step ended.
#[derive(Default)]
struct Ledger {
    steps: BTreeMap<Step, Cost>,
    last: Option<Usage>,
}

pub(super) fn steps(pages: &[String], config: FarmConfig, policy: &RenderPolicy, printer: Printer) -> Outcome {
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let farm: Arc<OnceLock<Weak<Farm>>> = Arc::default();
    let observer = {
        let (ledger, farm) = (Arc::clone(&ledger), Arc::clone(&farm));
        move |event| {
            // With one tab nothing else runs: what was used since the last step is this step's.
            let FarmEvent::StepEnded { step, elapsed } = event else { return };
            let Some(farm) = farm.get().and_then(Weak::upgrade) else { return };
            let now = Usage::now(&farm);
            let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            let last = ledger.last.replace(now);
            let cost = ledger.steps.entry(step).or_default();
            cost.calls += 1;
            cost.wall += elapsed;
            if let Some(last) = last {
                cost.usage.add(now.since(last));
            }
        }
    };
    let config = FarmConfig { browsers: 1, ..config };
    let started = Farm::start_observed(config, Some(Arc::new(observer))).map_err(CommandError::environment)?;
    let started = Arc::new(started);
    farm.get_or_init(|| Arc::downgrade(&started));
    render_all(&started, pages, 0..pages.len(), 1, &Run { policy, tally: &Tally::default() });
    let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    printer.data("step      ms a page   CPU ms Chrome   CPU ms ours");
    for (step, cost) in &ledger.steps {
        let count = cost.calls.max(1) as f64;
        printer.data(&format!(
            "{:<9} {:>9.1} {:>15.1} {:>13.2}",
            step.name(),
            ms(cost.wall) / count,
            ms(cost.usage.chrome) / count,
            ms(cost.usage.own) / count,
        ));
    }
    Ok(())
}
