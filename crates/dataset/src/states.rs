//! States of pages that a scorer is trained and tested on: a picture, what was done to the page, and numbers of its layout.

use std::path::Path;

use bytes::Bytes;
use item::ItemId;

use crate::batch::named_cell;
use crate::cell::Cell;
use crate::column::{Column, Field, Kind, Table};
use crate::error::{self, DatasetError};
use crate::files::OpenFile;
use crate::record::Record;
use crate::rest::{RestSummary, RestWriter};

/// Key of the footer that names the numbers of `features`, as a JSON list.
const FEATURES_KEY: &str = "features";
/// Key of the footer that says which set of numbers they are.
const FEATURE_SET_KEY: &str = "feature_set";

/// One state of one page.
#[derive(Debug, Clone, PartialEq)]
pub struct StateRow {
    /// The page's row in its dataset; its states share it.
    pub page: ItemId,
    /// Registrable domain.
    pub site: String,
    /// `train`, `validation` or `test`: all of a site is in one.
    pub split: String,
    /// `original`, the operator that damaged it, or the kind of non-page.
    pub kind: String,
    /// `original`, `degraded` or `negative`.
    pub family: String,
    /// The principle of design that is broken.
    pub principle: Option<String>,
    /// 0 for the original, 1 to 3 for the others.
    pub severity: u8,
    /// Share of pixels that differ visibly from the original.
    pub changed: f64,
    /// Width of the picture in px.
    pub width: u32,
    /// Height of the picture in px.
    pub height: u32,
    /// The picture.
    pub picture: Bytes,
    /// Numbers of the layout; NaN where there is nothing to measure.
    pub features: Vec<f32>,
}

const NUMBER: Field = Field::always("item", Kind::Float32, "A number.");

const STATES: Table<StateRow> = Table { name: "states", version: 1, columns: &[COLUMNS] };

const COLUMNS: &[Column<StateRow>] = &[
    Column::always("page", Kind::Text, "Id of the page's row in its dataset; its states share it.", |s| {
        Cell::owned(s.page.to_string())
    }),
    Column::always("site", Kind::Word, "Registrable domain.", |s| Cell::text(&s.site)),
    Column::always("split", Kind::Word, "`train`, `validation` or `test`: all of a site is in one.", |s| {
        Cell::text(&s.split)
    }),
    Column::always("kind", Kind::Word, "`original`, the operator that damaged it, or the kind of non-page.", |s| {
        Cell::text(&s.kind)
    }),
    Column::always("family", Kind::Word, "`original`, `degraded` or `negative`.", |s| Cell::text(&s.family)),
    Column::maybe("principle", Kind::Word, "The principle of design that is broken.", |s| {
        Cell::opt(s.principle.as_deref(), Cell::text)
    }),
    Column::always("severity", Kind::Int, "0 for the original, 1 to 3 for the others.", |s| {
        Cell::Int(s.severity.into())
    }),
    Column::always("changed", Kind::Float, "Share of pixels that differ visibly from the original.", |s| {
        Cell::Float(s.changed)
    }),
    Column::always("width", Kind::Int, "Width of the picture in px.", |s| Cell::Int(s.width.into())),
    Column::always("height", Kind::Int, "Height of the picture in px.", |s| Cell::Int(s.height.into())),
    Column::always("picture", Kind::Bytes, "The picture, PNG.", |s| Cell::bytes(&s.picture)),
    Column::always("features", Kind::List(&NUMBER), "Numbers of the layout; their names are in the footer.", |s| {
        Cell::Many(s.features.iter().map(|&number| Cell::Float(number.into())).collect())
    }),
];

/// Writes states to a Parquet file.
#[derive(Debug)]
pub struct StateWriter(RestWriter<StateRow>);

impl StateWriter {
    /// Creates the file; an existing one is replaced. `features` are the names of a row's numbers, `set` is what they are
    /// called together.
    pub fn create(path: &Path, set: &str, features: &[&str]) -> Result<Self, DatasetError> {
        let names = serde_json::Value::from(features).to_string();
        let metadata = vec![(FEATURES_KEY.to_owned(), names), (FEATURE_SET_KEY.to_owned(), set.to_owned())];
        RestWriter::create(path, STATES, metadata).map(Self)
    }

