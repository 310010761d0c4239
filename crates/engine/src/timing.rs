//! How long stages take: a reader of events that hands them on.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{Observer, RunEvent, StageTiming};

/// Adds up what stages did, and hands every event on.
pub(crate) struct Timings {
    next: Arc<dyn Observer>,
    /// In the order in which stages answered first.
    stages: Mutex<Vec<StageTiming>>,
}

impl Timings {
    pub(crate) fn new(next: Arc<dyn Observer>) -> Self {
        Self { next, stages: Mutex::default() }
    }

    /// What each stage did so far.
    pub(crate) fn stages(&self) -> Vec<StageTiming> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Timings {
    fn event(&self, event: &RunEvent) {
        if let RunEvent::BatchProcessed { phase, stage, seen, recalled, elapsed_ms, .. } = event {
            let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
            let at = stages.iter().position(|timing| timing.stage == *stage && timing.phase == *phase);
            let at = at.unwrap_or_else(|| {
                let (phase, stage) = (phase.clone(), stage.clone());
                stages.push(StageTiming { phase, stage, batches: 0, items: 0, recalled: 0, busy_ms: 0 });
                stages.len() - 1
            });
            let timing = &mut stages[at];
            timing.batches += 1;
            timing.items += seen;
            timing.recalled += recalled;
            timing.busy_ms += elapsed_ms;
        }
        self.next.event(event);
    }
}
