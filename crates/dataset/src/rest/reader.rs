//! Rest files to items, heads and losses.

use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use item::{BodyKind, Head, Item, Loss};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowSelection};

use super::layout::{self, body_from, head_from, head_names};
use crate::batch::cell_at;
use crate::cell::Cell;
use crate::column::{Field, Layout};
use crate::error::{self, DatasetError};
use crate::files::{LAYOUT_KEY, OpenFile};
use crate::loss::{self, REJECTS};
use crate::record::Record;

/// Items of a rest file, in the order they were written, a few megabytes at a time.
pub fn read_items(path: &Path) -> Result<RestReader<Item>, DatasetError> {
    read_item_rows(path, 0..u64::MAX)
}

/// Items of some rows of a rest file; the pages of the file that hold none of them are not read.
pub fn read_item_rows(path: &Path, rows: Range<u64>) -> Result<RestReader<Item>, DatasetError> {
    let (file, kind) = open_items(path)?;
    let total = file.rows();
    let range = rows.start.min(total) as usize..rows.end.min(total) as usize;
    let selection = (range.len() as u64 != total)
        .then(|| RowSelection::from_consecutive_ranges(std::iter::once(range), total as usize));
    let item_from = move |record: &mut Record<'_>| {
        let head = head_from(record)?;
        Some(Item { head, body: body_from(kind, record)? })
    };
    RestReader::open(file, layout::table(kind).layout(), selection, Box::new(item_from))
}

/// Heads of a rest file's items, in the order they were written; bodies are not read.
pub fn read_heads(path: &Path) -> Result<RestReader<Head>, DatasetError> {
    let (file, kind) = open_items(path)?;
    let mut layout = layout::table(kind).layout();
    layout.fields.truncate(head_names().len());
    RestReader::open(file, layout, None, Box::new(head_from))
}

/// Losses of a rest file, in the order they were written.
pub fn read_losses(path: &Path) -> Result<RestReader<Loss>, DatasetError> {
    RestReader::open(OpenFile::open(path)?, REJECTS.layout(), None, Box::new(loss::from_record))
}

fn open_items(path: &Path) -> Result<(OpenFile, BodyKind), DatasetError> {
    let file = OpenFile::open(path)?;
    let layout = file.key(LAYOUT_KEY).unwrap_or("no layout of ours");
    let Some(kind) = layout::kind_of(layout) else {
        let problem = format!("it is no file of items that this version knows, it says {layout}");
        return Err(file.unexpected(problem));
    };
    Ok((file, kind))
}

type FromRecord<T> = Box<dyn Fn(&mut Record<'_>) -> Option<T> + Send>;

/// Batches of what rests in a file.
pub struct RestReader<T> {
    path: PathBuf,
    fields: Vec<Field>,
    batches: ParquetRecordBatchReader,
    row_from: FromRecord<T>,
}

impl<T> std::fmt::Debug for RestReader<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RestReader").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<T> RestReader<T> {
    fn open(
        file: OpenFile,
        layout: Layout,
        rows: Option<RowSelection>,
        row_from: FromRecord<T>,
    ) -> Result<Self, DatasetError> {
        let names: Vec<&str> = layout.fields.iter().map(|field| field.name).collect();
        file.expect_fields(&layout, &names)?;
        let path = file.path().to_owned();
        Ok(Self { path, fields: layout.fields, batches: file.batches(&names, rows)?, row_from })
    }
}

impl<T> Iterator for RestReader<T> {
    type Item = Result<Vec<T>, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.batches.next()? {
            Ok(batch) => batch,
            Err(source) => return Some(Err(error::parquet("read", &self.path)(source.into()))),
        };
        let rows = (0..batch.num_rows()).map(|row| (self.row_from)(&mut Record::new(cells(&self.fields, &batch, row))));
        let damaged =
            || DatasetError::Unexpected { path: self.path.clone(), problem: "a row is not of this layout".to_owned() };
        Some(rows.collect::<Option<Vec<T>>>().ok_or_else(damaged))
    }
}

/// The cells of one row. The columns are in the order of `fields`: they were checked by name when the file was opened,
/// and the file's layout, also checked, fixes the order.
fn cells<'a>(fields: &[Field], batch: &'a RecordBatch, row: usize) -> Vec<Cell<'a>> {
    fields.iter().zip(batch.columns()).map(|(field, column)| cell_at(field.kind, column.as_ref(), row)).collect()
}
