//! A run, from the source to the committed dataset.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use item::{BodyKind, Digest, Head, Item, ItemId, Rule};
use serde::{Deserialize, Serialize};
use store::{BlobName, Store};

use crate::decisions::{self, DecisionRow, Decisions, DecisionsRecord, Place};
use crate::flow::{FlowShared, blocking, rejected};
use crate::key::{chain, unit_key};
use crate::lease::{Lease, Leases, Patience};
use crate::ledger::{self, FileRef, PartitionManifest};
use crate::memo::Memo;
use crate::partition::{Reads, Unit, slices, source_units};
use crate::phase::{KeptRows, PhaseShared, find_results, run_units};
use crate::plan::{why_slice, why_source};
use crate::slots::Slots;
use crate::timing::Timings;
use crate::{
    About, Barrier, BarrierRecord, Books, Cancel, DatasetRecord, Decision, EngineError, Limits, Note, Observer,
    Outcome, Partition, PhaseBooks, PhaseRecord, Pipeline, Plan, PlannedPhase, PlannedUnit, RunEvent, RunRecord,
    SinkInput, StageBooks, StageTiming,
};

/// The same capture stands in two places of the input: the same URI, date and payload.
const SAME_CAPTURE: Rule = Rule {
    name: "same-capture",
    meaning: "The very same capture (URL, date and payload) was already read from another place of the input.",
};

/// Rules that the engine itself applies.
pub const RULES: &[Rule] = &[SAME_CAPTURE];

/// Format of the run record.
const RECORD_FORMAT: u32 = 1;

/// How to run; none of it changes the dataset.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Bounds.
    pub limits: Limits,
    /// Work of a process on another machine that has not been heard of for so long is taken over.
    pub lease_term: Duration,
    /// What the run record says of this run and of the machine.
    pub about: About,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { limits: Limits::default(), lease_term: Duration::from_secs(30), about: About::default() }
    }
}

/// What a run gave.
#[derive(Debug, Clone)]
pub struct RunSummary {
    /// The run record, as stored.
    pub record: RunRecord,
    /// Folder of the dataset in the store.
    pub dataset: BlobName,
}

/// Says what a run would do. Reads the store and the inputs, runs nothing. `observer` hears what the source says while it
/// lists them.
pub fn plan(
    pipeline: &Arc<Pipeline>,
    store: &Arc<dyn Store>,
    observer: Arc<dyn Observer>,
) -> Result<Plan, EngineError> {
    pipeline.check()?;
    let run = Run::new(pipeline, store, &RunOptions::default(), Cancel::new(), observer);
    let last = last_record(store.as_ref(), &pipeline.name)?;
    let mut phases = Vec::new();
    let mut trail = Trail::default();
    let partitions = run.partitions()?;
    let mut units = source_units(partitions);
    let mut known = true;
    for (number, spec) in pipeline.phases.iter().enumerate() {
        let stages = spec.stages.iter().map(|stage| stage.name().to_owned()).collect();
        if !known {
            phases.push(PlannedPhase::new(spec.name, stages, 0, None, last.as_ref()));
            continue;
        }
        let mut shared = run.phase(number, trail.decisions.clone());
        let results = find_results(&shared, &units)?;
        if results.iter().any(Option::is_none) {
            shared.flow.memo = Memo::open(&spec.stages, store, run.flow.observer.as_ref())?;
        }
        let to_run: Vec<PlannedUnit> = units
            .iter()
            .zip(&results)
            .filter(|(_, result)| result.is_none())
            .map(|(unit, _)| planned_unit(unit, last.as_ref(), &shared))
            .collect::<Result<_, _>>()?;
        let reused = units.len() - to_run.len();
        known = to_run.is_empty();
        phases.push(PlannedPhase::new(spec.name, stages, reused, Some(to_run), last.as_ref()));
        if !known {
            continue;
        }
        let manifests: Vec<PartitionManifest> = results.into_iter().flatten().collect();
        let key = barrier_key(spec.barrier.as_ref(), &manifests);
        let Some((record, decisions)) = decisions::find(store.as_ref(), spec.barrier.name(), &key)? else {
            known = false;
            continue;
        };
        trail.push(&manifests, record, decisions);
        units = slices(store.as_ref(), &trail.manifests, &trail.decisions)?;
    }
    let dataset_reused = if known { Some(run.find_dataset(&trail.sink_key(pipeline))?.is_some()) } else { None };
    Ok(Plan { name: pipeline.name.clone(), phases, dataset_reused })
}

