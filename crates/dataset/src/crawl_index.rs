//! The columnar index of a crawl: Parquet files with a row for each capture.
//!
//! Common Crawl publishes such a table (`cc-index-table`). Only the columns that say what a capture is and where it lies are
//! read. Makers differ in the width of their numbers and leave columns out, so each column is taken as what it is.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int16Type, Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::Statistics;

use crate::error::{self, DatasetError};

/// Rows decoded at a time. 8,192: some megabytes, whatever the URLs.
const BATCH_ROWS: usize = 8192;

const FILENAME: &str = "warc_filename";
const OFFSET: &str = "warc_record_offset";
const LENGTH: &str = "warc_record_length";
const URL: &str = "url";
const STATUS: &str = "fetch_status";
const MIME: &str = "content_mime_type";
const MIME_DETECTED: &str = "content_mime_detected";
const LANGUAGES: &str = "content_languages";
/// Not read; its smallest and largest value in a row group say whether a domain can be in it.
const DOMAIN: &str = "url_host_registered_domain";
/// Without these a row says nothing.
const REQUIRED: &[&str] = &[FILENAME, OFFSET, LENGTH, URL];
const OPTIONAL: &[&str] = &[STATUS, MIME, MIME_DETECTED, LANGUAGES];

/// A capture, as the index describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrawlIndexRow {
    /// Path of the archive in the crawl.
    pub filename: String,
    /// Where the record starts in it.
    pub offset: u64,
    /// Bytes of the record in it.
    pub length: u64,
    /// Target URI.
    pub url: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// MIME type as sent.
    pub mime: Option<String>,
    /// MIME type as detected.
    pub mime_detected: Option<String>,
    /// Comma separated codes of languages, the most used first.
    pub languages: Option<String>,
}

/// Bytes of a file that lies elsewhere, asked for in ranges. A request costs far more than a byte.
pub trait RangeRead: Send + Sync {
    /// Size of the file.
    fn size(&self) -> u64;
    /// These bytes of it, all of them.
    fn read(&self, range: Range<u64>) -> io::Result<Bytes>;
}

/// An iterator over the rows of one file of the index.
pub struct CrawlIndexReader {
    path: PathBuf,
    batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>,
    batch: Option<RecordBatch>,
    row: usize,
}

impl fmt::Debug for CrawlIndexReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrawlIndexReader").field("path", &self.path).finish_non_exhaustive()
    }
}

impl CrawlIndexReader {
    /// Opens a file of the index. Parts of it that have none of these registrable domains, by their statistics, are passed
    /// over; an empty list passes over none.
    pub fn open(path: &Path, domains: &[String]) -> Result<Self, DatasetError> {
        let file = File::open(path).map_err(error::io("open", path))?;
        let metadata =
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(error::parquet("open", path))?;
        let mask = projection(&metadata, path)?;
        let groups = groups(metadata.metadata(), domains);
        let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
            .with_projection(mask)
            .with_row_groups(groups)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(error::parquet("read", path))?;
        Ok(Self { path: path.to_owned(), batches: Box::new(batches), batch: None, row: 0 })
    }

