//! The columnar index of a crawl: Parquet files with a row for each capture.
//!
//! Common Crawl publishes such a table (`cc-index-table`). Only the columns that say what a capture is and where it lies are
//! read. Makers differ in the width of their numbers and leave columns out, so each column is taken as what it is.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int16Type, Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

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

/// An iterator over the rows of one file of the index.
#[derive(Debug)]
pub struct CrawlIndexReader {
    path: PathBuf,
    batches: ParquetRecordBatchReader,
    batch: Option<RecordBatch>,
    row: usize,
}

impl CrawlIndexReader {
    /// Opens a file of the index.
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        let file = File::open(path).map_err(error::io("open", path))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(error::parquet("open", path))?;
        let has = |name: &&&str| builder.schema().column_with_name(name).is_some();
        if let Some(missing) = REQUIRED.iter().find(|name| !has(name)) {
            let problem = format!("it has no column `{missing}`, so it is no index of a crawl");
            return Err(DatasetError::Unexpected { path: path.to_owned(), problem });
        }
        let columns: Vec<&str> = REQUIRED.iter().chain(OPTIONAL).filter(has).copied().collect();
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns);
        let batches = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
        let batches = batches.map_err(error::parquet("read", path))?;
        Ok(Self { path: path.to_owned(), batches, batch: None, row: 0 })
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
                Err(source) => return Some(Err(error::parquet("read", &self.path)(source.into()))),
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
            let rows: Vec<_> = CrawlIndexReader::open(&path).unwrap().map(Result::unwrap).collect();
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

    #[test]
    fn a_table_of_other_things_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.parquet");
        write(&path, vec![("url", Arc::new(StringArray::from(vec!["x"])) as ArrayRef)], Compression::UNCOMPRESSED);
        let error = CrawlIndexReader::open(&path).unwrap_err().to_string();
        assert!(error.contains("no column `warc_filename`"), "{error}");
    }
}