fn planned_unit(unit: &Unit, last: Option<&RunRecord>, shared: &PhaseShared) -> Result<PlannedUnit, EngineError> {
    let why = match &unit.reads {
        Reads::Source(partition) => why_source(last, &shared.fingerprints, partition),
        Reads::Rest { .. } => why_slice(last, &shared.fingerprints),
    };
    let remembered = remembered(unit, shared)?;
    Ok(PlannedUnit { name: unit.name.clone(), bytes: unit.bytes, items: unit.items, remembered, why })
}

/// How many of a unit's items the first stage of the phase has answered before; `None` where it remembers nothing, or where
/// the items are not known yet.
fn remembered(unit: &Unit, shared: &PhaseShared) -> Result<Option<u64>, EngineError> {
    let first = shared.pipeline.phases[shared.phase].stages.first();
    let memo = first.and_then(|stage| shared.flow.memo.of(stage.name()));
    let (Some(memo), Reads::Rest { manifest, unit, rows }) = (memo, &unit.reads) else { return Ok(None) };
    let index = ledger::read_index(shared.store.as_ref(), manifest)?;
    let known = rows.clone().filter(|&row| {
        let entry = &index[row as usize];
        let is_kept = shared.decisions.kept(&entry.id, Place { unit: *unit, row: row as u32 }).is_some();
        is_kept && memo.knows(&entry.body)
    });
    Ok(Some(known.count() as u64))
}

/// Runs a pipeline to its committed dataset, doing only what has no result yet.
pub async fn run(
    pipeline: &Arc<Pipeline>,
    store: &Arc<dyn Store>,
    options: &RunOptions,
    cancel: Cancel,
    observer: Arc<dyn Observer>,
) -> Result<RunSummary, EngineError> {
    pipeline.check()?;
    let timings = Arc::new(Timings::new(observer));
    let run = Run::new(pipeline, store, options, cancel, Arc::clone(&timings) as Arc<dyn Observer>);
    let outcome = run.all(&options.about, &timings).await;
    // Browsers end here, whatever happened; work that still waits on them ends with them.
    let stopping = Arc::clone(pipeline);
    blocking(move || stopping.stop()).await;
    outcome
}

struct Run {
    pipeline: Arc<Pipeline>,
    store: Arc<dyn Store>,
    flow: FlowShared,
    leases: Leases,
}

/// What the phases so far have left behind.
#[derive(Default)]
struct Trail {
    /// Results of the last phase.
    manifests: Vec<PartitionManifest>,
    /// Decisions of the last barrier.
    decisions: Arc<Decisions>,
    /// Everything that the dataset depends on.
    outputs: Vec<Digest>,
    /// Results of all phases, and decisions of all barriers: where the losses are.
    all_manifests: Vec<PartitionManifest>,
    all_decisions: Vec<Arc<Decisions>>,
    books: Books,
    phases: Vec<PhaseRecord>,
    barriers: Vec<BarrierRecord>,
}

impl Trail {
    fn push(&mut self, manifests: &[PartitionManifest], record: DecisionsRecord, decisions: Decisions) {
        self.outputs.extend(manifests.iter().map(|manifest| manifest.output));
        self.outputs.push(record.output);
        self.decisions = Arc::new(decisions);
        self.all_decisions.push(Arc::clone(&self.decisions));
        self.all_manifests.extend_from_slice(manifests);
        self.manifests = manifests.to_vec();
        self.books.add_barrier(record.books);
    }

    fn sink_key(&self, pipeline: &Pipeline) -> Digest {
        unit_key("sink", &pipeline.fingerprints(), &chain(&pipeline.name, &self.outputs))
    }
}

/// The published record of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SinkRecord {
    rows: u64,
    files: Vec<FileRef>,
    manifest: FileRef,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    books: Option<StageBooks>,
}

impl Run {
    fn new(
        pipeline: &Arc<Pipeline>,
        store: &Arc<dyn Store>,
        options: &RunOptions,
        cancel: Cancel,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let flow = FlowShared {
            phase: Arc::from(""),
            limits: Arc::new(options.limits.clone()),
            slots: Slots::new(&options.limits),
            cancel,
            observer,
            memo: Memo::default(),
        };
        let leases = Leases::new(store, options.lease_term);
        Self { pipeline: Arc::clone(pipeline), store: Arc::clone(store), flow, leases }
    }

