//! Cells to Arrow columns, and back.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Float32Builder, Float64Builder, Int64Builder, StringBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StructArray};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer};
use arrow_schema::SchemaRef;

use crate::cell::{Cell, Encoded, Part};
use crate::column::{Field, Kind, Layout};
use crate::error::BatchError;

/// Collects rows of cells into a record batch.
pub(crate) struct BatchBuilder {
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    rows: usize,
    bytes: usize,
}

impl BatchBuilder {
    pub(crate) fn new(layout: &Layout) -> Self {
        let columns = layout.fields.iter().map(|field| ColumnBuilder::new(*field)).collect();
        Self { schema: layout.to_arrow(), columns, rows: 0, bytes: 0 }
    }

    /// Adds a row; `cells` are in the order of the layout's fields.
    pub(crate) fn push<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Result<(), BatchError> {
        let mut cells = cells.into_iter();
        for column in &mut self.columns {
            let cell = cells.next().unwrap_or(Cell::Null);
            self.bytes += cell.size_bytes();
            column.push(&mut cell.parts())?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Adds a row as it lay in a spool, and appends the bytes of its cells to `cell_bytes`.
    pub(crate) fn push_encoded(&mut self, row: &[u8], cell_bytes: &mut Vec<usize>) -> Result<(), BatchError> {
        let mut cells = Encoded(row);
        for column in &mut self.columns {
            let before = cells.0.len();
            column.push(&mut cells)?;
            cell_bytes.push(before - cells.0.len());
        }
        if !cells.0.is_empty() {
            return Err(BatchError::Long);
        }
        self.bytes += row.len();
        self.rows += 1;
        Ok(())
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of the rows collected so far.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The batch, leaving the builder empty for the next.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, BatchError> {
        let columns = self.columns.iter_mut().map(ColumnBuilder::finish).collect::<Result<Vec<_>, _>>()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

struct ColumnBuilder {
    field: Field,
    values: Values,
}

enum Values {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Float32(Float32Builder),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    List { lengths: Vec<usize>, nulls: NullBufferBuilder, element: Box<ColumnBuilder> },
    Struct { nulls: NullBufferBuilder, fields: Vec<ColumnBuilder> },
}

impl ColumnBuilder {
    fn new(field: Field) -> Self {
        let values = match field.kind {
            Kind::Bool => Values::Bool(BooleanBuilder::new()),
            Kind::Int => Values::Int(Int64Builder::new()),
            Kind::Float => Values::Float(Float64Builder::new()),
            Kind::Float32 => Values::Float32(Float32Builder::new()),
            Kind::Word | Kind::Text | Kind::LongText => Values::Text(StringBuilder::new()),
            Kind::Bytes => Values::Bytes(BinaryBuilder::new()),
            Kind::List(element) => Values::List {
                lengths: Vec::new(),
                nulls: NullBufferBuilder::new(0),
                element: Box::new(Self::new(*element)),
            },
            Kind::Struct(_) | Kind::Image => Values::Struct {
                nulls: NullBufferBuilder::new(0),
                fields: field.kind.fields().iter().map(|field| Self::new(*field)).collect(),
            },
        };
        Self { field, values }
    }

    /// Adds the value that begins with the next part.
    fn push<'v>(&mut self, parts: &mut impl Iterator<Item = Part<'v>>) -> Result<(), BatchError> {
        let part = parts.next().ok_or(BatchError::Short { column: self.field.name })?;
        match (&mut self.values, part) {
            (_, Part::Null) if self.field.required => return Err(BatchError::Missing { column: self.field.name }),
            (_, Part::Null) => self.push_null(),
            (Values::Bool(builder), Part::Bool(flag)) => builder.append_value(flag),
            (Values::Int(builder), Part::Int(number)) => builder.append_value(number),
            (Values::Float(builder), Part::Float(number)) => builder.append_value(number),
            (Values::Float32(builder), Part::Float(number)) => builder.append_value(number as f32),
            (Values::Text(builder), Part::Text(text)) => builder.append_value(text),
            (Values::Bytes(builder), Part::Bytes(bytes)) => builder.append_value(bytes),
            (Values::List { lengths, nulls, element }, Part::Many(count)) => {
                lengths.push(count);
                nulls.append_non_null();
                (0..count).try_for_each(|_| element.push(parts))?;
            }
            (Values::Struct { nulls, fields }, Part::Many(count)) if count == fields.len() => {
                nulls.append_non_null();
                fields.iter_mut().try_for_each(|field| field.push(parts))?;
            }
            _ => return Err(BatchError::Kind { column: self.field.name }),
        }
        Ok(())
    }

    fn push_null(&mut self) {
        match &mut self.values {
            Values::Bool(builder) => builder.append_null(),
            Values::Int(builder) => builder.append_null(),
            Values::Float(builder) => builder.append_null(),
            Values::Float32(builder) => builder.append_null(),
            Values::Text(builder) => builder.append_null(),
            Values::Bytes(builder) => builder.append_null(),
            Values::List { lengths, nulls, .. } => {
                lengths.push(0);
                nulls.append_null();
            }
            Values::Struct { nulls, fields } => {
                nulls.append_null();
                fields.iter_mut().for_each(Self::push_null);
            }
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, BatchError> {
        Ok(match &mut self.values {
            Values::Bool(builder) => Arc::new(builder.finish()),
            Values::Int(builder) => Arc::new(builder.finish()),
            Values::Float(builder) => Arc::new(builder.finish()),
            Values::Float32(builder) => Arc::new(builder.finish()),
            Values::Text(builder) => {
                let array = builder.finish();
                // The next batch will be much like this one: megabytes that need not be moved as they grow.
                *builder = StringBuilder::with_capacity(array.len(), array.value_data().len());
                Arc::new(array)
            }
            Values::Bytes(builder) => {
                let array = builder.finish();
                *builder = BinaryBuilder::with_capacity(array.len(), array.value_data().len());
                Arc::new(array)
            }
            Values::List { lengths, nulls, element } => {
                let offsets = OffsetBuffer::from_lengths(std::mem::take(lengths));
                let field = Arc::new(element.field.to_arrow());
                Arc::new(ListArray::try_new(field, offsets, element.finish()?, nulls.finish())?)
            }
            Values::Struct { nulls, fields } => {
                let arrow = fields.iter().map(|field| field.field.to_arrow()).collect();
                let columns = fields.iter_mut().map(Self::finish).collect::<Result<Vec<_>, _>>()?;
                Arc::new(StructArray::try_new(arrow, columns, nulls.finish())?)
            }
        })
    }
}

/// The cell of a field in a row of a batch; null where the batch has no such column.
pub(crate) fn named_cell<'a>(field: &Field, batch: &'a RecordBatch, row: usize) -> Cell<'a> {
    batch.column_by_name(field.name).map_or(Cell::Null, |column| cell_at(field.kind, column.as_ref(), row))
}

/// The value of `array` at `row`. The array must be of the kind's Arrow type; readers check schemas when they open.
pub(crate) fn cell_at(kind: Kind, array: &dyn Array, row: usize) -> Cell<'_> {
    if array.is_null(row) {
        return Cell::Null;
    }
    match kind {
        Kind::Bool => Cell::Bool(array.as_boolean().value(row)),
        Kind::Int => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
        Kind::Float => Cell::Float(array.as_primitive::<Float64Type>().value(row)),
        Kind::Float32 => Cell::Float(f64::from(array.as_primitive::<Float32Type>().value(row))),
        Kind::Word | Kind::Text | Kind::LongText => Cell::text(array.as_string::<i32>().value(row)),
        Kind::Bytes => Cell::bytes(array.as_binary::<i32>().value(row)),
        Kind::List(element) => {
            let list = array.as_list::<i32>();
            let (start, end) = (list.value_offsets()[row] as usize, list.value_offsets()[row + 1] as usize);
            let values = list.values().as_ref();
            Cell::Many((start..end).map(|index| cell_at(element.kind, values, index)).collect())
        }
        Kind::Struct(_) | Kind::Image => {
            let columns = array.as_struct().columns();
            let fields = kind.fields().iter().zip(columns);
            Cell::Many(fields.map(|(field, column)| cell_at(field.kind, column.as_ref(), row)).collect())
        }
    }
}
