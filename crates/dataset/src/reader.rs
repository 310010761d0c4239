//! Rows of `pages` shards, read back for verification, reports and people.

use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow_array::{Array, RecordBatch};
use bytes::Bytes;
use item::{ItemId, Node, Viewport};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowSelection};

use crate::batch::{cell_at, named_cell};
use crate::cell::Cell;
use crate::column::Field;
use crate::error::{self, DatasetError};
use crate::files::OpenFile;
use crate::node;
use crate::pages::PAGES;
use crate::record::Record;
use crate::webdataset::{RowFiles, each_row};

/// Which heavy columns are read; the light ones always are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Columns {
    /// The HTML.
    pub text: bool,
    /// The screenshot.
    pub image: bool,
    /// The elements.
    pub nodes: bool,
}

impl Columns {
    /// Every column.
    pub const ALL: Self = Self { text: true, image: true, nodes: true };
    /// None of the heavy ones.
    pub const LIGHT: Self = Self { text: false, image: false, nodes: false };
}

/// One row of `pages`, as far as our own tools read it.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRow {
    /// Identity.
    pub id: ItemId,
    /// Target URI.
    pub url: String,
    /// Registrable domain.
    pub domain: String,
    /// Title of the document.
    pub title: Option<String>,
    /// Language of the page.
    pub lang: Option<String>,
    /// Width and height of the screenshot in pixels.
    pub scale: (u32, u32),
    /// The viewport it was rendered in.
    pub viewport: Viewport,
    /// Name of the view.
    pub view: Option<String>,
    /// `screenshot_sha256` of the page that the component was cut from, and its place there in CSS px: left, top, width,
    /// height.
    pub part_of: Option<(String, [u32; 4])>,
    /// Colour scheme that media queries saw.
    pub color_scheme: Option<String>,
    /// Media queries heard that the user prefers reduced motion.
    pub reduced_motion: Option<bool>,
    /// What the screenshot is encoded as.
    pub image_format: Option<String>,
    /// Height of the whole document in CSS px.
    pub page_height: Option<i64>,
    /// Tokens of the style sheet and of the HTML.
    pub tokens: Option<(i64, i64)>,
    /// Number of elements.
    pub dom_elements: Option<i64>,
    /// Calibrated score, 0 to 1.
    pub quality: Option<f64>,
    /// Perceptual hash, hex.
    pub phash: Option<String>,
    /// Near-duplicate cluster.
    pub cluster: Option<String>,
    /// Pages in the cluster.
    pub cluster_size: Option<i64>,
    /// Split that the row belongs to.
    pub split: String,
    /// SHA-256 of the HTML.
    pub html_sha256: String,
    /// SHA-256 of the screenshot.
    pub screenshot_sha256: String,
    /// Version of the browser.
    pub chrome: Option<String>,
    /// Digest of the fonts.
    pub fonts: Option<String>,
    /// WHATWG name of the charset that the payload was decoded with.
    pub charset: Option<String>,
    /// Bytes of the HTML without its style sheet.
    pub html_bytes: Option<i64>,
    /// Bytes of the style sheet.
    pub css_bytes: Option<i64>,
    /// Characters of visible text.
    pub text_chars: Option<i64>,
    /// Number of images in the page.
    pub n_images: Option<i64>,
    /// How much of the code was simplified away.
    pub level: Option<String>,
    /// What came of rendering the page as captured beside it.
    pub proof: Option<String>,
    /// The HTML, if it was asked for.
    pub text: Option<String>,
    /// The screenshot, if it was asked for.
    pub image: Option<Bytes>,
    /// Every element in document order, without its `style`, if they were asked for.
    pub nodes: Option<Vec<Node>>,
}

/// The columns of [`PageRow`], in the order [`page_row`] takes them.
const LIGHT: &[&str] = &[
    "id",
    "url",
    "domain",
    "title",
    "lang",
    "scale",
    "viewport_width",
    "viewport_height",
    "device_scale_factor",
    "view",
    "part_of",
    "part_box",
    "color_scheme",
    "reduced_motion",
    "image_format",
    "page_height",
    "tokens",
    "dom_elements",
    "quality",
    "phash",
    "cluster",
    "cluster_size",
    "split",
    "html_sha256",
    "screenshot_sha256",
    "chrome",
    "fonts",
    "charset",
    "html_bytes",
    "css_bytes",
    "text_chars",
    "n_images",
    "level",
    "proof",
];

/// A shard of `pages`.
#[derive(Debug)]
pub struct ShardReader {
    path: PathBuf,
    rows: u64,
}

