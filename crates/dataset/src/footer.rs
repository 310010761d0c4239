//! What a row group adds to the end of its file: the page index, and its part of the footer.
//!
//! Known before the row group is written, so that a shard can be closed before it would grow too large.

use std::sync::Arc;

use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::page_index::PageIndexBuilder;
use parquet::file::metadata::{
    FileMetaData, ParquetMetaData, ParquetMetaDataBuilder, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::SchemaDescPtr;

/// Offsets take more bytes the farther back they point. This one takes as many as any in a shard.
const FAR: i64 = 1 << 40;
/// Bytes that the two offsets of a column's page index may take beyond those that they take in a file of one row group.
const INDEX_OFFSETS_BYTES: u64 = 8;

/// Knows the footers of files with one schema.
pub(crate) struct Footer {
    schema: SchemaDescPtr,
    empty_file_bytes: u64,
    /// Bytes of a footer without row groups.
    bare_bytes: u64,
}

impl Footer {
    /// `file` has no rows.
    pub(crate) fn new(mut file: SerializedFileWriter<std::io::Sink>) -> Result<Self, ParquetError> {
        let schema = Arc::new(file.schema_descr().clone());
        file.finish()?;
        let empty_file_bytes = file.bytes_written() as u64;
        let mut footer = Self { schema, empty_file_bytes, bare_bytes: 0 };
        footer.bare_bytes = written_bytes(&footer.metadata(0).build())?;
        Ok(footer)
    }

    /// Magic numbers, schema and keys: what a file takes before its first row.
    pub(crate) fn empty_file_bytes(&self) -> u64 {
        self.empty_file_bytes
    }

    /// Bytes of page index and footer for a row group of these columns, or a little more: offsets count as if they pointed far back.
    pub(crate) fn group_bytes<'a>(
        &self,
        rows: usize,
        columns: impl Iterator<Item = &'a ColumnCloseResult>,
    ) -> Result<u64, ParquetError> {
        let width = self.schema.num_columns();
        let mut index = PageIndexBuilder::new(1, width);
        let mut chunks = Vec::with_capacity(width);
        for (number, column) in columns.enumerate() {
            if let Some(pages) = &column.column_index {
                index.put_column_index(pages.clone(), 0, number);
            }
            if let Some(mut pages) = column.offset_index.clone() {
                pages.page_locations.iter_mut().for_each(|page| page.offset += FAR);
                index.put_offset_index(pages, 0, number);
            }
            let chunk = &column.metadata;
            let dictionary = chunk.dictionary_page_offset().map(|offset| offset + FAR);
            let chunk = chunk.clone().into_builder().set_data_page_offset(FAR).set_dictionary_page_offset(dictionary);
            chunks.push(chunk.build()?);
        }
        let group = RowGroupMetaData::builder(Arc::clone(&self.schema))
            .set_num_rows(rows as i64)
            .set_total_byte_size(FAR)
            .set_file_offset(FAR)
            .set_column_metadata(chunks)
            .build()?;
        let metadata = self.metadata(rows).add_row_group(group).set_page_index(Some(Arc::new(index.build()))).build();
        Ok(written_bytes(&metadata)? - self.bare_bytes + width as u64 * INDEX_OFFSETS_BYTES)
    }

    fn metadata(&self, rows: usize) -> ParquetMetaDataBuilder {
        let schema = Arc::clone(&self.schema);
        ParquetMetaDataBuilder::new(FileMetaData::new(1, rows as i64, None, None, schema, None))
    }
}

fn written_bytes(metadata: &ParquetMetaData) -> Result<u64, ParquetError> {
    let mut bytes = Vec::new();
    ParquetMetaDataWriter::new(&mut bytes, metadata).finish()?;
    Ok(bytes.len() as u64)
}
