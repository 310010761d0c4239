//! Units of work: source partitions, and slices of what passed a barrier.

use std::ops::Range;

use item::{Attributes, ContentHasher, Digest};
use store::Store;

use crate::decisions::{Decisions, Place};
use crate::key::chain;
use crate::ledger::{self, IndexRow, PartitionManifest};
use crate::{EngineError, Partition};

/// Items of a slice at most: some tens of seconds of rendering, which is what an interrupted run can lose.
const SLICE_ITEMS_MAX: usize = 128;
/// A slice ends after an item whose id says so, one in this many. Cutting by content keeps the slices of a file alike
/// when single items come or go, so that their results stay valid.
const SLICE_ITEMS_MEAN: u8 = 64;
/// Bytes of bodies of a slice at most.
const SLICE_BYTES_MAX: u64 = 256 << 20;

/// A piece of work: what it reads, and the digest of that.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub(crate) name: String,
    pub(crate) input: Digest,
    pub(crate) items: Option<u64>,
    pub(crate) bytes: u64,
    pub(crate) reads: Reads,
}

/// Where a unit's items come from.
#[derive(Debug, Clone)]
pub(crate) enum Reads {
    /// A partition of the source.
    Source(Partition),
    /// Rows of a rest file; those that the barrier refused are passed over.
    Rest { manifest: Box<PartitionManifest>, unit: u32, rows: Range<u64> },
}

/// The units of the first phase.
pub(crate) fn source_units(partitions: Vec<Partition>) -> Vec<Unit> {
    let unit = |partition: Partition| Unit {
        name: partition.name.clone(),
        input: partition.digest,
        items: None,
        bytes: partition.bytes,
        reads: Reads::Source(partition),
    };
    partitions.into_iter().map(unit).collect()
}

/// Cuts what passed a barrier into slices.
pub(crate) fn slices(
    store: &dyn Store,
    manifests: &[PartitionManifest],
    decisions: &Decisions,
) -> Result<Vec<Unit>, EngineError> {
    let mut units = Vec::new();
    for (unit, manifest) in manifests.iter().enumerate() {
        let unit = unit as u32;
        let rows = ledger::read_index(store, manifest)?;
        let attributes = |row: usize| decisions.kept(&rows[row].id, Place { unit, row: row as u32 });
        for (number, range) in cut(&rows, |row| attributes(row).is_some()).into_iter().enumerate() {
            units.push(slice(manifest, unit, number, &rows, range, attributes));
        }
    }
    Ok(units)
}

fn slice<'a>(
    manifest: &PartitionManifest,
    unit: u32,
    number: usize,
    rows: &[IndexRow],
    range: Range<usize>,
    attributes: impl Fn(usize) -> Option<&'a Attributes>,
) -> Unit {
    let mut digests = Vec::new();
    let mut bytes = 0;
    for row in range.clone() {
        let Some(attributes) = attributes(row) else { continue };
        let mut hasher = ContentHasher::new("decided");
        hasher.add_digest(&rows[row].digest);
        for (name, value) in attributes.iter() {
            hasher.add_text(name).add_text(&serde_json::to_string(value).unwrap_or_default());
        }
        digests.push(hasher.finish());
        bytes += rows[row].bytes;
    }
    Unit {
        name: format!("{}#{number}", manifest.partition),
        input: chain("slice", &digests),
        items: Some(digests.len() as u64),
        bytes,
        reads: Reads::Rest { manifest: Box::new(manifest.clone()), unit, rows: range.start as u64..range.end as u64 },
    }
}

/// Row ranges that start and end with a kept row.
fn cut(rows: &[IndexRow], is_kept: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut open: Option<Range<usize>> = None;
    let (mut items, mut bytes) = (0, 0);
    for (number, row) in rows.iter().enumerate().filter(|(number, _)| is_kept(*number)) {
        open = Some(open.map_or(number, |range| range.start)..number + 1);
        items += 1;
        bytes += row.bytes;
        let ends_here = row.id.as_bytes()[15] % SLICE_ITEMS_MEAN == 0;
        if ends_here || items >= SLICE_ITEMS_MAX || bytes >= SLICE_BYTES_MAX {
            ranges.extend(open.take());
            (items, bytes) = (0, 0);
        }
    }
    ranges.extend(open);
    ranges
}

#[cfg(test)]
mod tests {
    use item::ItemId;

    use super::*;

    fn rows(count: u64) -> Vec<IndexRow> {
        (0..count)
            .map(|n| {
                let digest = Digest::of(&n.to_le_bytes());
                IndexRow { id: ItemId::of_place("f", n), digest, body: digest, bytes: 10 }
            })
            .collect()
    }

    #[test]
    fn slices_cover_every_kept_row_once() {
        let rows = rows(2000);
        let ranges = cut(&rows, |_| true);
        assert_eq!(ranges.iter().map(ExactSizeIterator::len).sum::<usize>(), 2000);
        assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert!(ranges.iter().all(|range| range.len() <= SLICE_ITEMS_MAX));
        assert!(ranges.len() > 20);
    }

    #[test]
    fn one_item_less_changes_few_slices() {
        let rows = rows(2000);
        let ends = |kept: &dyn Fn(usize) -> bool| -> std::collections::BTreeSet<ItemId> {
            cut(&rows, kept).into_iter().map(|range| rows[range.end - 1].id).collect()
        };
        let changed = ends(&|_| true).symmetric_difference(&ends(&|row| row != 1000)).count();
        assert!(changed <= 3, "{changed} slice ends moved");
    }

    #[test]
    fn nothing_kept_is_no_slice() {
        assert!(cut(&rows(10), |_| false).is_empty());
    }
}
