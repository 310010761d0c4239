//! A pipeline file to something that runs. Sets up, starts nothing.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use engine::{About, Limits, Machine, PhaseSpec, Pipeline, RunOptions, StageError, erase};
use item::BodyKind;
use stages::{
    CleanStage, ComponentsStage, DatasetSink, FetchStage, GateStage, Known, ModelStage, PagesBarrier, ParquetRest,
    PhashStage, ProveStage, RenderStage, ScoreStage, ScriptsStage, SketchStage, SnapshotsBarrier, SynthStage,
    TakedownList, TriplesBarrier, WarcSource,
};
pub use stages::{Key, S3Credentials};
use store::Store;

use crate::store::{S3Environment, open_store};
use crate::{Loaded, PipelineError};

/// What the machine offers; only the binary reads the environment.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The `PATH` to look for Chrome in.
    pub path: OsString,
    /// Where the ONNX Runtime library may be, most wanted first.
    pub onnx_runtime: Vec<PathBuf>,
    /// What requests to S3 for archives are signed with; without, they are anonymous.
    pub s3: Option<S3Credentials>,
    /// How a store in S3 is reached.
    pub s3_state: S3Environment,
    /// What servers of a model want to see.
    pub model_key: Option<Key>,
    /// We are root, so Chrome can have no sandbox.
    pub is_root: bool,
    /// Version of this program, for the manifest.
    pub version: String,
    /// How it was called, for the run record.
    pub command: Vec<String>,
    /// Bytes of the machine's memory; 0 where the system does not tell.
    pub memory_bytes: u64,
}

/// A pipeline that is ready to run.
#[derive(Debug)]
pub struct Built {
    /// The list of stages.
    pub pipeline: Arc<Pipeline>,
    /// Its state.
    pub store: Arc<dyn Store>,
    /// Its bounds.
    pub options: RunOptions,
}

fn setup(table: &'static str) -> impl FnOnce(StageError) -> PipelineError {
    move |source| PipelineError::Setup { table, source }
}

/// Sets up every stage: finds files, Chrome and the model, opens the store.
pub fn build(loaded: &Loaded, environment: &Environment) -> Result<Built, PipelineError> {
    let Loaded { file, base } = loaded;
    let store = open_store(loaded, environment)?;
    let mut source = WarcSource::new(&file.source, base, Arc::clone(&store)).map_err(setup("source"))?;
    if let Some(credentials) = &environment.s3 {
        source = source.with_s3_credentials(credentials.clone());
    }
    let mut clean = CleanStage::new(&file.clean, base).map_err(setup("clean"))?;
    let mut fetch = None;
    if file.fetch.enabled {
        let fetcher = file.fetch.open(&file.source.contact, base).map_err(setup("fetch"))?;
        fetch = Some(FetchStage::new(&file.fetch, &clean, Arc::clone(&fetcher)));
        clean = clean.with_fetched(fetcher);
    }
    let render = RenderStage::new(&file.render, &environment.path, environment.is_root).map_err(setup("render"))?;
    let scripts = ScriptsStage::new(&render, &clean);
    let prove = ProveStage::new(&render, &clean);
    let score = ScoreStage::new(&file.score, base, &environment.onnx_runtime).map_err(setup("score"))?;
    let known = Known::read(&file.snapshots.index, &file.snapshots.hashlists, base).map_err(setup("snapshots"))?;
    let known = Arc::new(known);
    let snapshots = SnapshotsBarrier::new(file.snapshots.clone(), Arc::clone(&known)).map_err(setup("snapshots"))?;
    let mut limits = limits(loaded, render.tabs());
    let synth = SynthStage::new(file.synth.clone(), &render);
    let mut model = None;
    if file.synth.vlm.is_on() {
        let (config, gates) = (file.synth.vlm.clone(), file.synth.gates());
        let key = environment.model_key.clone();
        let stage =
            ModelStage::new(config, gates, key, base, &render, Arc::clone(&store)).map_err(setup("synth.vlm"))?;
        limits.model_slots = stage.slots();
        model = Some(erase(stage));
    }
    let components = ComponentsStage::new(file.components.clone(), &render, &clean);
    let components = file.components.is_on().then(|| erase(components));
    let pages = PhaseSpec {
        name: "clean",
        stages: scripts
            .map(erase)
            .into_iter()
            .chain(fetch.map(erase))
            .chain(prove.map(erase))
            .chain([erase(clean), erase(SketchStage)])
            .collect(),
        barrier: Arc::new(PagesBarrier::new(file.pages.clone(), Arc::clone(&known))),
    };
    let rendered = PhaseSpec {
        name: "render",
        stages: [erase(render)]
            .into_iter()
            .chain(components)
            .chain([erase(PhashStage::new(&file.phash)), erase(score)])
            .collect(),
        barrier: Arc::new(snapshots),
    };
    let mut phases = vec![pages, rendered];
    if file.synth.is_on() {
        phases.push(PhaseSpec {
            name: "synth",
            stages: [erase(synth)].into_iter().chain(model).chain([erase(GateStage)]).collect(),
            barrier: Arc::new(TriplesBarrier),
        });
    }
    let takes = if file.synth.is_on() { BodyKind::Sample } else { BodyKind::Snapshot };
    let takedowns = TakedownList::new(Arc::clone(&store), &file.run.name);
    let sink = DatasetSink::new(file.dataset.clone(), &environment.version, takes).beside(known).without(takedowns);
    let pipeline = Pipeline {
        name: file.run.name.clone(),
        source: Arc::new(source),
        phases,
        sink: Arc::new(sink.map_err(setup("run"))?),
        rest: Arc::new(ParquetRest),
    };
    let options = RunOptions { limits, about: about(loaded, environment), ..RunOptions::default() };
    Ok(Built { pipeline: Arc::new(pipeline), store, options })
}

/// How the run was begun, and where. Nothing in it shapes the dataset.
fn about(loaded: &Loaded, environment: &Environment) -> About {
    About {
        command: environment.command.clone(),
        databuild: environment.version.clone(),
        configuration: serde_json::to_value(&loaded.file).unwrap_or_default(),
        machine: Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: environment.memory_bytes,
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        },
    }
}

fn limits(loaded: &Loaded, tabs: usize) -> Limits {
    let run = &loaded.file.run;
    let defaults = Limits::default();
    Limits {
        cpu_slots: if run.cpu_slots == 0 { defaults.cpu_slots } else { run.cpu_slots },
        chrome_slots: tabs,
        partitions_in_flight: run.partitions_in_flight,
        partition_bytes: run.partition_mb << 20,
        failed_share_max: run.failed_share_max,
        ..defaults
    }
}
