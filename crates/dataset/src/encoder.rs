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
        let rows = columns.first().map_or(0, Array::len);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::BatchBuilder;
    use crate::cell::Cell;
    use crate::column::{Field, IMAGE_FIELDS, Kind};

    const NODE: Field = Field::always(
        "item",
        Kind::Struct(&[Field::always("tag", Kind::Word, ""), Field::maybe("text", Kind::Text, "")]),
        "",
    );

    fn layout() -> Layout {
        let fields = vec![
            Field::always("id", Kind::Text, ""),
            Field::maybe("lang", Kind::Word, ""),
            Field::always("score", Kind::Float, ""),
            Field::always("html", Kind::LongText, ""),
            Field::always("image", Kind::Struct(IMAGE_FIELDS), ""),
            Field::maybe("nodes", Kind::List(&NODE), ""),
        ];
        Layout { name: "test", version: 1, fields }
    }

    fn row(number: usize) -> Vec<Cell<'static>> {
        let node = |n: usize| {
            let text = Cell::opt((!n.is_multiple_of(3)).then(|| format!("text {n}")), Cell::owned);
            Cell::Many(vec![Cell::owned(format!("h{}", n % 6)), text])
        };
        let nodes =
            Cell::opt((!number.is_multiple_of(7)).then_some(()), |()| Cell::Many((0..number % 40).map(node).collect()));
        let picture = (0..2000 + number * 37 % 900).map(|n| ((n * n * (number + 1)) >> 5) as u8).collect::<Vec<_>>();
        vec![
            Cell::owned(format!("{number:032x}")),
            Cell::opt((!number.is_multiple_of(5)).then_some(["en", "ja", "fr"][number % 3]), Cell::text),
            Cell::Float(number as f64 / 7.0),
            Cell::owned(format!("<p>number {number}</p>").repeat(number % 50)),
            Cell::Many(vec![Cell::Bytes(picture.into()), Cell::owned(format!("{number}.png"))]),
            nodes,
        ]
    }

    /// A file of row groups of so many rows, handed over so many at a time; and how large it was said to become.
    fn file(groups: &[usize], at_a_time: usize) -> (Vec<u8>, u64) {
        let layout = layout();
        let mut encoder = GroupEncoder::new(&layout, Vec::new()).expect("a schema");
        let mut batch = BatchBuilder::new(&layout);
        let writer = files::writer(Vec::new(), &layout, Purpose::Shard, Vec::new()).expect("a schema");
        let (mut writer, _) = writer.into_serialized_writer().expect("a writer");
        let (mut number, mut said) = (0, encoder.empty_file_bytes());
        for &rows in groups {
            let end = number + rows;
            while number < end {
                let next = end.min(number + at_a_time);
                (number..next).for_each(|number| batch.push(row(number)).expect("of the layout"));
                encoder.write(batch.finish().expect("a batch").columns()).expect("memory");
                number = next;
            }
            let group = encoder.finish().expect("memory");
            said += group.bytes;
            let mut into = writer.next_row_group().expect("memory");
            group.chunks.into_iter().for_each(|chunk| chunk.append_to_row_group(&mut into).expect("memory"));
            into.close().expect("memory");
        }
        (writer.into_inner().expect("memory"), said)
    }

    #[test]
    fn bytes_do_not_depend_on_how_rows_are_handed_over() {
        let groups = [100, 37, 1, 250];
        let (expected, _) = file(&groups, 16);
        for at_a_time in [1, 3, 15, 17, 64, 1000] {
            assert!(file(&groups, at_a_time).0 == expected, "{at_a_time} rows at a time give another file");
        }
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
        assert!(alone.install(|| file(&groups, 16)).0 == expected, "one thread gives another file");
    }

    #[test]
    fn a_file_becomes_as_large_as_is_said() {
        let check = |groups: &[usize]| {
            let (bytes, said) = file(groups, 64);
            let beyond = said as f64 / bytes.len() as f64 - 1.0;
            assert!((0.0..0.02).contains(&beyond), "{groups:?}: said {said}, became {}", bytes.len());
        };
        check(&[300]);
        check(&[40; 20]);
        check(&[1000, 16, 999]);
    }
}
