//! Rows of `edit` and `polish` shards, read back for verification, reports and exports.

use std::path::Path;

use arrow_array::RecordBatch;
use bytes::Bytes;
use item::{ItemId, Task, Viewport, Wording};

use crate::batch::cell_at;
use crate::cell::Cell;
use crate::column::{Field, Kind, Layout};
use crate::error::{self, DatasetError};
use crate::files::OpenFile;
use crate::record::Record;
use crate::triples::{EDIT, POLISH};

/// One row, as far as our own tools read it.
#[derive(Debug, Clone, PartialEq)]
pub struct TripleRow {
    /// Which subset it is of.
    pub task: Task,
    /// Identity.
    pub id: ItemId,
    /// Target URI of the page.
    pub url: String,
    /// The wordings, the canonical one first.
    pub instructions: Vec<Wording>,
    /// The code that is given: the page before, or the draft.
    pub before: String,
    /// Its screenshot, PNG.
    pub before_image: Bytes,
    /// The code that is wanted: the page after, or the target.
    pub after: String,
    /// Its screenshot, PNG.
    pub after_image: Bytes,
    /// Search/replace blocks from the one to the other.
    pub blocks: String,
    /// Operators that made the difference.
    pub operators: Vec<String>,
    /// Kind of change.
    pub kind: String,
    /// Who made it.
    pub origin: String,
    /// What was rendered in.
    pub viewport: Viewport,
    /// `light` or `dark`.
    pub color_scheme: Option<String>,
    /// Version of the browser.
    pub chrome: Option<String>,
}

const COMMON: &[&str] = &["id", "url", "instructions", "blocks", "operators", "kind", "origin"];
const VIEW: &[&str] = &["viewport_width", "viewport_height", "device_scale_factor", "color_scheme", "chrome"];

/// The columns that are read, in the order in which [`row`] takes them.
fn names(task: Task) -> Vec<&'static str> {
    let shown: [&str; 4] = match task {
        Task::Edit => ["before", "before_image", "after", "after_image"],
        Task::Polish => ["draft", "draft_image", "target", "target_image"],
    };
    COMMON.iter().chain(&shown).chain(VIEW).copied().collect()
}

/// Ids of the rows of a shard of `edit` or `polish`, in their order.
pub fn triple_ids(path: &Path) -> Result<Vec<ItemId>, DatasetError> {
    let file = OpenFile::open(path)?;
    file.expect_fields(&EDIT.layout(), &["id"])?;
    let mut ids = Vec::new();
    for batch in file.batches(&["id"], None)? {
        let batch = batch.map_err(|source| error::parquet("read", path)(source.into()))?;
        for index in 0..batch.num_rows() {
            let id = batch.column_by_name("id").map_or(Cell::Null, |ids| cell_at(Kind::Text, ids.as_ref(), index));
            let id = if let Cell::Text(id) = id { id.parse().ok() } else { None };
            let problem = || DatasetError::Unexpected { path: path.to_owned(), problem: "a row has no id".to_owned() };
            ids.push(id.ok_or_else(problem)?);
        }
    }
    Ok(ids)
}

/// Visits the wanted rows of a shard of `edit` or `polish`, one at a time.
pub fn each_triple(
    path: &Path,
    task: Task,
    wanted: &dyn Fn(&ItemId) -> bool,
    visit: &mut dyn FnMut(TripleRow) -> Result<(), DatasetError>,
) -> Result<(), DatasetError> {
    let layout: Layout = match task {
        Task::Edit => EDIT.layout(),
        Task::Polish => POLISH.layout(),
    };
    let names = names(task);
    let file = OpenFile::open(path)?;
    file.expect_fields(&layout, &names)?;
    let field = |name: &&str| layout.fields.iter().find(|field| field.name == *name).copied();
    let fields: Vec<Field> = names.iter().filter_map(field).collect();
    for batch in file.batches(&names, None)? {
        let batch = batch.map_err(|source| error::parquet("read", path)(source.into()))?;
        for index in 0..batch.num_rows() {
            let id = batch.column_by_name("id").map_or(Cell::Null, |ids| cell_at(Kind::Text, ids.as_ref(), index));
            if let Cell::Text(id) = id
                && id.parse().is_ok_and(|id| !wanted(&id))
            {
                continue;
            }
            let record = &mut Record::new(cells(&fields, &batch, index));
            let problem = || "a row lacks a value that every row has".to_owned();
            let row = row(task, record)
                .ok_or_else(|| DatasetError::Unexpected { path: path.to_owned(), problem: problem() })?;
            visit(row)?;
        }
    }
    Ok(())
}

fn cells<'a>(fields: &[Field], batch: &'a RecordBatch, row: usize) -> Vec<Cell<'a>> {
    let cell = |field: &Field| {
        batch.column_by_name(field.name).map_or(Cell::Null, |column| cell_at(field.kind, column.as_ref(), row))
    };
    fields.iter().map(cell).collect()
}

fn row(task: Task, record: &mut Record<'_>) -> Option<TripleRow> {
    let wording = |cell| match cell {
        Cell::Many(cells) => {
            let mut fields = Record::new(cells);
            Some(Wording { style: fields.text()?, text: fields.text()? })
        }
        _ => None,
    };
    let word = |cell| match cell {
        Cell::Text(word) => Some(word.into_owned()),
        _ => None,
    };
    Some(TripleRow {
        task,
        id: record.text()?.parse().ok()?,
        url: record.text()?,
        instructions: record.many()?.into_iter().map(wording).collect::<Option<_>>()?,
        blocks: record.text()?,
        operators: record.many()?.into_iter().map(word).collect::<Option<_>>()?,
        kind: record.text()?,
        origin: record.text()?,
        before: record.text()?,
        before_image: Record::new(record.many()?).bytes()?,
        after: record.text()?,
        after_image: Record::new(record.many()?).bytes()?,
        viewport: Viewport {
            width: record.count_u32()?,
            height: record.count_u32()?,
            device_scale_factor: record.float()?,
        },
        color_scheme: record.maybe_text()?,
        chrome: record.maybe_text()?,
    })
}