    fn partitions(&self) -> Result<Vec<Partition>, EngineError> {
        let context = self.flow.source_context();
        let listed = self.pipeline.source.partitions(&context);
        // A source that waits for a network gives up when the run is stopped; that is no trouble of its own.
        self.check_cancelled()?;
        listed.map_err(EngineError::stage(crate::phase::SOURCE))
    }

    fn phase(&self, number: usize, decisions: Arc<Decisions>) -> PhaseShared {
        let flow = FlowShared { phase: Arc::from(self.pipeline.phases[number].name), ..self.flow.clone() };
        PhaseShared {
            flow,
            pipeline: Arc::clone(&self.pipeline),
            store: Arc::clone(&self.store),
            phase: number,
            fingerprints: Arc::new(self.pipeline.phase_fingerprints(number)),
            decisions,
            leases: self.leases.clone(),
        }
    }

    fn emit(&self, event: &RunEvent) {
        self.flow.observer.event(event);
    }

    fn check_cancelled(&self) -> Result<(), EngineError> {
        if self.flow.cancel.is_cancelled() { Err(EngineError::Interrupted) } else { Ok(()) }
    }

    async fn all(self, about: &About, timings: &Timings) -> Result<RunSummary, EngineError> {
        let clock = Instant::now();
        let started_at = jiff::Timestamp::now().to_string();
        let run = Arc::new(self);
        let partitions = {
            let run = Arc::clone(&run);
            blocking(move || run.partitions()).await?
        };
        run.emit(&RunEvent::RunStarted {
            name: run.pipeline.name.clone(),
            partitions: partitions.len(),
            bytes: partitions.iter().map(|partition| partition.bytes).sum(),
        });
        let mut trail = Trail::default();
        let mut units = source_units(partitions.clone());
        for number in 0..run.pipeline.phases.len() {
            let manifests = run.run_phase(number, &units, &mut trail).await?;
            units = run.run_barrier(number, manifests, &mut trail).await?;
        }
        trail.books.assert_balanced();
        let (dataset, outcome) = run.run_sink(&trail).await?;
        let stages = timings.stages();
        // A record that can't be read tells no pace, and is written anew below.
        let last = {
            let run = Arc::clone(&run);
            blocking(move || last_record(run.store.as_ref(), &run.pipeline.name).unwrap_or_default()).await
        };
        let pace = pace(&trail.phases, &stages, last);
        let record = RunRecord {
            format: RECORD_FORMAT,
            name: run.pipeline.name.clone(),
            started_at,
            elapsed_ms: clock.elapsed().as_millis() as u64,
            outcome,
            fingerprints: run.pipeline.fingerprints(),
            partitions,
            phases: trail.phases,
            barriers: trail.barriers,
            dataset,
            spent: run.pipeline.spent(),
            about: about.clone(),
            stages,
            pace,
        };
        let dataset = BlobName::join(&["dataset", &run.pipeline.name]);
        let record = blocking(move || run.save(&record).map(|()| record)).await?;
        Ok(RunSummary { record, dataset })
    }

    async fn run_phase(
        self: &Arc<Self>,
        number: usize,
        units: &[Unit],
        trail: &mut Trail,
    ) -> Result<Vec<PartitionManifest>, EngineError> {
        let clock = Instant::now();
        let spec = &self.pipeline.phases[number];
        let mut shared = self.phase(number, Arc::clone(&trail.decisions));
        let (finding, of) = (shared.clone(), units.to_vec());
        let results = blocking(move || find_results(&finding, &of)).await?;
        let reused = results.iter().flatten().count();
        if reused < units.len() {
            let run = Arc::clone(self);
            let stages = spec.stages.clone();
            shared.flow.memo = blocking(move || Memo::open(&stages, &run.store, run.flow.observer.as_ref())).await?;
        }
        let to_run = units.iter().zip(&results).filter(|(_, result)| result.is_none());
        self.emit(&RunEvent::PhaseStarted {
            phase: spec.name.to_owned(),
            stages: spec.stages.iter().map(|stage| stage.name().to_owned()).collect(),
            units: units.len(),
            reused,
            items: to_run.map(|(unit, _)| unit.items).sum(),
        });
        let manifests = shared.flow.memo.flushing(run_units(&shared, units, results)).await?;
        let source = (number == 0).then_some(crate::phase::SOURCE);
        let mut books = PhaseBooks::new(source.into_iter().chain(spec.stages.iter().map(|stage| stage.name())));
        for manifest in &manifests {
            books.add(&manifest.books);
        }
        books.assert_balanced();
        self.emit(&RunEvent::PhaseEnded { phase: spec.name.to_owned(), books: books.clone() });
        self.check_budget(spec.name, &books)?;
        trail.books.add_phase(&books);
        trail.phases.push(PhaseRecord {
            phase: spec.name.to_owned(),
            units: units.len(),
            reused,
            elapsed_ms: clock.elapsed().as_millis() as u64,
            books,
            keys: manifests.iter().map(|manifest| manifest.key).collect(),
        });
        Ok(manifests)
    }

