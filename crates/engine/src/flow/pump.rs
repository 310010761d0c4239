//! A stage in the flow: batches in, parcels with their verdicts out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use item::{Body, Head, Item, Verdict};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::feed::{failed, failed_event, rejected};
use super::process::{Answer, process, process_unknown};
use super::{Flow, Parcel};
use crate::{BatchSize, DynStage, EngineError, Resource, RunEvent, StageBooks};

pub(super) async fn pump(
    flow: Arc<Flow>,
    stage: Arc<dyn DynStage>,
    book: usize,
    mut rx: mpsc::Receiver<Vec<Parcel>>,
    tx: mpsc::Sender<Vec<Parcel>>,
) {
    let limits = &flow.shared.limits;
    let slots = match stage.demand().resource {
        Resource::Cpu => limits.cpu_slots,
        Resource::Chrome => limits.chrome_slots,
        Resource::Gpu => limits.gpu_slots,
        Resource::Network => limits.network_slots,
        Resource::Model => limits.model_slots,
    };
    // One batch more than can work, so that a free slot finds work at hand.
    let in_flight = Arc::new(Semaphore::new(slots + 1));
    let mut tasks = JoinSet::new();
    let mut waiting = VecDeque::new();
    loop {
        let permit = Arc::clone(&in_flight).acquire_owned().await.expect("never closed");
        let Some(batch) = next_batch(&mut rx, &mut waiting, stage.batch()).await else { break };
        let (flow, stage, tx) = (Arc::clone(&flow), Arc::clone(&stage), tx.clone());
        tasks.spawn(async move {
            let done = work(&flow, &stage, book, batch).await;
            // The slot is free by now; this wait holds nothing but the batch itself.
            let _closed = tx.send(done).await;
            drop(permit);
        });
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
}

/// The next batch: as large as wished if that much is at hand, else what there is. `None` at the end.
async fn next_batch(
    rx: &mut mpsc::Receiver<Vec<Parcel>>,
    waiting: &mut VecDeque<Parcel>,
    wish: BatchSize,
) -> Option<Vec<Parcel>> {
    if waiting.is_empty() {
        waiting.extend(rx.recv().await?);
    }
    while waiting.len() < wish.items {
        match rx.try_recv() {
            Ok(more) => waiting.extend(more),
            Err(_) => break,
        }
    }
    let mut bytes = 0;
    let mut take = 0;
    for parcel in waiting.iter() {
        bytes += parcel.charge.bytes;
        if take > 0 && (take >= wish.items || bytes > wish.bytes) {
            break;
        }
        take += 1;
    }
    Some(waiting.drain(..take).collect())
}

async fn work(flow: &Arc<Flow>, stage: &Arc<dyn DynStage>, book: usize, mut parcels: Vec<Parcel>) -> Vec<Parcel> {
    if flow.stopped() {
        return Vec::new();
    }
    let counts: Vec<usize> = parcels.iter().map(|parcel| parcel.items.len()).collect();
    let items: Vec<Item<Body>> = parcels.iter_mut().flat_map(|parcel| parcel.items.drain(..)).collect();
    if items.is_empty() {
        return parcels;
    }
    let started = Instant::now();
    let answer = match flow.shared.memo.of(stage.name()) {
        None => process(flow, stage, items).await.map_err(EngineError::stage(stage.name())),
        Some(memo) => process_unknown(flow, stage, memo, items).await,
    };
    match answer {
        Ok(answer) => {
            apply(flow, stage.name(), book, &mut parcels, &counts, answer, started);
            parcels
        }
        Err(error) => {
            flow.fail(error);
            Vec::new()
        }
    }
}

/// Puts the verdicts into the parcels and the books.
fn apply(
    flow: &Flow,
    stage: &str,
    book: usize,
    parcels: &mut [Parcel],
    counts: &[usize],
    answer: Answer,
    started: Instant,
) {
    let mut answers = answer.items.into_iter().zip(answer.verdicts);
    // Books of this batch alone: the flow's are shared by all stages, and nobody is to wait for them here.
    let mut books = StageBooks::new(stage);
    for (parcel, count) in parcels.iter_mut().zip(counts) {
        for (item, verdict) in answers.by_ref().take(*count) {
            let Item { mut head, body } = item;
            match verdict {
                Verdict::Annotate(attributes) => {
                    books.keep(1);
                    head.attributes.merge(attributes);
                    parcel.items.push(Item { head, body });
                }
                Verdict::Keep(kept) => {
                    books.keep(1);
                    parcel.items.push(grown(head, kept));
                }
                Verdict::Beside(kept, others) => {
                    books.keep(1 + others.len() as u64);
                    for (index, kept) in others.into_iter().enumerate() {
                        let child = Head { id: head.id.child(index), ..head.clone() };
                        parcel.items.push(grown(child, kept));
                    }
                    parcel.items.push(grown(head, kept));
                }
                Verdict::Fan(children) => {
                    books.keep(children.len() as u64);
                    for (index, kept) in children.into_iter().enumerate() {
                        let child = Head { id: head.id.child(index), ..head.clone() };
                        parcel.items.push(grown(child, kept));
                    }
                }
                Verdict::Reject(rejection) => {
                    books.reject(rejection.rule.name);
                    parcel.losses.push(rejected(head, stage, rejection));
                }
                Verdict::Fail(failure) => {
                    books.fail(failure.class.name());
                    flow.emit(&failed_event(stage, &head, &failure));
                    parcel.losses.push(failed(head, stage, failure));
                }
            }
        }
        parcel.charge.resize(parcel.items.iter().map(Item::size_bytes).sum());
    }
    let event = RunEvent::BatchProcessed {
        phase: flow.shared.phase.to_string(),
        stage: stage.to_owned(),
        seen: books.seen,
        kept: books.kept,
        rejected: books.rejected_total(),
        failed: books.failed_total(),
        recalled: answer.recalled,
        elapsed_ms: started.elapsed().as_millis() as u64,
    };
    flow.books().stages[book].add(&books);
    flow.emit(&event);
}

fn grown(mut head: Head, kept: item::Kept<Body>) -> Item<Body> {
    head.attributes.merge(kept.attributes);
    Item { head, body: kept.body }
}
