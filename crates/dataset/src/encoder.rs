//! Row groups of shards: columns in, compressed column chunks out, on all cores.
//!
//! Every column of a row group is encoded apart from the others, so the bytes are the same whatever number of cores does it.

use arrow_array::{Array, ArrayRef};
use arrow_schema::FieldRef;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use rayon::prelude::*;

use crate::column::Layout;
use crate::files::{self, Purpose};
use crate::footer::Footer;

/// An encoded row group.
pub(crate) struct EncodedGroup {
    pub(crate) chunks: Vec<ArrowColumnChunk>,
    /// What the file grows by: pages, page index, its part of the footer.
    pub(crate) bytes: u64,
}

/// Encodes one row group after the other.
pub(crate) struct GroupEncoder {
    factory: ArrowRowGroupWriterFactory,
    footer: Footer,
    fields: Vec<ShardField>,
    /// The writers of each field's leaf columns; none between row groups.
    open: Vec<Vec<ArrowColumnWriter>>,
    rows: usize,
}

/// How a column of the shard is written.
struct ShardField {
    arrow: FieldRef,
    leaves: usize,
    /// Rows of its pages, where they end before the row group.
    page_rows: Option<usize>,
}

impl GroupEncoder {
    pub(crate) fn new(layout: &Layout, metadata: Vec<(String, String)>) -> Result<Self, ParquetError> {
        let writer = files::writer(std::io::sink(), layout, Purpose::Shard, metadata)?;
        let (empty_file, factory) = writer.into_serialized_writer()?;
        let arrow = layout.to_arrow();
        let fields = layout.fields.iter().zip(arrow.fields()).map(|(field, arrow)| ShardField {
            arrow: FieldRef::clone(arrow),
            leaves: field.leaves().len(),
            page_rows: field.kind.page_rows(),
        });
        Ok(Self { factory, footer: Footer::new(empty_file)?, fields: fields.collect(), open: Vec::new(), rows: 0 })
    }

    /// Bytes of a file without rows.
    pub(crate) fn empty_file_bytes(&self) -> u64 {
        self.footer.empty_file_bytes()
    }

    /// Rows of the row group so far.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds rows to the row group; `columns` are those of the layout.
    pub(crate) fn write(&mut self, columns: &[ArrayRef]) -> Result<(), ParquetError> {
        let rows = columns.first().map_or(0, |column| column.len());
        if rows == 0 {
            return Ok(());
        }
        if self.open.is_empty() {
            let mut writers = self.factory.create_column_writers(0)?.into_iter();
            self.open = self.fields.iter().map(|field| writers.by_ref().take(field.leaves).collect()).collect();
        }
        let before = self.rows;
        let fields = self.fields.par_iter().zip(&mut self.open).zip(columns);
        fields.try_for_each(|((field, writers), column)| field.write(writers, column, before))?;
        self.rows += rows;
        Ok(())
    }

    /// Ends the row group.
    pub(crate) fn finish(&mut self) -> Result<EncodedGroup, ParquetError> {
        let writers: Vec<ArrowColumnWriter> = std::mem::take(&mut self.open).into_iter().flatten().collect();
        let rows = std::mem::take(&mut self.rows);
        let chunks = writers.into_par_iter().map(ArrowColumnWriter::close).collect::<Result<Vec<_>, _>>()?;
        let pages: u64 = chunks.iter().map(|chunk| chunk.close().bytes_written).sum();
        let bytes = pages + self.footer.group_bytes(rows, chunks.iter().map(ArrowColumnChunk::close))?;
        Ok(EncodedGroup { chunks, bytes })
    }
}

impl ShardField {
    /// Writes values that stand behind `before` others of the row group.
    fn write(&self, writers: &mut [ArrowColumnWriter], column: &ArrayRef, before: usize) -> Result<(), ParquetError> {
        let Some(page_rows) = self.page_rows else { return self.write_piece(writers, column) };
        // The writer looks at the limit of a page only between what it is handed.
        let mut start = 0;
        while start < column.len() {
            let room = page_rows - (before + start) % page_rows;
            let rows = room.min(column.len() - start);
            self.write_piece(writers, &column.slice(start, rows))?;
            start += rows;
        }
        Ok(())
    }

    fn write_piece(&self, writers: &mut [ArrowColumnWriter], piece: &ArrayRef) -> Result<(), ParquetError> {
        let leaves = compute_leaves(&self.arrow, piece)?;
        writers.par_iter_mut().zip(leaves).try_for_each(|(writer, leaf)| writer.write(&leaf))
    }
}