    fn check_budget(&self, phase: &str, books: &PhaseBooks) -> Result<(), EngineError> {
        /// Shares of fewer items say nothing.
        const SEEN_MIN: u64 = 100;
        let (seen, failed) = (books.seen(), books.failed());
        let allowed = self.flow.limits.failed_share_max;
        if seen < SEEN_MIN || failed as f64 <= allowed * seen as f64 {
            return Ok(());
        }
        Err(EngineError::OverBudget { phase: phase.to_owned(), failed, seen, allowed: allowed * 100.0 })
    }

    async fn run_barrier(
        self: &Arc<Self>,
        number: usize,
        manifests: Vec<PartitionManifest>,
        trail: &mut Trail,
    ) -> Result<Vec<Unit>, EngineError> {
        self.check_cancelled()?;
        let manifests: Arc<[PartitionManifest]> = manifests.into();
        let barrier = Arc::clone(&self.pipeline.phases[number].barrier);
        let key = barrier_key(barrier.as_ref(), &manifests);
        let (finding, deciding) = (Arc::clone(&barrier), Arc::clone(&barrier));
        let of = Arc::clone(&manifests);
        let (found, reused) = self
            .once(
                barrier.name(),
                &key.to_string(),
                move |run| decisions::find(run.store.as_ref(), finding.name(), &key),
                move |run, _| {
                    let (books, rows) = run.decide(deciding.as_ref(), &of)?;
                    decisions::commit(run.store.as_ref(), deciding.name(), &key, books, rows)
                },
            )
            .await?;
        let (record, decided) = found;
        self.emit(&RunEvent::BarrierDecided {
            barrier: record.barrier.clone(),
            seen: record.books.seen,
            kept: record.books.kept,
            reused,
        });
        let books = record.books.clone();
        trail.barriers.push(BarrierRecord { barrier: record.barrier.clone(), reused, key: Some(record.key), books });
        trail.push(&manifests, record, decided);
        let (run, decisions) = (Arc::clone(self), Arc::clone(&trail.decisions));
        blocking(move || slices(run.store.as_ref(), &manifests, &decisions)).await
    }

    /// Has the barrier decide over everything that a phase gave.
    fn decide(
        &self,
        barrier: &dyn Barrier,
        manifests: &[PartitionManifest],
    ) -> Result<(StageBooks, Vec<DecisionRow>), EngineError> {
        let mut noted: Vec<(Note, Place)> = Vec::new();
        self.each_head(manifests, &mut |head, place| {
            let attributes = head.attributes.project(barrier.reads());
            noted.push((Note { id: head.id, domain: head.provenance.domain, attributes }, place));
        })?;
        // Sorted by id; of one capture in two places the first in the order of the input stands.
        noted.sort_by_key(|(note, place)| (note.id, place.unit, place.row));
        let mut firsts: HashMap<ItemId, Place> = HashMap::new();
        noted.retain(|(note, place)| *firsts.entry(note.id).or_insert(*place) == *place);
        let notes: Vec<Note> = noted.into_iter().map(|(note, _)| note).collect();
        let decided = barrier.decide(&notes).map_err(EngineError::stage(barrier.name()))?;
        let decisions = decided.decisions;
        assert_eq!(decisions.len(), notes.len(), "barrier `{}` gives one decision per note", barrier.name());
        let mut by_id: HashMap<ItemId, Decision> = notes.into_iter().map(|note| note.id).zip(decisions).collect();

        let mut books = StageBooks::new(barrier.name());
        books.aside.extend(decided.aside.into_iter().map(|(kind, count)| (kind.to_owned(), count)));
        let mut rows = Vec::new();
        self.each_head(manifests, &mut |head, place| {
            let decision = if firsts.get(&head.id) == Some(&place) { by_id.remove(&head.id) } else { None };
            let rejection = match decision {
                Some(Decision::Keep(attributes)) => {
                    books.keep(1);
                    rows.push(DecisionRow::Keep { id: head.id, place, attributes });
                    return;
                }
                Some(Decision::Reject(rejection)) => rejection,
                None => item::Rejection { rule: SAME_CAPTURE, detail: String::new() },
            };
            books.reject(rejection.rule.name);
            rows.push(DecisionRow::Reject(Box::new(rejected(head, barrier.name(), rejection))));
        })?;
        Ok((books, rows))
    }