    /// Like [`Self::open`], for a file elsewhere that people know as `name`: of each part, the columns that are wanted come
    /// with a handful of requests.
    pub fn open_ranges(source: Arc<dyn RangeRead>, name: &str, domains: &[String]) -> Result<Self, DatasetError> {
        let path = PathBuf::from(name);
        let ranged = Ranged { source, held: Arc::default() };
        let size = ranged.source.size();
        ranged.hold(size.saturating_sub(FOOTER_BYTES_WISHED)..size).map_err(error::io("open", &path))?;
        let metadata =
            ArrowReaderMetadata::load(&ranged, ArrowReaderOptions::new()).map_err(error::parquet("open", &path))?;
        let mask = projection(&metadata, &path)?;
        let groups = groups(metadata.metadata(), domains);
        let batches = groups.into_iter().flat_map(move |group| match ranged.group(&metadata, &mask, group) {
            Ok(batches) => batches,
            Err(error) => Box::new(std::iter::once(Err(error))) as Batches,
        });
        Ok(Self { path, batches: Box::new(batches), batch: None, row: 0 })
    }
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// Bytes of a file's end that are fetched to begin with: the description of a file of 300 columns and some row groups.
const FOOTER_BYTES_WISHED: u64 = 256 * 1024;
/// Columns that lie no further apart than this come with one request.
const COLUMN_GAP_BYTES: u64 = 256 * 1024;

fn projection(metadata: &ArrowReaderMetadata, path: &Path) -> Result<ProjectionMask, DatasetError> {
    let has = |name: &&&str| metadata.schema().column_with_name(name).is_some();
    if let Some(missing) = REQUIRED.iter().find(|name| !has(name)) {
        let problem = format!("it has no column `{missing}`, so it is no index of a crawl");
        return Err(DatasetError::Unexpected { path: path.to_owned(), problem });
    }
    let columns: Vec<&str> = REQUIRED.iter().chain(OPTIONAL).filter(has).copied().collect();
    Ok(ProjectionMask::columns(metadata.parquet_schema(), columns))
}

/// The row groups that can have rows of these domains.
fn groups(metadata: &ParquetMetaData, domains: &[String]) -> Vec<usize> {
    let can_have = |group: &RowGroupMetaData| {
        let column = group.columns().iter().find(|column| column.column_descr().name() == DOMAIN);
        let Some(Statistics::ByteArray(values)) = column.and_then(|column| column.statistics()) else { return true };
        let (Some(least), Some(most)) = (values.min_opt(), values.max_opt()) else { return true };
        let within = |domain: &String| least.data() <= domain.as_bytes() && domain.as_bytes() <= most.data();
        domains.is_empty() || domains.iter().any(within)
    };
    (0..metadata.num_row_groups()).filter(|group| can_have(metadata.row_group(*group))).collect()
}

/// A file elsewhere, and the parts of it that were fetched.
#[derive(Clone)]
struct Ranged {
    source: Arc<dyn RangeRead>,
    /// Where a part starts, and its bytes.
    held: Arc<Mutex<Vec<(u64, Bytes)>>>,
}

impl Ranged {
    /// Fetches a part, for the reads that follow.
    fn hold(&self, range: Range<u64>) -> io::Result<()> {
        let (start, wanted) = (range.start, range.end - range.start);
        let bytes = self.source.read(range)?;
        if bytes.len() as u64 != wanted {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("{} of {wanted} bytes came", bytes.len()),
            ));
        }
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push((start, bytes));
        Ok(())
    }

    /// What is held from `start` on, at least `length` bytes.
    fn held(&self, start: u64, length: usize) -> Option<Bytes> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().rev().find_map(|(at, bytes)| {
            let from = usize::try_from(start.checked_sub(*at)?).ok()?;
            (from.checked_add(length)? <= bytes.len()).then(|| bytes.slice(from..))
        })
    }

    /// The rows of a row group: its columns are fetched, and those of the group before let go.
    fn group(
        &self,
        metadata: &ArrowReaderMetadata,
        mask: &ProjectionMask,
        group: usize,
    ) -> Result<Batches, ArrowError> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let columns = metadata.metadata().row_group(group).columns();
        let wanted = columns.iter().enumerate().filter(|(column, _)| mask.leaf_included(*column));
        let mut ranges: Vec<Range<u64>> = wanted
            .map(|(_, column)| {
                let (start, length) = column.byte_range();
                start..start + length
            })
            .collect();
        ranges.sort_by_key(|range| range.start);
        ranges.dedup_by(|next, last| {
            let is_near = next.start <= last.end + COLUMN_GAP_BYTES;
            if is_near {
                last.end = last.end.max(next.end);
            }
            is_near
        });
        for range in ranges {
            self.hold(range).map_err(|error| ArrowError::IoError("fetch columns".to_owned(), error))?;
        }
        let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(self.clone(), metadata.clone())
            .with_projection(mask.clone())
            .with_row_groups(vec![group])
            .with_batch_size(BATCH_ROWS)
            .build()?;
        Ok(Box::new(batches))
    }
}

