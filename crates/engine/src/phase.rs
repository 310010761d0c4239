//! A phase: its units of work, some at a time, each committed by itself.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use item::{Digest, Item};
use store::{BlobName, Store, StoreError, at_once};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::collect::{Collected, RestCollector};
use crate::decisions::{Decisions, Place};
use crate::flow::{Feed, FlowShared, blocking, run_flow};
use crate::key::unit_key;
use crate::lease::{Lease, Leases, Patience};
use crate::ledger::{self, FileRef, Finished, PartitionManifest};
use crate::partition::{Reads, Unit};
use crate::{EngineError, Fingerprint, PhaseBooks, Pipeline, RestFormat, RunEvent, Sourced, StageError};

/// Name under which the first phase books what the source itself refuses.
pub(crate) const SOURCE: &str = "source";

/// Everything that a unit needs beside itself.
#[derive(Clone)]
pub(crate) struct PhaseShared {
    pub(crate) flow: FlowShared,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) phase: usize,
    pub(crate) fingerprints: Arc<Vec<Fingerprint>>,
    /// What the barrier before this phase decided; empty for the first.
    pub(crate) decisions: Arc<Decisions>,
    pub(crate) leases: Leases,
}

impl PhaseShared {
    fn name(&self) -> &'static str {
        self.pipeline.phases[self.phase].name
    }

    fn key(&self, unit: &Unit) -> Digest {
        unit_key(self.name(), &self.fingerprints, &unit.input)
    }
}

/// Results that are looked for at the same time: a store on a network answers many questions as quickly as one.
const LOOKS_AT_ONCE: usize = 16;

/// The results that are there already, unit by unit.
pub(crate) fn find_results(
    shared: &PhaseShared,
    units: &[Unit],
) -> Result<Vec<Option<PartitionManifest>>, EngineError> {
    at_once(units, LOOKS_AT_ONCE, |unit| ledger::find(shared.store.as_ref(), shared.name(), &shared.key(unit)))
}

/// Runs the units that have no result yet, but for those that another process does; gives all results in the order of the
/// units.
pub(crate) async fn run_units(
    shared: &PhaseShared,
    units: &[Unit],
    mut results: Vec<Option<PartitionManifest>>,
) -> Result<Vec<PartitionManifest>, EngineError> {
    let room = shared.flow.limits.partitions_in_flight.max(1);
    let mut waiting: VecDeque<usize> = (0..units.len()).filter(|&index| results[index].is_none()).collect();
    let mut elsewhere = VecDeque::new();
    let mut patience = Patience::default();
    let mut running: JoinSet<Result<(usize, Option<PartitionManifest>), EngineError>> = JoinSet::new();
    loop {
        while running.len() < room {
            let Some(index) = waiting.pop_front() else { break };
            match claim(shared, &units[index]).await? {
                Claim::Done(manifest) => results[index] = Some(*manifest),
                Claim::Elsewhere => elsewhere.push_back(index),
                Claim::Ours(lease) => {
                    patience = Patience::default();
                    let (shared, unit) = (shared.clone(), units[index].clone());
                    running.spawn(async move {
                        Ok((index, lease.holding(run_unit(&shared, unit, &lease)).await?.flatten()))
                    });
                }
            }
        }
        if running.is_empty() && elsewhere.is_empty() {
            break;
        }
        let may_look = !elsewhere.is_empty() && running.len() < room;
        tokio::select! {
            Some(done) = running.join_next() => match done {
                Ok(Ok((index, Some(manifest)))) => results[index] = Some(manifest),
                // The lease was lost: somebody else does it.
                Ok(Ok((index, None))) => elsewhere.push_back(index),
                Ok(Err(error)) => return Err(error),
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            },
            () = tokio::time::sleep(patience.current()), if may_look => {
                patience.grow();
                waiting.append(&mut elsewhere);
            }
            () = shared.flow.cancel.cancelled(), if running.is_empty() => return Err(EngineError::Interrupted),
        }
    }
    Ok(results.into_iter().flatten().collect())
}

/// Whose a unit is.
enum Claim {
    Ours(Arc<Lease>),
    Elsewhere,
    /// Another process has done it in the meantime.
    Done(Box<PartitionManifest>),
}

async fn claim(shared: &PhaseShared, unit: &Unit) -> Result<Claim, EngineError> {
    let (shared, key) = (shared.clone(), shared.key(unit));
    blocking(move || {
        let lease = shared.leases.take(shared.name(), &key.to_string())?;
        // After the lease, so that who held it before us has either committed or given up.
        let found = ledger::find(shared.store.as_ref(), shared.name(), &key)?;
        Ok(match (found, lease) {
            (Some(manifest), _) => Claim::Done(Box::new(manifest)),
            (None, Some(lease)) => Claim::Ours(Arc::new(lease)),
            (None, None) => Claim::Elsewhere,
        })
    })
    .await
}

/// Does a unit and commits it; `None` when its lease was lost before there was anything of it in the store.
async fn run_unit(
    shared: &PhaseShared,
    unit: Unit,
    lease: &Arc<Lease>,
) -> Result<Option<PartitionManifest>, EngineError> {
    let started = Instant::now();
    let spec = &shared.pipeline.phases[shared.phase];
    let scratch = shared.store.scratch()?;
    let collector = RestCollector::create(&shared.pipeline.rest, scratch.path(), shared.pipeline.gives(shared.phase))?;
    let source_name = matches!(unit.reads, Reads::Source(_)).then_some(SOURCE);
    let feed = feed(shared, &unit);
    let (collected, books) = run_flow(&shared.flow, source_name, &spec.stages, feed, collector).await?;
    let done = Done { unit, collected, books, scratch, started };
    let (shared, lease) = (shared.clone(), Arc::clone(lease));
    // A file takes its time to a store on a network, and the lease has to be renewed meanwhile.
    blocking(move || if lease.is_held()? { done.commit(&shared).map(Some) } else { Ok(None) }).await
}

