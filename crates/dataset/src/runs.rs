//! Runs: rows that follow one another in a spool, as columns.
//!
//! All that is written of a row is made from its run, so a row is read and taken apart once, however many subsets it stands in.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use arrow_array::RecordBatch;
use item::ItemId;

use crate::batch::BatchBuilder;
use crate::column::Layout;
use crate::error::{self, DatasetError};
use crate::spool::{SortedRows, Spool};

/// A run ends when its rows have this many bytes: enough for every core to have something to do, little beside a row group.
const RUN_BYTES: usize = 4 << 20;
/// A run of small rows ends here.
const RUN_ROWS: usize = 1024;
/// Runs that wait to be encoded: the one being built comes on top.
const RUNS_AHEAD: usize = 1;

/// Some rows.
pub(crate) struct Run {
    pub(crate) batch: RecordBatch,
    pub(crate) ids: Vec<ItemId>,
    /// Bytes of each cell, row after row: near enough what it takes in an uncompressed column.
    cell_bytes: Vec<usize>,
    /// Rows of the spool that it was made from, those that are left out too.
    pub(crate) seen: u64,
}

impl Run {
    /// Bytes that these columns of a row take.
    pub(crate) fn bytes(&self, row: usize, columns: &[usize]) -> u64 {
        let width = self.batch.num_columns();
        let cells = self.cell_bytes.get(row * width..(row + 1) * width).unwrap_or_default();
        columns.iter().filter_map(|&column| cells.get(column)).map(|&bytes| bytes as u64).sum()
    }
}

/// Makes runs of the rows of a spool.
pub(crate) struct Runs<'a> {
    rows: SortedRows<'a>,
    row: Vec<u8>,
    batch: BatchBuilder,
    /// What the rows are for, in errors.
    purpose: PathBuf,
}

impl<'a> Runs<'a> {
    /// Begins with the row `first`.
    pub(crate) fn new(spool: &'a Spool, first: usize, layout: &Layout, purpose: PathBuf) -> Result<Self, DatasetError> {
        Ok(Self { rows: spool.rows(first)?, row: Vec::new(), batch: BatchBuilder::new(layout), purpose })
    }

    /// The next run of at most so many rows of the spool, without those that are left out; `None` after the last one.
    pub(crate) fn next(&mut self, rows_max: u64, left_out: &BTreeSet<ItemId>) -> Result<Option<Run>, DatasetError> {
        let (mut ids, mut cell_bytes, mut seen) = (Vec::new(), Vec::new(), 0);
        while seen < rows_max && self.batch.bytes() < RUN_BYTES && self.batch.rows() < RUN_ROWS {
            let Some(id) = self.rows.next(&mut self.row)? else { break };
            seen += 1;
            if !left_out.contains(&id) {
                self.batch.push_encoded(&self.row, &mut cell_bytes).map_err(error::batch(&self.purpose))?;
                ids.push(id);
            }
        }
        if seen == 0 {
            return Ok(None);
        }
        let batch = self.batch.finish().map_err(error::batch(&self.purpose))?;
        Ok(Some(Run { batch, ids, cell_bytes, seen }))
    }

    /// All of them, made ahead on a thread that ends with the receiver.
    pub(crate) fn ahead<'scope>(mut self, scope: &'scope Scope<'scope, '_>) -> Receiver<Result<Run, DatasetError>>
    where
        'a: 'scope,
    {
        let (send, runs) = sync_channel(RUNS_AHEAD);
        scope.spawn(move || {
            let none = BTreeSet::new();
            while let Some(run) = self.next(u64::MAX, &none).transpose() {
                let failed = run.is_err();
                if send.send(run).is_err() || failed {
                    break;
                }
            }
        });
        runs
    }
}