    /// Appends a row.
    pub fn push(&mut self, row: &StateRow) -> Result<(), DatasetError> {
        self.0.push(row)
    }

    /// Completes the file and flushes it to the disk. A file that was not finished cannot be read.
    pub fn finish(self) -> Result<RestSummary, DatasetError> {
        self.0.finish()
    }
}

/// A file of states, opened.
pub struct StateReader {
    file: OpenFile,
    features: Vec<String>,
}

impl std::fmt::Debug for StateReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateReader").field("path", &self.file.path()).finish_non_exhaustive()
    }
}

impl StateReader {
    /// Opens the file, which must have the columns and say what its numbers are called.
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        let file = OpenFile::open(path)?;
        file.expect_fields(&STATES.layout(), &names())?;
        let features = file.key(FEATURES_KEY).and_then(|names| serde_json::from_str(names).ok());
        let features = features.ok_or_else(|| file.unexpected(format!("its footer has no list `{FEATURES_KEY}`")))?;
        Ok(Self { file, features })
    }

    /// Names of a row's numbers.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Hands the rows over, one by one.
    pub fn each(self, each: &mut dyn FnMut(StateRow) -> Result<(), DatasetError>) -> Result<(), DatasetError> {
        let (path, names) = (self.file.path().to_owned(), names());
        let fields = STATES.layout().named(&names);
        for batch in self.file.batches(&names, None)? {
            let batch = batch.map_err(|source| error::parquet("read", &path)(source.into()))?;
            for row in 0..batch.num_rows() {
                let cells = fields.iter().map(|field| named_cell(field, &batch, row)).collect();
                let state = state_from(&mut Record::new(cells)).ok_or_else(|| DatasetError::Unexpected {
                    path: path.clone(),
                    problem: "a row lacks a value that every row has".to_owned(),
                })?;
                each(state)?;
            }
        }
        Ok(())
    }
}

fn names() -> Vec<&'static str> {
    COLUMNS.iter().map(|column| column.field.name).collect()
}

fn state_from(record: &mut Record<'_>) -> Option<StateRow> {
    Some(StateRow {
        page: record.text()?.parse().ok()?,
        site: record.text()?,
        split: record.text()?,
        kind: record.text()?,
        family: record.text()?,
        principle: record.maybe_text()?,
        severity: record.int()?.try_into().ok()?,
        changed: record.float()?,
        width: record.count_u32()?,
        height: record.count_u32()?,
        picture: record.bytes()?,
        features: {
            let numbers = record.many()?.into_iter();
            let number = |cell| Record::new(vec![cell]).float().map(|number| number as f32);
            numbers.map(number).collect::<Option<_>>()?
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_back_as_they_went() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("states.parquet");
        let row = |severity: u8, principle: Option<&str>| StateRow {
            page: ItemId::from_bytes([severity; 16]),
            site: "site.example".into(),
            split: "test".into(),
            kind: "pos.offset".into(),
            family: "degraded".into(),
            principle: principle.map(Into::into),
            severity,
            changed: 0.25,
            width: 1280,
            height: 2000,
            picture: Bytes::from_static(b"png"),
            features: vec![1.5, f32::INFINITY, -0.0],
        };
        let rows = [row(0, None), row(3, Some("alignment"))];
        let mut writer = StateWriter::create(&path, "set-v1", &["a", "b", "c"]).expect("created");
        rows.iter().try_for_each(|row| writer.push(row)).expect("written");
        assert_eq!(writer.finish().expect("finished").rows, 2);
        let reader = StateReader::open(&path).expect("opened");
        assert_eq!(reader.features(), ["a", "b", "c"]);
        let mut read = Vec::new();
        reader
            .each(&mut |row| {
                read.push(row);
                Ok(())
            })
            .expect("read");
        assert_eq!(read, rows);
    }
}
