//! Triples, proven again: both documents give their pictures, and the blocks lead from one to the other.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use dataset::{Manifest, TripleRow, each_triple, triple_ids};
use item::{ContentHasher, ItemId, Task};
use rayon::prelude::*;
use render::{Farm, RenderPolicy};

use super::{ROWS_AT_ONCE, compare_pixels, scheme};
use crate::command::Outcome;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// What was found.
pub(super) struct Proven {
    good: usize,
    bad: usize,
}

impl Proven {
    /// Says what was found, where there was anything to look at.
    pub(super) fn conclude(self, printer: Printer) -> Outcome {
        let Self { good, bad } = self;
        if good + bad == 0 {
            return Ok(());
        }
        printer.data(&format!("{good} of {} triples are proven again", good + bad));
        if bad == 0 {
            return Ok(());
        }
        let error = anyhow::anyhow!("verify the dataset: {bad} of {} triples do not hold", good + bad);
        Err(CommandError::new(ExitStatus::CheckFailed, error))
    }
}

fn unreadable(error: impl Into<anyhow::Error>) -> CommandError {
    CommandError::new(ExitStatus::CheckFailed, error)
}

/// Proves the triples of a dataset, or a sample of them, again.
pub(super) fn verify(
    folder: &Path,
    manifest: &Manifest,
    size: Option<usize>,
    farm: &Farm,
    printer: Printer,
) -> Result<Proven, CommandError> {
    let (good, bad) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for task in [Task::Edit, Task::Polish] {
        let shards = manifest.shards().filter(|shard| shard.subset == task.name());
        let shards: Vec<_> = shards.map(|shard| folder.join(&shard.path)).collect();
        let mut ids = Vec::new();
        for shard in &shards {
            ids.extend(triple_ids(shard).map_err(unreadable)?);
        }
        let wanted = sample(ids, size);
        let check = |rows: &mut Vec<TripleRow>| {
            rows.par_iter().for_each(|row| match prove(farm, row) {
                Ok(()) => {
                    good.fetch_add(1, Ordering::Relaxed);
                }
                Err(why) => {
                    printer.note(&format!("{} {} {}: {why}", row.task.name(), row.id, row.url));
                    bad.fetch_add(1, Ordering::Relaxed);
                }
            });
            rows.clear();
        };
        let mut rows = Vec::new();
        for shard in &shards {
            each_triple(shard, task, &|id| wanted.contains(id), &mut |row| {
                rows.push(row);
                if rows.len() == ROWS_AT_ONCE {
                    check(&mut rows);
                }
                Ok(())
            })
            .map_err(unreadable)?;
        }
        check(&mut rows);
    }
    Ok(Proven { good: good.into_inner(), bad: bad.into_inner() })
}

/// A sample is chosen by hash of the id, so a larger one contains the smaller.
fn sample(mut ids: Vec<ItemId>, size: Option<usize>) -> BTreeSet<ItemId> {
    ids.sort_by_cached_key(|id| ContentHasher::new("verify").add_bytes(id.as_bytes()).finish());
    ids.truncate(size.unwrap_or(usize::MAX));
    ids.into_iter().collect()
}

fn prove(farm: &Farm, row: &TripleRow) -> Result<(), String> {
    let view = RenderPolicy {
        viewport: row.viewport,
        color_scheme: scheme(row.color_scheme.as_deref()),
        ..RenderPolicy::accept_all()
    };
    for (what, html, image) in [("given", &row.before, &row.before_image), ("wanted", &row.after, &row.after_image)] {
        compare_pixels(farm, html, image, &view).map_err(|why| format!("the page {what}: {why}"))?;
    }
    let blocks = synth::edit::parse_blocks(&row.blocks)?;
    let after = synth::edit::apply_blocks(&row.before, &blocks)?;
    if after == row.after { Ok(()) } else { Err("the blocks lead to another document".to_owned()) }
}
