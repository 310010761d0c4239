//! The dataset as WebDataset: tar files in which the files of a row share their stem.
//!
//! `<id>.png` (`webp`, `jpg`) is the screenshot, `<id>.html` the document, `<id>.json` everything else that the row holds. Rows keep their
//! order, and headers hold no time and no owner, so that the same dataset gives the same files.

use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use item::picture_extension;
use parquet::arrow::arrow_reader::RowSelection;
use serde_json::{Map, Value};

use crate::batch::named_cell;
use crate::cell::Cell;
use crate::column::{Field, Kind, Layout};
use crate::error::{self, DatasetError};
use crate::files::OpenFile;
use crate::manifest::Manifest;
use crate::pages::PAGES;
use crate::schema::Subset;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportSummary {
    /// Rows.
    pub rows: u64,
    /// Tar files.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// A tar file pads each entry to blocks of this size, behind a header of the same.
const TAR_BLOCK: u64 = 512;

/// Writes `pages` of the dataset below `folder` to tar files `<split>-000000.tar`, … in the folder `out`, each of some
/// `shard_bytes`.
pub fn export_webdataset(
    manifest: &Manifest,
    folder: &Path,
    out: &Path,
    shard_bytes: u64,
) -> Result<ExportSummary, DatasetError> {
    fs::create_dir_all(out).map_err(error::io("create", out))?;
    let mut summary = ExportSummary::default();
    let Some(pages) = manifest.subsets.get(Subset::Pages.name()) else { return Ok(summary) };
    let layout = PAGES.layout();
    for (split, shards) in &pages.splits {
        let mut tars = Tars { out, split, shard_bytes, number: 0, open: None };
        for shard in shards {
            summary.rows += each_row(&folder.join(&shard.path), &layout, None, |row| tars.add(&row))?;
        }
        let (files, bytes) = tars.close()?;
        summary.files += files;
        summary.bytes += bytes;
    }
    Ok(summary)
}

/// A row as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFiles {
    /// Its id.
    pub id: String,
    /// The screenshot.
    pub picture: Vec<u8>,
    /// The document.
    pub html: String,
    /// Everything else, as a JSON object.
    pub json: Vec<u8>,
}

/// Visits rows of a shard, all or a selection.
pub(crate) fn each_row(
    path: &Path,
    layout: &Layout,
    rows: Option<RowSelection>,
    mut visit: impl FnMut(RowFiles) -> Result<(), DatasetError>,
) -> Result<u64, DatasetError> {
    let names: Vec<&str> = layout.fields.iter().map(|field| field.name).collect();
    let file = OpenFile::open(path)?;
    file.expect_fields(layout, &names)?;
    let mut count = 0;
    for batch in file.batches(&names, rows)? {
        let batch = batch.map_err(|source| error::parquet("read", path)(source.into()))?;
        for row in 0..batch.num_rows() {
            let cell = |field: &Field| (*field, named_cell(field, &batch, row));
            let problem = || DatasetError::Unexpected {
                path: path.to_owned(),
                problem: "a row lacks its id, its image or its text".to_owned(),
            };
            visit(files(layout.fields.iter().map(cell)).ok_or_else(problem)?)?;
            count += 1;
        }
    }
    Ok(count)
}

fn files<'a>(cells: impl Iterator<Item = (Field, Cell<'a>)>) -> Option<RowFiles> {
    let (mut id, mut picture, mut html, mut rest) = (None, None, None, Map::new());
    for (field, cell) in cells {
        match (field.name, cell) {
            ("image", Cell::Many(fields)) => {
                picture = fields.into_iter().next().and_then(|bytes| match bytes {
                    Cell::Bytes(bytes) => Some(bytes.into_owned()),
                    _ => None,
                });
            }
            ("text", Cell::Text(text)) => html = Some(text.into_owned()),
            // A tree inside of the tree, instead of a text that holds one.
            ("bbox", Cell::Text(tree)) => {
                rest.insert(field.name.to_owned(), serde_json::from_str(&tree).ok()?);
            }
            (name, cell) => {
                if let ("id", Cell::Text(text)) = (name, &cell) {
                    id = Some(text.clone().into_owned());
                }
                rest.insert(name.to_owned(), json(field.kind, cell));
            }
        }
    }
    let json = serde_json::to_vec(&Value::Object(rest)).ok()?;
    Some(RowFiles { id: id?, picture: picture?, html: html?, json })
}

fn json(kind: Kind, cell: Cell<'_>) -> Value {
    match (kind, cell) {
        (_, Cell::Null | Cell::Bytes(_)) => Value::Null,
        (_, Cell::Bool(flag)) => flag.into(),
        (_, Cell::Int(number)) => number.into(),
        (_, Cell::Float(number)) => number.into(),
        (_, Cell::Text(text)) => text.into_owned().into(),
        (Kind::List(element), Cell::Many(cells)) => cells.into_iter().map(|cell| json(element.kind, cell)).collect(),
        (kind, Cell::Many(cells)) => {
            let named = kind.fields().iter().zip(cells);
            Value::Object(named.map(|(field, cell)| (field.name.to_owned(), json(field.kind, cell))).collect())
        }
    }
}

/// The tar files of one split.
struct Tars<'a> {
    out: &'a Path,
    split: &'a str,
    shard_bytes: u64,
    number: u64,
    open: Option<OpenTar>,
}

struct OpenTar {
    path: PathBuf,
    builder: tar::Builder<BufWriter<fs::File>>,
    bytes: u64,
}

impl Tars<'_> {
    fn add(&mut self, row: &RowFiles) -> Result<(), DatasetError> {
        let picture = (picture_extension(&row.picture), row.picture.as_slice());
        let parts: [(&str, &[u8]); 3] = [("html", row.html.as_bytes()), ("json", &row.json), picture];
        let bytes: u64 =
            parts.iter().map(|(_, part)| TAR_BLOCK + (part.len() as u64).next_multiple_of(TAR_BLOCK)).sum();
        if self.open.as_ref().is_some_and(|open| open.bytes + bytes > self.shard_bytes) {
            self.end()?;
        }
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(OpenTar::create(self.out.join(format!("{}-{:06}.tar", self.split, self.number)))?),
        };
        for (extension, content) in parts {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            let name = format!("{}.{extension}", row.id);
            let added = open.builder.append_data(&mut header, name, content);
            added.map_err(error::io("write", &open.path))?;
        }
        open.bytes += bytes;
        Ok(())
    }

    fn end(&mut self) -> Result<(), DatasetError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let path = open.path;
        let file = open.builder.into_inner().map_err(error::io("write", &path))?;
        let file = file.into_inner().map_err(|e| error::io("write", &path)(e.into_error()))?;
        file.sync_all().map_err(error::io("write", &path))?;
        self.number += 1;
        Ok(())
    }

    /// Ends the last file; gives how many there are, and their bytes.
    fn close(mut self) -> Result<(u64, u64), DatasetError> {
        self.end()?;
        let mut bytes = 0;
        for number in 0..self.number {
            let path = self.out.join(format!("{}-{number:06}.tar", self.split));
            bytes += fs::metadata(&path).map_err(error::io("read", &path))?.len();
        }
        Ok((self.number, bytes))
    }
}

impl OpenTar {
    fn create(path: PathBuf) -> Result<Self, DatasetError> {
        let file = fs::File::create_new(&path).map_err(error::io("create", &path))?;
        Ok(Self { path, builder: tar::Builder::new(BufWriter::new(file)), bytes: 0 })
    }
}