impl Length for Ranged {
    fn len(&self) -> u64 {
        self.source.size()
    }
}

impl ChunkReader for Ranged {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let bytes = match self.held(start, 1) {
            Some(bytes) => bytes,
            None => self.source.read(start..self.source.size().min(start + FOOTER_BYTES_WISHED))?,
        };
        Ok(Cursor::new(bytes))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        if let Some(bytes) = self.held(start, length) {
            return Ok(bytes.slice(..length));
        }
        Ok(self.source.read(start..start + length as u64)?)
    }
}

impl Iterator for CrawlIndexReader {
    type Item = Result<CrawlIndexRow, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.batch.as_ref().filter(|batch| self.row < batch.num_rows()) {
                let row = self.row;
                self.row += 1;
                let problem = || format!("row {row} of a batch has no archive, offset, length or URL");
                let unexpected = || DatasetError::Unexpected { path: self.path.clone(), problem: problem() };
                return Some(row_at(batch, row).ok_or_else(unexpected));
            }
            match self.batches.next()? {
                Ok(batch) => {
                    self.batch = Some(batch);
                    self.row = 0;
                }
                Err(source) => {
                    // What a broken transfer left is no place to go on from.
                    self.batches = Box::new(std::iter::empty());
                    return Some(Err(error::parquet("read", &self.path)(source.into())));
                }
            }
        }
    }
}

fn row_at(batch: &RecordBatch, row: usize) -> Option<CrawlIndexRow> {
    let text = |name: &str| text_at(batch.column_by_name(name)?, row);
    let number = |name: &str| number_at(batch.column_by_name(name)?, row);
    Some(CrawlIndexRow {
        filename: text(FILENAME)?,
        offset: number(OFFSET)?,
        length: number(LENGTH)?,
        url: text(URL)?,
        status: number(STATUS).and_then(|status| u16::try_from(status).ok()),
        mime: text(MIME),
        mime_detected: text(MIME_DETECTED),
        languages: text(LANGUAGES),
    })
}

