//! The same pages again and again, beside each other and across browsers: how many come out the same each time.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use item::{ContentHasher, Digest};
use render::{FarmConfig, RenderOutcome, RenderPolicy, Rendered};

use super::{Outcome, start};
use crate::printer::Printer;

/// Farms that the renders are spread over: each time other browsers, with another number of tabs.
const FARMS: usize = 4;

pub(super) fn same(
    pages: &[String],
    times: usize,
    config: &FarmConfig,
    policy: &RenderPolicy,
    printer: Printer,
) -> Outcome {
    let seen: Vec<Mutex<Seen>> = pages.iter().map(|_| Mutex::default()).collect();
    let mut left = times;
    for round in 0..FARMS.min(times) {
        let rounds = left / (FARMS.min(times) - round);
        left -= rounds;
        let config = FarmConfig { tabs_per_browser: 1 + round % 3, ..config.clone() };
        let farm = start(&config)?;
        let (next, total) = (AtomicUsize::new(0), pages.len() * rounds);
        thread::scope(|scope| {
            for _ in 0..config.browsers * config.tabs_per_browser {
                scope.spawn(|| {
                    while let Some(turn) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|turn| *turn < total) {
                        // Each farm begins at another page, so that neighbours differ, too.
                        let page = (turn + round * 7) % pages.len();
                        let digest = digest(&farm.render(&pages[page], policy));
                        seen[page].lock().expect("no thread panics with it").add(digest);
                    }
                });
            }
        });
    }
    let mut equal: usize = 0;
    for (page, seen) in seen.into_iter().enumerate() {
        let Seen { kinds, failed } = seen.into_inner().expect("no thread panics with it");
        if kinds.len() == 1 && failed == 0 {
            equal += 1;
        } else {
            printer.note(&format!("page {page}: {} different renders, {failed} failed", kinds.len()));
        }
    }
    printer.data(&format!(
        "{equal} of {} pages ({:.2} %) had the same pixels and nodes {times} times over",
        pages.len(),
        equal as f64 / pages.len() as f64 * 100.0,
    ));
    Ok(())
}

/// What became of one page.
#[derive(Default)]
struct Seen {
    kinds: BTreeSet<Digest>,
    failed: usize,
}

impl Seen {
    fn add(&mut self, digest: Option<Digest>) {
        match digest {
            Some(digest) => drop(self.kinds.insert(digest)),
            None => self.failed += 1,
        }
    }
}

/// `None` for a failure: it equals nothing, not even another failure.
fn digest(outcome: &RenderOutcome) -> Option<Digest> {
    let mut hasher = ContentHasher::new("render");
    match outcome {
        RenderOutcome::Rendered(Rendered { screenshot, nodes, .. }) => {
            hasher.add_bytes(screenshot).add_text(&format!("{nodes:?}"));
        }
        RenderOutcome::Refused(rejection) => {
            hasher.add_text(rejection.rule.name);
        }
        RenderOutcome::Failed(_) => return None,
    }
    Some(hasher.finish())
}
