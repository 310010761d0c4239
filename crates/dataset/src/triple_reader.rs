//! Rows of `edit`, `polish` and `preference` shards, read back for verification, reports and exports.

use std::path::Path;

use bytes::Bytes;
use item::{ItemId, Task, Viewport, Wording};

use crate::batch::{cell_at, named_cell};
use crate::cell::Cell;
use crate::column::{Kind, Layout};
use crate::error::{self, DatasetError};
use crate::files::OpenFile;
use crate::record::Record;
use crate::triples::{EDIT, table};

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
    /// What a model is asked for: of a preference, what it is among answers to.
    pub asks: Task,
    /// The code that is given: the page before, or the draft.
    pub before: String,
    /// Its screenshot, PNG.
    pub before_image: Bytes,
    /// The code that is wanted: the page after, the answer to a draft, or the answer that is preferred.
    pub after: String,
    /// Its screenshot.
    pub after_image: Bytes,
    /// What a draft shall look like: the screenshot of the page that it is to become.
    pub target_image: Option<Bytes>,
    /// Of a preference: the answer that is not wanted, its screenshot where it has one, and the rule that refused it.
    pub worse: Option<WorseRow>,
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
    /// Whether media queries heard of reduced motion.
    pub reduced_motion: Option<bool>,
    /// How the screenshots are written.
    pub image_format: Option<String>,
    /// Version of the browser.
    pub chrome: Option<String>,
}

/// The answer of a preference that is not wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct WorseRow {
    /// The code.
    pub html: String,
    /// Its screenshot; `None` where it could not be shown.
    pub image: Option<Bytes>,
    /// The rule that refused it.
    pub rule: String,
}

const COMMON: &[&str] = &["id", "url", "instructions", "blocks", "operators", "kind", "origin"];
const VIEW: &[&str] = &[
    "viewport_width",
    "viewport_height",
    "device_scale_factor",
    "color_scheme",
    "reduced_motion",
    "image_format",
    "chrome",
];

/// The columns that are read, in the order in which [`row`] takes them.
fn names(task: Task) -> Vec<&'static str> {
    let shown: &[&str] = match task {
        Task::Edit => &["before", "before_image", "after", "after_image"],
        Task::Polish => &["draft", "draft_image", "target", "target_image", "answer", "answer_image"],
        Task::Preference => {
            &["before", "before_image", "chosen", "chosen_image", "target_image", "rejected", "rejected_image", "rule"]
        }
    };
    COMMON.iter().chain(VIEW).chain(shown).copied().collect()
}

/// Ids of the rows of a shard of `edit`, `polish` or `preference`, in their order.
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

/// Visits the wanted rows of such a shard, one at a time.
pub fn each_triple(
    path: &Path,
    task: Task,
    wanted: &dyn Fn(&ItemId) -> bool,
    visit: &mut dyn FnMut(TripleRow) -> Result<(), DatasetError>,
) -> Result<(), DatasetError> {
    let layout: Layout = table(task).1.layout();
    let names = names(task);
    let file = OpenFile::open(path)?;
    file.expect_fields(&layout, &names)?;
    let fields = layout.named(&names);
    for batch in file.batches(&names, None)? {
        let batch = batch.map_err(|source| error::parquet("read", path)(source.into()))?;
        for index in 0..batch.num_rows() {
            let id = batch.column_by_name("id").map_or(Cell::Null, |ids| cell_at(Kind::Text, ids.as_ref(), index));
            if let Cell::Text(id) = id
                && id.parse().is_ok_and(|id| !wanted(&id))
            {
                continue;
            }
            let cells = fields.iter().map(|field| named_cell(field, &batch, index)).collect();
            let record = &mut Record::new(cells);
            let problem = || "a row lacks a value that every row has".to_owned();
            let row = row(task, record)
                .ok_or_else(|| DatasetError::Unexpected { path: path.to_owned(), problem: problem() })?;
            visit(row)?;
        }
    }
    Ok(())
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
    let mut row = TripleRow {
        task,
        id: record.text()?.parse().ok()?,
        url: record.text()?,
        instructions: record.many()?.into_iter().map(wording).collect::<Option<_>>()?,
        blocks: record.text()?,
        operators: record.many()?.into_iter().map(word).collect::<Option<_>>()?,
        kind: record.text()?,
        origin: record.text()?,
        viewport: Viewport {
            width: record.count_u32()?,
            height: record.count_u32()?,
            device_scale_factor: record.float()?,
        },
        color_scheme: record.maybe_text()?,
        reduced_motion: record.maybe_flag()?,
        image_format: record.maybe_text()?,
        chrome: record.maybe_text()?,
        asks: task,
        before: record.text()?,
        before_image: picture(record)?,
        after: record.text()?,
        after_image: picture(record)?,
        target_image: None,
        worse: None,
    };
    match task {
        Task::Edit => {}
        Task::Polish => {
            row.target_image = Some(row.after_image.clone());
            let (answer, image) = (record.maybe_text()?, maybe_picture(record)?);
            if let (Some(answer), Some(image)) = (answer, image) {
                (row.after, row.after_image) = (answer, image);
            }
        }
        Task::Preference => {
            row.target_image = maybe_picture(record)?;
            row.asks = if row.target_image.is_some() { Task::Polish } else { Task::Edit };
            row.worse = Some(WorseRow { html: record.text()?, image: maybe_picture(record)?, rule: record.text()? });
        }
    }
    Some(row)
}

fn picture(record: &mut Record<'_>) -> Option<Bytes> {
    Record::new(record.many()?).bytes()
}

#[expect(clippy::option_option, reason = "no cell is trouble, a null is a value")]
fn maybe_picture(record: &mut Record<'_>) -> Option<Option<Bytes>> {
    let Some(cells) = record.maybe_many()? else { return Some(None) };
    // A null struct comes as one, or as a struct of nulls.
    Record::new(cells).maybe_bytes()
}