    fn each_head(
        &self,
        manifests: &[PartitionManifest],
        visit: &mut dyn FnMut(Head, Place),
    ) -> Result<(), EngineError> {
        for (unit, manifest) in manifests.iter().enumerate() {
            self.check_cancelled()?;
            let path = self.store.local_path(&manifest.items_file.name)?;
            let mut row = 0;
            for heads in self.pipeline.rest.read_heads(&path)? {
                for head in heads? {
                    visit(head, Place { unit: unit as u32, row });
                    row += 1;
                }
            }
        }
        Ok(())
    }

    // ------------------------------------------------------------------------------------------------------ dataset

    fn dataset_blob(&self, file: &str) -> BlobName {
        BlobName::join(&["dataset", &self.pipeline.name, file])
    }

    /// The dataset of that key, if it is there, whole, and the current one.
    fn find_dataset(&self, key: &Digest) -> Result<Option<SinkRecord>, EngineError> {
        let store = self.store.as_ref();
        let name = ledger::record_name("dataset", "sink", key);
        let Some(record) = ledger::read_result::<SinkRecord>(store, &name)? else { return Ok(None) };
        for file in record.files.iter().chain([&record.manifest]) {
            if store.size(&file.name)? != Some(file.bytes) {
                store.delete(&name)?;
                return Ok(None);
            }
        }
        let current = self.dataset_blob(MANIFEST);
        let manifest = store.get(&record.manifest.name)?;
        let is_current = store.size(&current)?.is_some() && store.get(&current)? == manifest;
        Ok(is_current.then_some(record))
    }

