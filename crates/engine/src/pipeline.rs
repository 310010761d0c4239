//! The list that a run works through.

use std::collections::BTreeMap;
use std::sync::Arc;

use item::BodyKind;

use crate::{Barrier, DynStage, EngineError, Fingerprint, RestFormat, Sink, Source};

/// The stretch between two barriers: stages, and the barrier that ends it.
#[derive(Clone)]
pub struct PhaseSpec {
    /// Name of the phase: a folder of the store.
    pub name: &'static str,
    /// Its stages, in order.
    pub stages: Vec<Arc<dyn DynStage>>,
    /// The barrier behind it.
    pub barrier: Arc<dyn Barrier>,
}

impl std::fmt::Debug for PhaseSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PhaseSpec")
            .field("name", &self.name)
            .field("stages", &self.stages)
            .field("barrier", &self.barrier.name())
            .finish()
    }
}

/// A checked pipeline: neighbouring stages fit.
#[derive(Clone)]
pub struct Pipeline {
    /// Name of the run and of its dataset.
    pub name: String,
    /// Where items come from.
    pub source: Arc<dyn Source>,
    /// The phases, in order; at least one.
    pub phases: Vec<PhaseSpec>,
    /// Where items end.
    pub sink: Arc<dyn Sink>,
    /// How items rest between phases.
    pub rest: Arc<dyn RestFormat>,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("name", &self.name).field("phases", &self.phases).finish_non_exhaustive()
    }
}

impl Pipeline {
    /// Checks that each stage takes what the one before it gives.
    pub fn check(&self) -> Result<(), EngineError> {
        let mut before = ("source".to_owned(), self.source.gives());
        let mut connect = |stage: &str, takes: BodyKind, gives: BodyKind| {
            if before.1 != takes {
                let (before, gives) = before.clone();
                return Err(EngineError::Mismatch { stage: stage.to_owned(), takes, before, gives });
            }
            before = (stage.to_owned(), gives);
            Ok(())
        };
        for stage in self.phases.iter().flat_map(|phase| &phase.stages) {
            connect(stage.name(), stage.takes(), stage.gives())?;
        }
        let takes = self.sink.takes();
        connect("sink", takes, takes)
    }

    /// The body kind that a phase gives.
    pub(crate) fn gives(&self, phase: usize) -> BodyKind {
        let stages = self.phases[..=phase].iter().flat_map(|phase| &phase.stages);
        stages.last().map_or(self.source.gives(), |stage| stage.gives())
    }

    /// Fingerprints of a phase: its stages, and the source's where it reads the source.
    pub(crate) fn phase_fingerprints(&self, phase: usize) -> Vec<Fingerprint> {
        let source = (phase == 0).then(|| self.source.fingerprint());
        source.into_iter().chain(self.phases[phase].stages.iter().map(|stage| stage.fingerprint())).collect()
    }

    /// What the stages used in this process beside time, by stage.
    pub(crate) fn spent(&self) -> BTreeMap<String, serde_json::Value> {
        let stages = self.phases.iter().flat_map(|phase| &phase.stages);
        stages.filter_map(|stage| Some((stage.name().to_owned(), stage.spent()?))).collect()
    }

    /// Fingerprints of everything, in order.
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        let mut all = Vec::new();
        for (number, phase) in self.phases.iter().enumerate() {
            all.extend(self.phase_fingerprints(number));
            all.push(phase.barrier.fingerprint());
        }
        all.push(self.sink.fingerprint());
        all
    }

    /// Lets all stages let go of what they hold outside the process.
    pub(crate) fn stop(&self) {
        for stage in self.phases.iter().flat_map(|phase| &phase.stages) {
            stage.stop();
        }
    }
}