impl ShardReader {
    /// Opens the file and checks that it has the columns.
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        let file = OpenFile::open(path)?;
        file.expect_fields(&PAGES.layout(), LIGHT)?;
        file.expect_fields(&PAGES.layout(), &["text", "image", "nodes"])?;
        Ok(Self { path: path.to_owned(), rows: file.rows() })
    }

    /// Rows in the shard.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// All rows, a few megabytes at a time.
    pub fn pages(&self, columns: Columns) -> Result<PageRows, DatasetError> {
        PageRows::open(&self.path, columns, None)
    }

    /// The rows with those ids, in the order of the shard; ids that are not in it are passed over. Only the pages of the
    /// file that hold them are read.
    pub fn pages_by_id(&self, ids: &[ItemId], columns: Columns) -> Result<PageRows, DatasetError> {
        PageRows::open(&self.path, columns, Some(self.selection(ids)?))
    }

    /// The row of that id as files, if it is in the shard.
    pub fn files(&self, id: ItemId) -> Result<Option<RowFiles>, DatasetError> {
        let mut found = None;
        each_row(&self.path, &PAGES.layout(), Some(self.selection(&[id])?), |files| {
            found = Some(files);
            Ok(())
        })?;
        Ok(found)
    }

    /// Where the rows with those ids stand.
    fn selection(&self, ids: &[ItemId]) -> Result<RowSelection, DatasetError> {
        let mut wanted: Vec<String> = ids.iter().map(ItemId::to_string).collect();
        wanted.sort_unstable();
        let file = OpenFile::open(&self.path)?;
        let rows = file.rows() as usize;
        let mut found: Vec<Range<usize>> = Vec::new();
        let mut row = 0;
        for batch in file.batches(&["id"], None)? {
            let batch = batch.map_err(|source| error::parquet("read", &self.path)(source.into()))?;
            let column = self.only_column(&batch)?;
            for index in 0..batch.num_rows() {
                if let Cell::Text(id) = cell_at(crate::column::Kind::Text, column, index)
                    && wanted.binary_search_by(|wanted| wanted.as_str().cmp(&id)).is_ok()
                {
                    found.push(row..row + 1);
                }
                row += 1;
            }
        }
        Ok(RowSelection::from_consecutive_ranges(found.into_iter(), rows))
    }

    fn only_column<'a>(&self, batch: &'a RecordBatch) -> Result<&'a dyn Array, DatasetError> {
        let problem = "it has no column `id`".to_owned();
        let missing = || DatasetError::Unexpected { path: self.path.clone(), problem };
        batch.columns().first().map(AsRef::as_ref).ok_or_else(missing)
    }
}

/// Rows of a shard, one by one.
pub struct PageRows {
    path: PathBuf,
    /// The fields of [`LIGHT`], then the heavy ones that were asked for.
    fields: Vec<Field>,
    columns: Columns,
    batches: ParquetRecordBatchReader,
    batch: Option<(RecordBatch, usize)>,
}

impl std::fmt::Debug for PageRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageRows").field("path", &self.path).field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl PageRows {
    fn open(path: &Path, columns: Columns, rows: Option<RowSelection>) -> Result<Self, DatasetError> {
        let mut names = LIGHT.to_vec();
        let heavy = [(columns.text, "text"), (columns.image, "image"), (columns.nodes, "nodes")];
        names.extend(heavy.into_iter().filter(|(wanted, _)| *wanted).map(|(_, name)| name));
        let fields = PAGES.layout().named(&names);
        let batches = OpenFile::open(path)?.batches(&names, rows)?;
        Ok(Self { path: path.to_owned(), fields, columns, batches, batch: None })
    }

    fn row(&self, batch: &RecordBatch, row: usize) -> Result<PageRow, DatasetError> {
        let cells = self.fields.iter().map(|field| named_cell(field, batch, row)).collect();
        page_row(&mut Record::new(cells), self.columns).ok_or_else(|| DatasetError::Unexpected {
            path: self.path.clone(),
            problem: "a row lacks a value that every row has".to_owned(),
        })
    }
}

impl Iterator for PageRows {
    type Item = Result<PageRow, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((batch, row)) = self.batch.take()
                && row < batch.num_rows()
            {
                let page = self.row(&batch, row);
                self.batch = Some((batch, row + 1));
                return Some(page);
            }
            match self.batches.next()? {
                Ok(batch) => self.batch = Some((batch, 0)),
                Err(source) => return Some(Err(error::parquet("read", &self.path)(source.into()))),
            }
        }
    }
}

/// A row from the cells of [`LIGHT`] and of the heavy columns.
fn page_row(record: &mut Record<'_>, columns: Columns) -> Option<PageRow> {
    Some(PageRow {
        id: record.text()?.parse().ok()?,
        url: record.text()?,
        domain: record.text()?,
        title: record.maybe_text()?,
        lang: record.maybe_text()?,
        scale: {
            let mut pair = Record::new(record.many()?);
            (pair.count_u32()?, pair.count_u32()?)
        },
        viewport: Viewport {
            width: record.count_u32()?,
            height: record.count_u32()?,
            device_scale_factor: record.float()?,
        },
        view: record.maybe_text()?,
        part_of: {
            let (page, place) = (record.maybe_text()?, record.maybe_many()?);
            match page.zip(place) {
                Some((page, place)) => {
                    let mut edges = Record::new(place);
                    Some((page, [edges.count_u32()?, edges.count_u32()?, edges.count_u32()?, edges.count_u32()?]))
                }
                None => None,
            }
        },
        color_scheme: record.maybe_text()?,
        reduced_motion: record.maybe_flag()?,
        image_format: record.maybe_text()?,
        page_height: record.maybe_int()?,
        tokens: match record.maybe_many()? {
            Some(pair) => {
                let mut pair = Record::new(pair);
                Some((pair.int()?, pair.int()?))
            }
            None => None,
        },
        dom_elements: record.maybe_int()?,
        quality: record.maybe_float()?,
        phash: record.maybe_text()?,
        cluster: record.maybe_text()?,
        cluster_size: record.maybe_int()?,
        split: record.text()?,
        html_sha256: record.text()?,
        screenshot_sha256: record.text()?,
        chrome: record.maybe_text()?,
        fonts: record.maybe_text()?,
        charset: record.maybe_text()?,
        html_bytes: record.maybe_int()?,
        css_bytes: record.maybe_int()?,
        text_chars: record.maybe_int()?,
        n_images: record.maybe_int()?,
        level: record.maybe_text()?,
        proof: record.maybe_text()?,
        text: if columns.text { Some(record.text()?) } else { None },
        image: if columns.image { Some(Record::new(record.many()?).bytes()?) } else { None },
        nodes: if columns.nodes {
            let nodes = record.many()?.into_iter().map(|cell| node::from_cell(cell, false));
            Some(nodes.collect::<Option<_>>()?)
        } else {
            None
        },
    })
}
