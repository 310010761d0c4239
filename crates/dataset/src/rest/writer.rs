//! Items and losses to rest files.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use item::{BodyKind, Item, Loss};

use super::layout;
use crate::batch::BatchBuilder;
use crate::column::Table;
use crate::error::{self, DatasetError};
use crate::files::{self, FileWriter};
use crate::loss::REJECTS;

/// A row group is closed when its rows have this many bytes: it is held in memory until then. Small, so that dozens of partitions can
/// be written at once and the memory of one group serves the next; large enough that columns compress well.
const ROW_GROUP_BYTES: usize = 4 << 20;

/// Rows are handed to Parquet when this many bytes are collected.
const BATCH_BYTES: usize = 512 << 10;

/// Rows are handed to Parquet at this count, for rows that are tiny.
const BATCH_ROWS: usize = 4096;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestSummary {
    /// Rows in the file.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Writes items of one body kind.
#[derive(Debug)]
pub struct ItemWriter {
    kind: BodyKind,
    rows: RestWriter<Item>,
}

impl ItemWriter {
    /// Creates the file; an existing one is replaced.
    pub fn create(path: &Path, kind: BodyKind) -> Result<Self, DatasetError> {
        Ok(Self { kind, rows: RestWriter::create(path, layout::table(kind), Vec::new())? })
    }

    /// Appends items, in this order.
    pub fn write(&mut self, items: &[Item]) -> Result<(), DatasetError> {
        for item in items {
            let found = item.body.kind();
            if found != self.kind {
                return Err(DatasetError::BodyKind { expected: self.kind, found });
            }
            self.rows.push(item)?;
        }
        Ok(())
    }

    /// Completes the file and flushes it to the disk. A file that was not finished has no footer and cannot be read.
    pub fn finish(self) -> Result<RestSummary, DatasetError> {
        self.rows.finish()
    }
}

/// Writes losses.
#[derive(Debug)]
pub struct LossWriter(RestWriter<Loss>);

impl LossWriter {
    /// Creates the file; an existing one is replaced.
    pub fn create(path: &Path) -> Result<Self, DatasetError> {
        RestWriter::create(path, REJECTS, Vec::new()).map(Self)
    }

    /// Appends losses, in this order.
    pub fn write(&mut self, losses: &[Loss]) -> Result<(), DatasetError> {
        losses.iter().try_for_each(|loss| self.0.push(loss))
    }

    /// Completes the file and flushes it to the disk.
    pub fn finish(self) -> Result<RestSummary, DatasetError> {
        self.0.finish()
    }
}

/// Writes rows of any table, a row group after the other.
pub(crate) struct RestWriter<R: 'static> {
    path: PathBuf,
    table: Table<R>,
    batch: BatchBuilder,
    file: FileWriter<BufWriter<File>>,
    group_bytes: usize,
    rows: u64,
}

impl<R> std::fmt::Debug for RestWriter<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RestWriter").field("path", &self.path).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<R> RestWriter<R> {
    pub(crate) fn create(path: &Path, table: Table<R>, metadata: Vec<(String, String)>) -> Result<Self, DatasetError> {
        let layout = table.layout();
        let file = FileWriter::new(path, files::create(path)?, &layout, metadata)?;
        let batch = BatchBuilder::new(&layout);
        Ok(Self { path: path.to_owned(), table, batch, file, group_bytes: 0, rows: 0 })
    }

    pub(crate) fn push(&mut self, row: &R) -> Result<(), DatasetError> {
        self.batch.push(self.table.cells(row)).map_err(error::batch(&self.path))?;
        self.rows += 1;
        if self.batch.bytes() >= BATCH_BYTES || self.batch.rows() >= BATCH_ROWS {
            self.hand_over()?;
        }
        Ok(())
    }

    fn hand_over(&mut self) -> Result<(), DatasetError> {
        self.group_bytes += self.batch.bytes();
        let batch = self.batch.finish().map_err(error::batch(&self.path))?;
        self.file.write(&batch)?;
        if self.group_bytes >= ROW_GROUP_BYTES {
            self.file.close_group()?;
            self.group_bytes = 0;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<RestSummary, DatasetError> {
        if self.batch.rows() > 0 {
            self.hand_over()?;
        }
        let bytes = files::sync(self.file.finish()?, &self.path)?;
        Ok(RestSummary { rows: self.rows, bytes })
    }
}