    /// Finds a result, or makes it while no other process does; whether it was found.
    async fn once<T: Send + 'static>(
        self: &Arc<Self>,
        kind: &str,
        what: &str,
        find: impl Fn(&Self) -> Result<Option<T>, EngineError> + Send + Sync + 'static,
        make: impl Fn(&Self, &Lease) -> Result<T, EngineError> + Send + Sync + 'static,
    ) -> Result<(T, bool), EngineError> {
        let (find, make) = (Arc::new(find), Arc::new(make));
        let mut patience = Patience::default();
        loop {
            self.check_cancelled()?;
            let (run, find, kind, what) = (Arc::clone(self), Arc::clone(&find), kind.to_owned(), what.to_owned());
            let (found, lease) = blocking(move || {
                if let Some(found) = find(&run)? {
                    return Ok((Some(found), None));
                }
                let lease = run.leases.take(&kind, &what)?;
                // Again, since who held the lease until now may have done it.
                let found = if lease.is_some() { find(&run)? } else { None };
                Ok::<_, EngineError>((found, lease))
            })
            .await?;
            if let Some(found) = found {
                return Ok((found, true));
            }
            if let Some(lease) = lease.map(Arc::new) {
                let (run, make, held) = (Arc::clone(self), Arc::clone(&make), Arc::clone(&lease));
                let work = blocking(move || make(&run, &held));
                if let Some(made) = lease.holding(work).await? {
                    return Ok((made, false));
                }
            }
            tokio::select! {
                () = tokio::time::sleep(patience.current()) => patience.grow(),
                () = self.flow.cancel.cancelled() => {}
            }
        }
    }

    async fn run_sink(self: &Arc<Self>, trail: &Trail) -> Result<(DatasetRecord, Outcome), EngineError> {
        self.check_cancelled()?;
        let key = trail.sink_key(&self.pipeline);
        let work = SinkWork {
            manifests: trail.manifests.clone(),
            decisions: Arc::clone(&trail.decisions),
            all_manifests: trail.all_manifests.clone(),
            all_decisions: trail.all_decisions.clone(),
            books: trail.books.clone(),
        };
        // By the name and not by the key: of two datasets of one name only one can be swept into place at a time.
        let (record, reused) = self
            .once(
                "sink",
                &self.pipeline.name,
                move |run| run.find_dataset(&key),
                move |run, lease| run.write_dataset(&key, &work, lease),
            )
            .await?;
        let outcome = if reused { Outcome::Unchanged } else { Outcome::Committed };
        let bytes = record.files.iter().map(|file| file.bytes).sum();
        self.emit(&RunEvent::DatasetCommitted {
            rows: record.rows,
            files: record.files.len(),
            bytes,
            reused: outcome == Outcome::Unchanged,
        });
        let folder = format!("dataset/{}", self.pipeline.name);
        let dataset = DatasetRecord {
            folder,
            rows: record.rows,
            files: record.files.len(),
            bytes,
            key: key.to_string(),
            books: record.books,
        };
        Ok((dataset, outcome))
    }

    fn write_dataset(&self, key: &Digest, work: &SinkWork, lease: &Lease) -> Result<SinkRecord, EngineError> {
        let sink_error = || EngineError::stage("sink");
        let scratch = self.store.scratch()?;
        let mut writer = self.pipeline.sink.begin(scratch.path()).map_err(sink_error())?;
        let rest =
            KeptRows { store: self.store.as_ref(), format: self.pipeline.rest.as_ref(), decisions: &work.decisions };
        for (unit, manifest) in work.manifests.iter().enumerate() {
            let mut trouble = None;
            rest.read(manifest, unit as u32, 0..manifest.items, &mut |item| {
                if let Err(error) = writer.add(item) {
                    trouble = Some(error);
                }
                trouble.is_none() && !self.flow.cancel.is_cancelled()
            })?;
            self.check_cancelled()?;
            trouble.map_or(Ok(()), Err).map_err(sink_error())?;
        }
        for manifest in &work.all_manifests {
            let path = self.store.local_path(&manifest.losses_file.name)?;
            for losses in self.pipeline.rest.read_losses(&path)? {
                for loss in losses? {
                    writer.add_loss(loss).map_err(sink_error())?;
                }
            }
        }
        for loss in work.all_decisions.iter().flat_map(|decisions| &decisions.losses) {
            writer.add_loss(loss.clone()).map_err(sink_error())?;
        }
        let fingerprints = self.pipeline.fingerprints();
        let input = SinkInput { name: &self.pipeline.name, fingerprints: &fingerprints, books: &work.books };
        let output = writer.finish(input).map_err(sink_error())?;
        if let Some(books) = &output.books {
            let mut all = work.books.clone();
            all.add_barrier(books.clone());
            all.assert_balanced();
        }
        self.check_cancelled()?;
        if !lease.is_held()? {
            // Another process took this one for dead, and writes the dataset.
            return Err(EngineError::Superseded);
        }
        self.publish_dataset(key, output)
    }

    /// Files first, then the manifest, then the pointer to it; last the files of the dataset before are swept away.
    fn publish_dataset(&self, key: &Digest, output: crate::SinkOutput) -> Result<SinkRecord, EngineError> {
        let store = self.store.as_ref();
        let mut files = Vec::new();
        for file in output.files {
            let name = self.dataset_blob(&file.name);
            store.put_file(&name, &file.staged)?;
            files.push(FileRef { name, bytes: file.bytes });
        }
        let manifest = self.dataset_blob(&format!("manifests/{key}.json"));
        store.put(&manifest, &output.manifest)?;
        let manifest = FileRef { name: manifest, bytes: output.manifest.len() as u64 };
        let record = SinkRecord { rows: output.rows, files, manifest, books: output.books };
        let name = ledger::record_name("dataset", "sink", key);
        store.put(&name, &ledger::to_json(&name, &record)?)?;
        store.put(&self.dataset_blob(MANIFEST), &output.manifest)?;
        self.sweep(&record)?;
        Ok(record)
    }

    /// Removes files of earlier datasets of this name: the current manifest does not list them, so they do not exist
    /// for readers of the manifest, but a glob over the folder would find them.
    fn sweep(&self, record: &SinkRecord) -> Result<(), EngineError> {
        for folder in ["data", "manifests"] {
            for blob in self.store.list(&format!("dataset/{}/{folder}", self.pipeline.name))? {
                let is_ours = record.manifest.name == blob.name || record.files.iter().any(|f| f.name == blob.name);
                if !is_ours {
                    self.store.delete(&blob.name)?;
                }
            }
        }
        Ok(())
    }

    /// Keeps the record of a run that did something; one that did nothing must not hide the timings of that one.
    fn save(&self, record: &RunRecord) -> Result<(), EngineError> {
        let last = record_blob(&self.pipeline.name);
        let is_news = record.outcome == Outcome::Committed || self.store.size(&last)?.is_none();
        if is_news {
            self.store.put(&last, &ledger::to_json(&last, record)?)?;
        }
        Ok(())
    }
}

