//! Parquet files: how ours are laid out, and how they are opened.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::{KeyValue, PageIndexPolicy, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use crate::column::{Kind, Layout};
use crate::error::{self, DatasetError};

/// Key of the metadata that says which layout a file has, as `name/version`.
pub(crate) const LAYOUT_KEY: &str = "databuild.layout";

/// What wrote a file, in its footer and in manifests. Only the version: the same rows give the same bytes anywhere.
pub(crate) const CREATED_BY: &str = concat!("databuild version ", env!("CARGO_PKG_VERSION"));

/// Target size of a batch while reading: a few hundred pages without pictures, a dozen with.
pub(crate) const READ_BATCH_BYTES: u64 = 4 << 20;

/// How a kind of file trades time for size.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Written once, read once, by us.
    Rest,
    /// Written once, uploaded, read by everyone for years.
    Shard,
}

/// zstd level of rest files: they live for one phase, so time counts more than bytes.
const REST_ZSTD_LEVEL: i32 = 1;
/// Pages of rest files end at this size. A page is built in a buffer that grows by doubling: of pictures, a few for each page leave
/// less memory behind for the system to clear than a megabyte of them does.
const REST_PAGE_BYTES: usize = 256 << 10;
/// zstd level of shards: zstd's own default. Higher levels gain a few per cent for several times the time.
const SHARD_ZSTD_LEVEL: i32 = 3;

/// The writer's settings for a layout.
pub(crate) fn properties(
    layout: &Layout,
    purpose: Purpose,
    metadata: Vec<(String, String)>,
) -> Result<WriterProperties, parquet::errors::ParquetError> {
    let level = match purpose {
        Purpose::Rest => REST_ZSTD_LEVEL,
        Purpose::Shard => SHARD_ZSTD_LEVEL,
    };
    let mut pairs = vec![KeyValue::new(LAYOUT_KEY.to_owned(), format!("{}/{}", layout.name, layout.version))];
    pairs.extend(metadata.into_iter().map(|(key, value)| KeyValue::new(key, value)));
    let mut builder = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(level)?))
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_coerce_types(true) // the names that the Parquet format asks for, `list.element`
        .set_max_row_group_row_count(None) // callers close row groups
        .set_max_row_group_bytes(None);
    builder = match purpose {
        Purpose::Shard => pages_by_rows(builder, layout),
        Purpose::Rest => builder.set_data_page_size_limit(REST_PAGE_BYTES),
    };
    for (path, kind) in layout.leaves() {
        let path = ColumnPath::new(path);
        builder = match kind {
            Kind::Word => builder.set_column_dictionary_enabled(path, true),
            Kind::LongText => builder.set_column_statistics_enabled(path, EnabledStatistics::None),
            Kind::Bytes => builder
                .set_column_compression(path.clone(), Compression::UNCOMPRESSED)
                .set_column_statistics_enabled(path, EnabledStatistics::None),
            _ => builder,
        };
    }
    Ok(builder.set_key_value_metadata(Some(pairs)).build())
}

/// A writer of a file of that layout.
pub(crate) fn writer<W: Write + Send>(
    sink: W,
    layout: &Layout,
    purpose: Purpose,
    metadata: Vec<(String, String)>,
) -> Result<ArrowWriter<W>, parquet::errors::ParquetError> {
    // In both places, as pyarrow does: it looks into the Arrow schema, others into the footer's own keys.
    let of_schema = metadata.iter().cloned().collect::<arrow_schema::Metadata>();
    let schema = Arc::new(Schema::clone(&layout.to_arrow()).with_metadata(of_schema));
    ArrowWriter::try_new(sink, schema, Some(properties(layout, purpose, metadata)?))
}

/// Pages of heavy columns end with every [`Kind::page_rows`]-th row of their row group, those of light ones with the row group, and
/// nowhere else: a row that changes moves no page but its own. Callers never write over the end of a page.
/// Why it is done so, and not by the writer's content-defined chunking: docs/decisions/0008-pages-by-rows.md.
fn pages_by_rows(mut builder: WriterPropertiesBuilder, layout: &Layout) -> WriterPropertiesBuilder {
    builder = builder
        .set_write_batch_size(usize::MAX)
        .set_data_page_size_limit(usize::MAX)
        .set_data_page_row_count_limit(usize::MAX)
        .set_dictionary_page_size_limit(usize::MAX); // giving a dictionary up ends a page, too; row groups bound it
    for field in &layout.fields {
        let Some(rows) = field.kind.page_rows() else { continue };
        for (path, _) in field.leaves() {
            let path = ColumnPath::new(path);
            builder = builder
                .set_column_data_page_row_count_limit(path.clone(), rows)
                .set_column_statistics_enabled(path, EnabledStatistics::None); // nobody looks for the smallest tag of 16 pages
        }
    }
    builder
}

