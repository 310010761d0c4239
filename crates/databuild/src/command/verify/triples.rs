//! Triples, proven again: both documents give their pictures, and the blocks lead from one to the other.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dataset::{Manifest, TripleRow, each_triple, triple_ids};
use item::{ContentHasher, Digest, ItemId, Task};
use rayon::prelude::*;
use render::{Farm, RenderPolicy};

use super::{ROWS_AT_ONCE, compare_pixels, policy};
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
    let shown = Shown::default();
    for task in Task::ALL {
        let shards = manifest.shards().filter(|shard| shard.subset == task.name());
        let shards: Vec<_> = shards.map(|shard| folder.join(&shard.path)).collect();
        let mut ids = Vec::new();
        for shard in &shards {
            ids.extend(triple_ids(shard).map_err(unreadable)?);
        }
        let wanted = sample(ids, size);
        let check = |rows: &mut Vec<TripleRow>| {
            rows.par_iter().for_each(|row| match prove(farm, row, &shown) {
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

/// Documents that gave their picture already: a page stands in every triple that was made of it.
#[derive(Default)]
struct Shown(Mutex<HashSet<Digest>>);

impl Shown {
    fn compare(&self, farm: &Farm, html: &str, image: &[u8], view: &RenderPolicy) -> Result<(), String> {
        let view_text = format!("{:?}", (view.viewport, view.color_scheme, view.reduced_motion, view.format));
        let key = ContentHasher::new("shown").add_text(html).add_bytes(image).add_text(&view_text).finish();
        if self.known().contains(&key) {
            return Ok(());
        }
        compare_pixels(farm, html, image, view)?;
        self.known().insert(key);
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, HashSet<Digest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn prove(farm: &Farm, row: &TripleRow, shown: &Shown) -> Result<(), String> {
    let view = policy(row.viewport, row.color_scheme.as_deref(), row.reduced_motion, row.image_format.as_deref())?;
    let worse = row.worse.as_ref().and_then(|worse| Some(("the refused page", &worse.html, worse.image.as_ref()?)));
    let given = ("the page given", &row.before, &row.before_image);
    let wanted = ("the page wanted", &row.after, &row.after_image);
    for (what, html, image) in [given, wanted].into_iter().chain(worse) {
        shown.compare(farm, html, image, &view).map_err(|why| format!("{what}: {why}"))?;
    }
    let blocks = synth::edit::parse_blocks(&row.blocks)?;
    let after = synth::edit::apply_blocks(&row.before, &blocks)?;
    if after == row.after { Ok(()) } else { Err("the blocks lead to another document".to_owned()) }
}