/// What the sink reads.
struct SinkWork {
    manifests: Vec<PartitionManifest>,
    decisions: Arc<Decisions>,
    all_manifests: Vec<PartitionManifest>,
    all_decisions: Vec<Arc<Decisions>>,
    books: Books,
}

/// Name of the pointer to the current manifest in the dataset's folder.
const MANIFEST: &str = "manifest.json";

fn record_blob(run: &str) -> BlobName {
    BlobName::join(&["runs", run, "run.json"])
}

/// The record of the last run of that name that did something.
pub fn last_record(store: &dyn Store, run: &str) -> Result<Option<RunRecord>, EngineError> {
    ledger::read(store, &record_blob(run))
}

/// Milliseconds that each phase takes for an item: in this run, or where nothing was asked in it, in the last one that worked.
fn pace(phases: &[PhaseRecord], stages: &[StageTiming], last: Option<RunRecord>) -> BTreeMap<String, f64> {
    let mut pace = last.map(|record| record.pace).unwrap_or_default();
    for phase in phases {
        let first = stages.iter().find(|timing| timing.phase == phase.phase);
        let asked = first.map_or(0, |timing| timing.items.saturating_sub(timing.recalled));
        if asked > 0 {
            pace.insert(phase.phase.clone(), phase.elapsed_ms as f64 / asked as f64);
        }
    }
    pace
}

/// The last phase of a run behind which snapshots rest: what comes after it makes other things of them.
fn last_snapshots<'a>(pipeline: &Pipeline, record: &'a RunRecord) -> Option<&'a PhaseRecord> {
    let gives = |name: &str| {
        let number = pipeline.phases.iter().position(|spec| spec.name == name)?;
        Some(pipeline.gives(number))
    };
    let rendered = record.phases.iter().rfind(|phase| gives(&phase.phase) == Some(BodyKind::Snapshot));
    rendered.or(record.phases.last())
}

/// Visits items that rest behind the last phase of a run that gives snapshots, by id, whether they reached the dataset or not.
pub fn visit_items(
    pipeline: &Pipeline,
    store: &dyn Store,
    record: &RunRecord,
    ids: &BTreeSet<ItemId>,
    visit: &mut dyn FnMut(Item),
) -> Result<(), EngineError> {
    let Some(phase) = last_snapshots(pipeline, record) else { return Ok(()) };
    for key in &phase.keys {
        let Some(manifest) = ledger::find(store, &phase.phase, key)? else { continue };
        let rows = ledger::read_index(store, &manifest)?;
        let path = store.local_path(&manifest.items_file.name)?;
        for (row, _) in rows.iter().enumerate().filter(|(_, row)| ids.contains(&row.id)) {
            let row = row as u64;
            for items in pipeline.rest.read_items(&path, row..row + 1)? {
                items?.into_iter().for_each(&mut *visit);
            }
        }
    }
    Ok(())
}

/// Visits the heads of all items that rest behind the last phase of a run that gives snapshots; of one capture in two places both.
pub fn visit_heads(
    pipeline: &Pipeline,
    store: &dyn Store,
    record: &RunRecord,
    visit: &mut dyn FnMut(Head),
) -> Result<(), EngineError> {
    let Some(phase) = last_snapshots(pipeline, record) else { return Ok(()) };
    for key in &phase.keys {
        let Some(manifest) = ledger::find(store, &phase.phase, key)? else { continue };
        let path = store.local_path(&manifest.items_file.name)?;
        for heads in pipeline.rest.read_heads(&path)? {
            heads?.into_iter().for_each(&mut *visit);
        }
    }
    Ok(())
}

fn barrier_key(barrier: &dyn Barrier, manifests: &[PartitionManifest]) -> Digest {
    let outputs = chain("outputs", manifests.iter().map(|manifest| &manifest.output));
    unit_key(barrier.name(), &[barrier.fingerprint()], &outputs)
}
