//! Adapters: the house's own source, stages, barriers and sink.
//!
//! Each file has a configuration (one table of the pipeline file), and an adapter of a few lines that connects the
//! domain crate to the engine. Decisions are made in the domain crates; here is only what both sides need to meet.

mod clean;
mod components;
mod dataset;
mod fetch;
mod known;
mod pages;
mod phash;
mod profiles;
mod prove;
mod ranges;
mod render;
mod rest;
mod score;
mod scripts;
mod sketch;
mod snapshots;
mod source;
mod synth;
mod takedown;

pub use self::synth::{Answer, GateStage, ModelStage, Propose, SynthConfig, SynthStage, TriplesBarrier, VlmConfig};
pub use ::synth::vlm::Key;
pub use clean::{CleanConfig, CleanStage, Fonts, Images, Level, Mask, PageKind, Scripts, Tokenizer, Tokens};
pub use components::{ComponentsConfig, ComponentsStage};
pub use dataset::{DatasetConfig, DatasetSink};
pub use fetch::{FetchConfig, FetchStage};
pub use known::Known;
pub use pages::{PagesBarrier, PagesConfig};
pub use phash::{PhashConfig, PhashStage};
pub use prove::{Prove, ProveStage};
pub use ranges::place_in_code;
pub use render::{Format, RenderConfig, RenderStage, Scheme, ViewConfig};
pub use rest::ParquetRest;
pub use score::{BUILT_IN_SCORER, PageScorer, ScoreConfig, ScoreStage, scorer_config, scorer_model};
pub use scripts::ScriptsStage;
pub use sketch::SketchStage;
pub use snapshots::{SnapshotsBarrier, SnapshotsConfig, near_note};
pub use source::{IndexConfig, OfCrawl, S3Credentials, SignalConfig, SourceConfig, WarcSource};
pub use takedown::{Sieve, TAKEDOWNS, Takedown, TakedownError, TakedownKind, TakedownList, Takedowns, Taken};

/// Every rule of the house, by the stage or barrier that applies it; the documentation and its test read this.
pub fn rules() -> Vec<(&'static str, &'static [item::Rule])> {
    vec![
        ("source", ingest::RULES),
        ("clean", ::clean::RULES),
        ("pages, snapshots", engine::RULES),
        ("pages, snapshots", dedup::RULES),
        ("render", ::render::RULES),
        ("snapshots", snapshots::RULES),
        ("gate, triples", ::synth::RULES),
        ("takedown", &[::dataset::TAKEDOWN]),
    ]
}
