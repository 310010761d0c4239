//! Runs a pipeline within limits and accounts for every item.
//!
//! A pipeline is a list: a [`Source`], [`Stage`]s, [`Barrier`]s, a [`Sink`]. The stretch between two barriers is a
//! *phase*; its unit of work is a *partition*. Inside a partition, items stream through the stages in bounded batches
//! over bounded channels. The engine owns identity, order, limits, slots, deadlines, panic isolation, commits and the
//! books; a stage sees a batch and gives a verdict per item.

mod barrier;
mod books;
mod cancel;
mod collect;
mod decisions;
mod error;
mod event;
mod flow;
pub mod housekeeping;
mod key;
mod lease;
mod ledger;
mod memo;
mod partition;
mod phase;
mod pipeline;
mod plan;
mod record;
mod rest;
mod run;
mod sink;
mod slots;
mod source;
mod stage;
mod timing;

pub use barrier::{Barrier, Decided, Decision, Note};
pub use books::{Books, PhaseBooks, StageBooks};
pub use cancel::Cancel;
pub use error::{DiskTrouble, EngineError, StageError};
pub use event::{Observer, RunEvent, Silent};
pub use key::{Fingerprint, Settings};
pub use lease::{Held, LeaseRecord, Owner};
pub use ledger::PartitionManifest;
pub use memo::Answers;
pub use pipeline::{PhaseSpec, Pipeline};
pub use plan::{Plan, PlannedPhase, PlannedUnit, Why};
pub use record::{About, BarrierRecord, DatasetRecord, Machine, Outcome, PhaseRecord, RunRecord, StageTiming};
pub use rest::{HeadReader, ItemReader, ItemWriter, LossReader, RestError, RestFormat};
pub use run::{RULES, RunOptions, RunSummary, last_record, plan, run, visit_heads, visit_items};
pub use sink::{Sink, SinkFile, SinkInput, SinkOutput, SinkWriter};
pub use slots::{Limits, Resource};
pub use source::{Partition, Source, SourceContext, Sourced};
pub use stage::{BatchSize, Context, Demand, DynStage, Stage, erase};
