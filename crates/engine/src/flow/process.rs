//! Having a batch answered: on the right threads, within its deadline, one evil item apart from the others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use item::{Body, FailureClass, Head, Item, Verdict};
use tokio::sync::oneshot;
use tokio::task::JoinError;

use super::Flow;
use crate::memo::{Recalled, StageMemo};
use crate::stage::TypedBatch;
use crate::{Context, DynStage, EngineError, Resource, StageError};

/// What a stage gave for a batch: the items as they went in, and one verdict for each.
pub(super) struct Answer {
    pub(super) items: Vec<Item<Body>>,
    pub(super) verdicts: Vec<Verdict<Body>>,
    /// Verdicts that were known already.
    pub(super) recalled: u64,
}

/// Has the stage process what it has not answered before, and remembers what it says.
pub(super) async fn process_unknown(
    flow: &Arc<Flow>,
    stage: &Arc<dyn DynStage>,
    memo: Arc<StageMemo>,
    items: Vec<Item<Body>>,
) -> Result<Answer, EngineError> {
    let reading = Arc::clone(&memo);
    let Recalled { items, keys, verdicts } = blocking(move || reading.recall(items)).await;
    let mut answers: Vec<Option<(Item<Body>, Verdict<Body>)>> = Vec::with_capacity(items.len());
    let (mut unknown, mut places) = (Vec::new(), Vec::new());
    for (place, (item, verdict)) in items.into_iter().zip(verdicts).enumerate() {
        if let Some(verdict) = verdict {
            answers.push(Some((item, verdict)));
        } else {
            answers.push(None);
            places.push(place);
            unknown.push(item);
        }
    }
    let recalled = (keys.len() - unknown.len()) as u64;
    if !unknown.is_empty() {
        let Answer { items, verdicts, .. } =
            process(flow, stage, unknown).await.map_err(EngineError::stage(stage.name()))?;
        let asked: Vec<_> = places.iter().map(|&place| keys[place]).collect();
        let verdicts = blocking(move || {
            let answers: Vec<_> = asked.into_iter().zip(&verdicts).collect();
            memo.remember(&answers).map(|()| verdicts)
        });
        for (place, answer) in places.into_iter().zip(items.into_iter().zip(verdicts.await?)) {
            answers[place] = Some(answer);
        }
    }
    let (items, verdicts) = answers.into_iter().flatten().unzip();
    Ok(Answer { items, verdicts, recalled })
}

/// Has the stage process a batch where its resource wants it, within the deadline.
pub(super) async fn process(
    flow: &Arc<Flow>,
    stage: &Arc<dyn DynStage>,
    items: Vec<Item<Body>>,
) -> Result<Answer, StageError> {
    let resource = stage.demand().resource;
    let batch = Arc::new(stage.accept(items));
    let permit = flow.shared.slots.take(resource).await;
    let (tx, rx) = oneshot::channel();
    let job = {
        let (flow, stage, batch) = (Arc::clone(flow), Arc::clone(stage), Arc::clone(&batch));
        move || {
            // The slot belongs to the work itself: work that outlives its deadline still takes up a core or a tab.
            let _permit = permit;
            let verdicts = isolated(&flow, stage.as_ref(), &batch);
            drop(batch);
            let _nobody_waits = tx.send(verdicts);
        }
    };
    if resource == Resource::Cpu {
        rayon::spawn(job);
    } else {
        // Ends by itself within the stage's own deadlines; the receiver is what owns its outcome.
        tokio::task::spawn_blocking(job);
    }
    let deadline = stage.deadline().unwrap_or(flow.shared.limits.batch_deadline);
    match tokio::time::timeout(deadline, rx).await {
        Ok(Ok(verdicts)) => {
            let verdicts = verdicts?;
            let batch = Arc::try_unwrap(batch).expect("the job lets go of the batch before it answers");
            Ok(Answer { items: batch.into_items(), verdicts, recalled: 0 })
        }
        Ok(Err(_)) => Err(StageError::plain("answer: the worker thread went away")),
        Err(_) => {
            let seconds = deadline.as_secs();
            let message = format!("no answer within the batch deadline of {seconds} s");
            let items: Vec<Item<Body>> = batch.heads().into_iter().map(without_body).collect();
            let verdicts = items.iter().map(|_| Verdict::fail(FailureClass::Timeout, &*message)).collect();
            Ok(Answer { items, verdicts, recalled: 0 })
        }
    }
}

/// Does work that waits for a disk on a thread that may wait; a panic goes on in the caller.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await.map_err(JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // Work that was never begun: the runtime is ending, and whoever waits here ends with it.
        Err(Err(_)) => std::future::pending().await,
    }
}

/// An item whose body is held by work that hangs; good for its own obituary only.
fn without_body(head: Head) -> Item<Body> {
    Item { head, body: Body::Page(item::Page { html: String::new() }) }
}

/// Processes a batch; if that panics, item by item, so that one evil page costs one page.
fn isolated(flow: &Flow, stage: &dyn DynStage, batch: &TypedBatch) -> Result<Vec<Verdict<Body>>, StageError> {
    let context = Context { cancel: &flow.shared.cancel, observer: flow.shared.observer.as_ref() };
    let attempt = |part| catch_unwind(AssertUnwindSafe(|| stage.process(batch, part, context)));
    if let Ok(verdicts) = attempt(0..batch.len()) {
        return verdicts;
    }
    let mut verdicts = Vec::with_capacity(batch.len());
    for index in 0..batch.len() {
        match attempt(index..index + 1) {
            Ok(verdict) => verdicts.extend(verdict?),
            Err(panic) => verdicts.push(Verdict::fail(
                FailureClass::Panic,
                format!("stage `{}` panicked: {}", stage.name(), panic_message(panic.as_ref())),
            )),
        }
    }
    Ok(verdicts)
}

pub(super) fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
