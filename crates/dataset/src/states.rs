//! States of pages that a scorer is trained and tested on: a picture, what was done to the page, and numbers of its layout.

use std::path::Path;

use bytes::Bytes;
use item::ItemId;

use crate::cell::Cell;
use crate::column::{Column, Field, Kind, Table};
use crate::error::DatasetError;
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
    pub split: &'static str,
    /// `original`, the operator that damaged it, or the kind of non-page.
    pub kind: &'static str,
    /// `original`, `degraded` or `negative`.
    pub family: &'static str,
    /// The principle of design that is broken.
    pub principle: Option<&'static str>,
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
        Cell::text(s.split)
    }),
    Column::always("kind", Kind::Word, "`original`, the operator that damaged it, or the kind of non-page.", |s| {
        Cell::text(s.kind)
    }),
    Column::always("family", Kind::Word, "`original`, `degraded` or `negative`.", |s| Cell::text(s.family)),
    Column::maybe("principle", Kind::Word, "The principle of design that is broken.", |s| {
        Cell::opt(s.principle, Cell::text)
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