fn text_at(column: &dyn Array, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    let text = match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row),
        DataType::LargeUtf8 => column.as_string::<i64>().value(row),
        DataType::Utf8View => column.as_string_view().value(row),
        _ => return None,
    };
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn number_at(column: &dyn Array, row: usize) -> Option<u64> {
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::Int16 => u64::try_from(column.as_primitive::<Int16Type>().value(row)).ok(),
        DataType::Int32 => u64::try_from(column.as_primitive::<Int32Type>().value(row)).ok(),
        DataType::Int64 => u64::try_from(column.as_primitive::<Int64Type>().value(row)).ok(),
        DataType::UInt32 => Some(u64::from(column.as_primitive::<UInt32Type>().value(row))),
        DataType::UInt64 => Some(column.as_primitive::<UInt64Type>().value(row)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int16Array, Int32Array, Int64Array, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, GzipLevel};
    use parquet::file::properties::WriterProperties;

    use super::*;

    fn write(path: &Path, columns: Vec<(&str, ArrayRef)>, compression: Compression) {
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
        let properties = WriterProperties::builder().set_compression(compression).build();
        let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn rows_come_out_whatever_their_types_and_packing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.parquet");
        for compression in [Compression::SNAPPY, Compression::GZIP(GzipLevel::default()), Compression::UNCOMPRESSED] {
            let columns: Vec<(&str, ArrayRef)> = vec![
                ("url_surtkey", Arc::new(StringArray::from(vec!["a", "b"]))),
                ("url", Arc::new(StringArray::from(vec!["https://a.example/", "https://b.example/"]))),
                ("fetch_status", Arc::new(Int16Array::from(vec![Some(200), None]))),
                ("content_languages", Arc::new(StringArray::from(vec![Some("eng,deu"), None]))),
                ("warc_filename", Arc::new(StringArray::from(vec!["x.warc.gz", "y.warc.gz"]))),
                ("warc_record_offset", Arc::new(Int32Array::from(vec![5, 6]))),
                ("warc_record_length", Arc::new(Int64Array::from(vec![50, 60]))),
            ];
            write(&path, columns, compression);
            let rows: Vec<_> = CrawlIndexReader::open(&path, &[]).unwrap().map(Result::unwrap).collect();
            let first = CrawlIndexRow {
                filename: "x.warc.gz".into(),
                offset: 5,
                length: 50,
                url: "https://a.example/".into(),
                status: Some(200),
                languages: Some("eng,deu".into()),
                ..CrawlIndexRow::default()
            };
            assert_eq!(rows.len(), 2);
            assert_eq!(rows[0], first);
            assert_eq!((rows[1].offset, rows[1].status), (6, None));
        }
    }

    /// A file in memory that counts what is asked of it.
    struct Counted {
        bytes: Bytes,
        asked: Mutex<Vec<Range<u64>>>,
    }

    impl RangeRead for Counted {
        fn size(&self) -> u64 {
            self.bytes.len() as u64
        }
        fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
            self.asked.lock().unwrap().push(range.clone());
            Ok(self.bytes.slice(range.start as usize..range.end as usize))
        }
    }

    #[test]
    fn parts_without_the_wanted_domains_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.parquet");
        let rows = 4000;
        let site = |row: usize| format!("site{:04}.example", row / 10);
        let urls = (0..rows).map(|row| format!("https://{}/{row}?{}", site(row), "long ".repeat(row % 90)));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("url", Arc::new(StringArray::from_iter_values(urls))),
            (DOMAIN, Arc::new(StringArray::from_iter_values((0..rows).map(site)))),
            ("warc_filename", Arc::new(StringArray::from_iter_values((0..rows).map(|_| "x.warc.gz")))),
            ("other", Arc::new(StringArray::from_iter_values((0..rows).map(|row| "?".repeat(row))))),
            ("warc_record_offset", Arc::new(Int64Array::from_iter_values(0..rows as i64))),
            ("warc_record_length", Arc::new(Int64Array::from_iter_values(0..rows as i64))),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(1000)).build();
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();

        let bytes = Bytes::from(std::fs::read(&path).unwrap());
        let size = bytes.len() as u64;
        let counted = Arc::new(Counted { bytes, asked: Mutex::default() });
        let domains = vec!["site0150.example".to_owned()];
        let source: Arc<dyn RangeRead> = Arc::<Counted>::clone(&counted);
        let elsewhere: Vec<_> =
            CrawlIndexReader::open_ranges(source, "elsewhere", &domains).unwrap().map(Result::unwrap).collect();
        let here: Vec<_> = CrawlIndexReader::open(&path, &domains).unwrap().map(Result::unwrap).collect();
        assert_eq!(elsewhere, here);
        assert_eq!((here.len(), here[0].offset), (1000, 1000));
        let asked = counted.asked.lock().unwrap();
        let asked_bytes: u64 = asked.iter().map(|range| range.end - range.start).sum();
        assert!(asked.len() <= 4 && asked_bytes < size / 2, "{asked:?} of {size}");
    }

    #[test]
    fn a_table_of_other_things_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.parquet");
        write(&path, vec![("url", Arc::new(StringArray::from(vec!["x"])) as ArrayRef)], Compression::UNCOMPRESSED);
        let error = CrawlIndexReader::open(&path, &[]).unwrap_err().to_string();
        assert!(error.contains("no column `warc_filename`"), "{error}");
    }
}