/// An `ArrowWriter` of a rest file that knows its path.
pub(crate) struct FileWriter<W: Write + Send> {
    path: PathBuf,
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> FileWriter<W> {
    pub(crate) fn new(
        path: &Path,
        sink: W,
        layout: &Layout,
        metadata: Vec<(String, String)>,
    ) -> Result<Self, DatasetError> {
        let writer = writer(sink, layout, Purpose::Rest, metadata).map_err(error::parquet("create", path))?;
        Ok(Self { path: path.to_owned(), writer })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), DatasetError> {
        self.writer.write(batch).map_err(error::parquet("write", &self.path))
    }

    /// Ends the row group.
    pub(crate) fn close_group(&mut self) -> Result<(), DatasetError> {
        self.writer.flush().map_err(error::parquet("write", &self.path))
    }

    /// Writes the footer and gives the sink back, flushed.
    pub(crate) fn finish(self) -> Result<W, DatasetError> {
        let mut sink = self.writer.into_inner().map_err(error::parquet("finish", &self.path))?;
        sink.flush().map_err(error::io("write", &self.path))?;
        Ok(sink)
    }
}

pub(crate) fn create(path: &Path) -> Result<BufWriter<File>, DatasetError> {
    File::create(path).map(BufWriter::new).map_err(error::io("create", path))
}

/// Flushes the file to the disk: what a manifest names must survive a power cut.
pub(crate) fn sync(sink: BufWriter<File>, path: &Path) -> Result<u64, DatasetError> {
    let file = sink.into_inner().map_err(|e| error::io("write", path)(e.into_error()))?;
    file.sync_all().and_then(|()| file.metadata()).map(|metadata| metadata.len()).map_err(error::io("write", path))
}

/// An opened Parquet file whose footer was read.
pub(crate) struct OpenFile {
    path: PathBuf,
    builder: ParquetRecordBatchReaderBuilder<File>,
}

impl OpenFile {
    pub(crate) fn open(path: &Path) -> Result<Self, DatasetError> {
        let file = File::open(path).map_err(error::io("open", path))?;
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
            .map_err(error::parquet("open", path))?;
        Ok(Self { path: path.to_owned(), builder })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn metadata(&self) -> &ParquetMetaData {
        self.builder.metadata()
    }

    pub(crate) fn rows(&self) -> u64 {
        self.metadata().file_metadata().num_rows() as u64
    }

    pub(crate) fn schema(&self) -> &arrow_schema::SchemaRef {
        self.builder.schema()
    }

    /// The value of a key in the footer.
    pub(crate) fn key(&self, key: &str) -> Option<&str> {
        let pairs = self.metadata().file_metadata().key_value_metadata()?;
        pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
    }

    /// The error that the file is not what was asked for.
    pub(crate) fn unexpected(&self, problem: impl Into<String>) -> DatasetError {
        DatasetError::Unexpected { path: self.path.clone(), problem: problem.into() }
    }

    /// Fails unless the file has all of `fields`, in any order and among others, with our types.
    pub(crate) fn expect_fields(&self, layout: &Layout, names: &[&str]) -> Result<(), DatasetError> {
        for field in layout.fields.iter().filter(|field| names.contains(&field.name)) {
            let found = self.builder.schema().field_with_name(field.name);
            let found = found.map_err(|_| self.unexpected(format!("it has no column `{}`", field.name)))?;
            let expected = field.kind.to_arrow();
            if !found.data_type().equals_datatype(&expected) {
                let problem = format!("column `{}` is {}, not {expected}", field.name, found.data_type());
                return Err(self.unexpected(problem));
            }
        }
        Ok(())
    }

    /// Reads the named columns in batches of about [`READ_BATCH_BYTES`].
    pub(crate) fn batches(
        self,
        names: &[&str],
        rows: Option<parquet::arrow::arrow_reader::RowSelection>,
    ) -> Result<ParquetRecordBatchReader, DatasetError> {
        let schema = self.builder.schema();
        let roots: Vec<usize> = names.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        let mask = ProjectionMask::roots(self.builder.parquet_schema(), roots);
        let batch_rows = batch_rows(self.metadata(), &mask);
        let mut builder = self.builder.with_projection(mask).with_batch_size(batch_rows);
        if let Some(selection) = rows {
            builder = builder.with_row_selection(selection);
        }
        builder.build().map_err(error::parquet("read", &self.path))
    }
}

/// Rows a batch, so that the largest row group's average row fills [`READ_BATCH_BYTES`].
fn batch_rows(metadata: &ParquetMetaData, mask: &ProjectionMask) -> usize {
    let bytes_of_row = |group: &parquet::file::metadata::RowGroupMetaData| {
        let columns = group.columns().iter().enumerate().filter(|(index, _)| mask.leaf_included(*index));
        let bytes: u64 = columns.map(|(_, column)| column.uncompressed_size().max(0) as u64).sum();
        bytes / (group.num_rows().max(1) as u64)
    };
    let row_bytes = metadata.row_groups().iter().map(bytes_of_row).max().unwrap_or(0).max(1);
    (READ_BATCH_BYTES / row_bytes).clamp(1, 8192) as usize
}

/// Passes bytes through and hashes them on the way.
pub(crate) struct HashingWriter<W> {
    inner: W,
    sha256: sha2::Sha256,
}

impl<W> HashingWriter<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, sha256: sha2::Digest::new() }
    }

    pub(crate) fn get_ref(&self) -> &W {
        &self.inner
    }

    pub(crate) fn finish(self) -> (W, item::Sha256Hex) {
        (self.inner, hex(&sha2::Digest::finalize(self.sha256)))
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        sha2::Digest::update(&mut self.sha256, &bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a string cannot fail
        text
    })
}

/// SHA-256 of `bytes` in hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> item::Sha256Hex {
    hex(&<sha2::Sha256 as sha2::Digest>::digest(bytes))
}
