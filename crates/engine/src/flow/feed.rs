//! The feed: books what a source says, and hands it on in batches within the budget.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use item::{Body, Failure, Head, Item, Loss, LossKind};
use tokio::sync::mpsc;

use super::process::panic_message;
use super::{Feed, Flow, Parcel};
use crate::{BatchSize, EngineError, RunEvent, Sourced, StageError};

pub(super) fn run_feed(
    flow: &Arc<Flow>,
    source_name: Option<&str>,
    batch: BatchSize,
    feed: Feed,
    out: &mpsc::Sender<Vec<Parcel>>,
) {
    let mut seq = 0;
    let mut waiting = Vec::new();
    let mut waiting_bytes = 0;
    let mut emit = |sourced: Sourced| {
        let Some((items, losses)) = book_sourced(flow, source_name, sourced) else { return !flow.stopped() };
        let bytes = items.iter().map(Item::size_bytes).sum();
        let is_full = waiting.len() >= batch.items || waiting_bytes + bytes > batch.bytes;
        if (is_full || flow.budget.would_wait(bytes))
            && !waiting.is_empty()
            && out.blocking_send(std::mem::take(&mut waiting)).is_err()
        {
            return false;
        }
        waiting_bytes = if waiting.is_empty() { bytes } else { waiting_bytes + bytes };
        let Some(charge) = flow.budget.enter(bytes, || flow.stopped()) else { return false };
        waiting.push(Parcel { seq, items, losses, charge });
        seq += 1;
        !flow.stopped()
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| feed(&mut emit)));
    let name = source_name.unwrap_or("rest");
    match outcome {
        Ok(Ok(())) => {
            if !waiting.is_empty() {
                // A closed channel means that the flow has ended already; its reason is kept elsewhere.
                let _closed = out.blocking_send(waiting);
            }
        }
        Ok(Err(error)) => flow.fail(EngineError::stage(name)(error)),
        Err(panic) => flow.fail(EngineError::stage(name)(StageError::plain(format!(
            "read: the source panicked: {}",
            panic_message(panic.as_ref())
        )))),
    }
}

/// Books what a source says of a thing; gives what travels on.
fn book_sourced(flow: &Flow, source_name: Option<&str>, sourced: Sourced) -> Option<(Vec<Item<Body>>, Vec<Loss>)> {
    let mut books = flow.books();
    let Some(source_name) = source_name else {
        // What another phase made has been booked there.
        return match sourced {
            Sourced::Item(item) => Some((vec![*item], Vec::new())),
            _ => None,
        };
    };
    let own = &mut books.stages[0];
    match sourced {
        Sourced::Item(item) => {
            own.keep(1);
            Some((vec![*item], Vec::new()))
        }
        Sourced::Rejected(head, rejection) => {
            own.reject(rejection.rule.name);
            Some((Vec::new(), vec![rejected(head, source_name, rejection)]))
        }
        Sourced::Failed(head, failure) => {
            own.fail(failure.class.name());
            flow.emit(&failed_event(source_name, &head, &failure));
            Some((Vec::new(), vec![failed(head, source_name, failure)]))
        }
        Sourced::Aside(kind) => {
            *books.aside.entry(kind).or_default() += 1;
            None
        }
    }
}

pub(crate) fn rejected(head: Head, stage: &str, rejection: item::Rejection) -> Loss {
    Loss {
        id: head.id,
        provenance: head.provenance,
        stage: stage.to_owned(),
        kind: LossKind::Rejected,
        rule: rejection.rule.name.to_owned(),
        detail: rejection.detail,
    }
}

pub(super) fn failed(head: Head, stage: &str, failure: Failure) -> Loss {
    Loss {
        id: head.id,
        provenance: head.provenance,
        stage: stage.to_owned(),
        kind: LossKind::Failed,
        rule: failure.class.name().to_owned(),
        detail: failure.message,
    }
}

pub(super) fn failed_event(stage: &str, head: &Head, failure: &Failure) -> RunEvent {
    RunEvent::ItemFailed {
        stage: stage.to_owned(),
        id: head.id.to_string(),
        url: head.provenance.url.clone(),
        class: failure.class.name().to_owned(),
        message: failure.message.clone(),
    }
}