/// A unit that is done and not published yet.
struct Done {
    unit: Unit,
    collected: Collected,
    books: PhaseBooks,
    scratch: TempDir,
    started: Instant,
}

impl Done {
    /// Publishes it, or gives what somebody else has published first.
    fn commit(self, shared: &PhaseShared) -> Result<PartitionManifest, EngineError> {
        let (store, phase, key) = (shared.store.as_ref(), shared.name(), shared.key(&self.unit));
        let files = publish(store, phase, &key, &self.collected, self.scratch.path())?;
        let [items_file, index_file, losses_file] = files.clone();
        let elapsed_ms = self.started.elapsed().as_millis() as u64;
        let finished = Finished {
            phase: phase.to_owned(),
            partition: self.unit.name,
            key,
            fingerprints: shared.fingerprints.to_vec(),
            output: self.collected.output,
            items: self.collected.items,
            books: self.books,
            elapsed_ms,
            items_file,
            index_file,
            losses_file,
        };
        let name = ledger::record_name("unit", phase, &key);
        let manifest = ledger::commit(store, &name, finished.into_manifest())?;
        let is_ours = manifest.files().iter().zip(&files).all(|(committed, file)| committed.name == file.name);
        if !is_ours {
            // Somebody was first: the loser leaves nothing behind.
            files.iter().try_for_each(|file| store.delete(&file.name))?;
            return Ok(manifest);
        }
        shared.flow.observer.event(&RunEvent::PartitionCommitted {
            phase: phase.to_owned(),
            partition: manifest.partition.clone(),
            items: manifest.items,
            elapsed_ms,
        });
        Ok(manifest)
    }
}

/// Publishes the files of an attempt under names of its own.
fn publish(
    store: &dyn Store,
    phase: &str,
    key: &Digest,
    collected: &Collected,
    scratch: &std::path::Path,
) -> Result<[FileRef; 3], EngineError> {
    // The scratch folder's name is random and unique in the store: as good an attempt id as any.
    let attempt: String = scratch
        .file_name()
        .map(|name| name.to_string_lossy().chars().filter(char::is_ascii_alphanumeric).collect())
        .unwrap_or_default();
    let put = |path: &std::path::Path| -> Result<FileRef, EngineError> {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let name = BlobName::join(&["parts", phase, &key.to_string(), &format!("{attempt}-{file}")]);
        let metadata = path.metadata();
        let looked_at = |source| StoreError::Io { operation: "look at", path: path.to_owned(), source };
        let bytes = metadata.map_err(looked_at)?.len();
        store.put_file(&name, path)?;
        Ok(FileRef { name, bytes })
    };
    Ok([put(&collected.items_path)?, put(&collected.index_path)?, put(&collected.losses_path)?])
}

fn feed(shared: &PhaseShared, unit: &Unit) -> Feed {
    let shared = shared.clone();
    match unit.reads.clone() {
        Reads::Source(partition) => {
            let observer = Arc::clone(&shared.flow.observer);
            let context = shared.flow.source_context();
            Box::new(move |emit| {
                let mut items = 0;
                shared.pipeline.source.read(&partition, &context, &mut |sourced| {
                    items += u64::from(!matches!(sourced, Sourced::Aside(_)));
                    if items % SOURCE_EVENT_ITEMS == 0 {
                        observer.event(&RunEvent::SourceRead { partition: partition.name.clone(), items });
                    }
                    emit(sourced)
                })?;
                observer.event(&RunEvent::SourceRead { partition: partition.name.clone(), items });
                Ok(())
            })
        }
        Reads::Rest { manifest, unit, rows } => Box::new(move |emit| {
            let trouble = |error: EngineError| StageError::new(format!("read `{}`", manifest.partition), error);
            let rest = KeptRows {
                store: shared.store.as_ref(),
                format: shared.pipeline.rest.as_ref(),
                decisions: &shared.decisions,
            };
            rest.read(&manifest, unit, rows, &mut |item| emit(Sourced::Item(Box::new(item)))).map_err(trouble)
        }),
    }
}

/// A source tells of its progress every so many items.
const SOURCE_EVENT_ITEMS: u64 = 64;

/// Rest files seen through a barrier's decisions.
pub(crate) struct KeptRows<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) format: &'a dyn RestFormat,
    pub(crate) decisions: &'a Decisions,
}

impl KeptRows<'_> {
    /// Reads the rows of a rest file that the barrier kept, with the attributes that it added.
    pub(crate) fn read(
        &self,
        manifest: &PartitionManifest,
        unit: u32,
        rows: Range<u64>,
        emit: &mut dyn FnMut(Item) -> bool,
    ) -> Result<(), EngineError> {
        let path = self.store.local_path(&manifest.items_file.name)?;
        let mut row = rows.start as u32;
        for batch in self.format.read_items(&path, rows)? {
            for mut item in batch? {
                let decision = self.decisions.kept(&item.head.id, Place { unit, row });
                row += 1;
                let Some(attributes) = decision else { continue };
                item.head.attributes.merge(attributes.clone());
                if !emit(item) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
