//! The same pages again and again, beside each other and across browsers: how many come out the same each time.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use item::{ContentHasher, Digest};
use render::{FarmConfig, RenderOutcome, RenderPolicy, Rendered};

use super::{Outcome, start};
use crate::command::pixels::Difference;
use crate::error::CommandError;
use crate::printer::Printer;

/// Farms that the renders are spread over: each time other browsers, and another number of them.
const FARMS: usize = 4;

pub(super) fn same(
    pages: &[String],
    times: usize,
    config: &FarmConfig,
    policy: &RenderPolicy,
    save: Option<&Path>,
    printer: Printer,
) -> Outcome {
    let seen: Vec<Mutex<Seen>> = pages.iter().map(|_| Mutex::default()).collect();
    let mut left = times;
    let mut order: Vec<usize> = (0..pages.len()).collect();
    for round in 0..FARMS.min(times) {
        let rounds = left / (FARMS.min(times) - round);
        left -= rounds;
        let config = FarmConfig { browsers: 1 + round % 4, ..config.clone() };
        let farm = start(&config)?;
        // What a page finds depends on what was shown before it, so each farm has an order of its own.
        order.sort_by_key(|page| ContentHasher::new("order").add_u64(round as u64).add_u64(*page as u64).finish());
        let (next, total) = (AtomicUsize::new(0), pages.len() * rounds);
        thread::scope(|scope| {
            for _ in 0..config.browsers {
                scope.spawn(|| {
                    while let Some(turn) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|turn| *turn < total) {
                        let page = order[turn % pages.len()];
                        let outcome = farm.render(&pages[page], policy);
                        seen[page].lock().expect("no thread panics with it").add(outcome);
                    }
                });
            }
        });
    }
    let mut equal: usize = 0;
    for (page, seen) in seen.into_iter().enumerate() {
        let seen = seen.into_inner().expect("no thread panics with it");
        if seen.kinds.len() == 1 && seen.failed == 0 {
            equal += 1;
            continue;
        }
        printer.note(&format!("page {page}: {} different renders, {} failed", seen.kinds.len(), seen.failed));
        for difference in seen.differences() {
            printer.note(&format!("page {page}: {difference}"));
        }
        if let Some(folder) = save {
            seen.save(folder, page).map_err(CommandError::environment)?;
        }
    }
    printer.data(&format!(
        "{equal} of {} pages ({:.2} %) had the same pixels and nodes {times} times over",
        pages.len(),
        equal as f64 / pages.len() as f64 * 100.0,
    ));
    Ok(())
}

/// What became of one page: its renders that differ, with their screenshots, the first one first.
#[derive(Default)]
struct Seen {
    kinds: Vec<Kind>,
    failed: usize,
}

struct Kind {
    digest: Digest,
    times: usize,
    rendered: Option<Box<Rendered>>,
}

impl Seen {
    fn add(&mut self, outcome: RenderOutcome) {
        let Some(digest) = digest(&outcome) else {
            self.failed += 1;
            return;
        };
        if let Some(kind) = self.kinds.iter_mut().find(|kind| kind.digest == digest) {
            kind.times += 1;
            return;
        }
        let rendered = if let RenderOutcome::Rendered(page) = outcome { Some(Box::new(page)) } else { None };
        self.kinds.push(Kind { digest, times: 1, rendered });
    }

    /// How each kind differs from the first one.
    fn differences(&self) -> Vec<String> {
        let Some((first, others)) = self.kinds.split_first() else { return Vec::new() };
        others.iter().map(|kind| format!("{} (seen {} times)", difference(first, kind), kind.times)).collect()
    }

    fn save(&self, folder: &Path, page: usize) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        for (number, kind) in self.kinds.iter().enumerate() {
            if let Some(rendered) = &kind.rendered {
                std::fs::write(folder.join(format!("{page}-{number}.png")), &rendered.screenshot)?;
            }
        }
        Ok(())
    }
}

fn difference(one: &Kind, other: &Kind) -> String {
    let (Some(one), Some(other)) = (&one.rendered, &other.rendered) else { return "one was refused".to_owned() };
    let decode = |page: &Rendered| image::load_from_memory(&page.screenshot).map(|image| image.to_rgba8());
    match (decode(one), decode(other)) {
        (Ok(a), Ok(b)) if a.dimensions() == b.dimensions() => match Difference::between(&a, &b) {
            Some(difference) => difference.to_string(),
            None => match one.nodes.iter().zip(&other.nodes).find(|(a, b)| a != b) {
                Some((a, b)) => format!("one node is {a:?} or {b:?}"),
                None => format!("{} nodes or {}", one.nodes.len(), other.nodes.len()),
            },
        },
        (Ok(a), Ok(b)) => format!("the size is {:?} or {:?}", a.dimensions(), b.dimensions()),
        _ => "a screenshot does not decode".to_owned(),
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
