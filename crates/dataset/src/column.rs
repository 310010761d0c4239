//! Columns: name, type, meaning, and how to get the value from a row.
//!
//! A [`Table`] is the one source of a schema. The Arrow schema, the readable text in `schemas/`, the `huggingface`
//! features, the writer's per-column settings and the builders are all made from it.

use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef};

use crate::cell::Cell;

/// Type of a column, finer than Arrow's where the layout of the file wants to know.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Bool,
    Int,
    Float,
    Float32,
    /// Text that many rows share: gets a dictionary.
    Word,
    /// Short text that is nearly unique: no dictionary.
    Text,
    /// A whole document: neither dictionary nor statistics.
    LongText,
    /// Bytes that are compressed already: plain and uncompressed.
    Bytes,
    List(&'static Field),
    Struct(&'static [Field]),
    /// What `datasets` decodes to a picture: a struct of `bytes` and `path`.
    Image,
}

/// A named place in a row or in a struct.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Every row has a value. The writer enforces it; in the file every column may be null, because `datasets` compares
    /// the file's columns with its features, which know no required ones, and forgets the image type where they differ.
    pub(crate) required: bool,
    pub(crate) doc: &'static str,
}

impl Field {
    pub(crate) const fn always(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, kind, required: true, doc }
    }

    pub(crate) const fn maybe(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, kind, required: false, doc }
    }

    pub(crate) fn to_arrow(self) -> ArrowField {
        ArrowField::new(self.name, self.kind.to_arrow(), true)
    }

    /// Every leaf column below it with its path in the Parquet schema.
    pub(crate) fn leaves(self) -> Vec<(Vec<String>, Kind)> {
        let mut leaves = Vec::new();
        add_leaves(vec![self.name.to_owned()], self.kind, &mut leaves);
        leaves
    }
}

/// The fields of [`Kind::Image`].
pub(crate) const IMAGE_FIELDS: &[Field] = &[
    Field::always("bytes", Kind::Bytes, "The picture file."),
    Field::always("path", Kind::Text, "A stable file name for it."),
];

impl Kind {
    pub(crate) fn to_arrow(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Float32 => DataType::Float32,
            Self::Word | Self::Text | Self::LongText => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::List(element) => DataType::List(Arc::new(element.to_arrow())),
            Self::Struct(_) | Self::Image => {
                DataType::Struct(self.fields().iter().map(|field| field.to_arrow()).collect())
            }
        }
    }

    /// How many rows a page holds in published shards, where one value takes kilobytes: pictures, documents, lists of structs. `None`
    /// for light columns, which have one page a row group.
    ///
    /// A picture has a page for itself: it is stored as it is, so nothing is gained from neighbours, and with its own header it keeps
    /// its bytes wherever it goes. 16 documents of some 30 kB make half a megabyte, which compresses well and is what a reader of one
    /// row has to unpack; of a hundred rows of which one changed, one page in seven is new.
    pub(crate) const fn page_rows(self) -> Option<usize> {
        match self {
            Self::Bytes | Self::Image => Some(1),
            Self::LongText | Self::Struct(_) | Self::List(Field { kind: Self::Struct(_), .. }) => Some(16),
            _ => None,
        }
    }

    /// The fields of a struct; none for other kinds.
    pub(crate) const fn fields(self) -> &'static [Field] {
        match self {
            Self::Struct(fields) => fields,
            Self::Image => IMAGE_FIELDS,
            _ => &[],
        }
    }
}

/// A column and where its value comes from.
pub(crate) struct Column<R> {
    pub(crate) field: Field,
    pub(crate) get: for<'a> fn(&'a R) -> Cell<'a>,
}

impl<R> Column<R> {
    /// A column in which every row has a value.
    pub(crate) const fn always(
        name: &'static str,
        kind: Kind,
        doc: &'static str,
        get: for<'a> fn(&'a R) -> Cell<'a>,
    ) -> Self {
        Self { field: Field::always(name, kind, doc), get }
    }

    /// A column in which a row may have none.
    pub(crate) const fn maybe(
        name: &'static str,
        kind: Kind,
        doc: &'static str,
        get: for<'a> fn(&'a R) -> Cell<'a>,
    ) -> Self {
        Self { field: Field::maybe(name, kind, doc), get }
    }
}

/// A schema with its getters.
pub(crate) struct Table<R: 'static> {
    /// Name of the subset or of the kind of rest file.
    pub(crate) name: &'static str,
    /// Bumped when a column is added, removed or changes its meaning.
    pub(crate) version: u32,
    pub(crate) columns: &'static [&'static [Column<R>]],
}

impl<R> Table<R> {
    pub(crate) fn columns(&self) -> impl Iterator<Item = &'static Column<R>> + use<R> {
        self.columns.iter().copied().flatten()
    }

    pub(crate) fn cells<'a>(&self, row: &'a R) -> impl Iterator<Item = Cell<'a>> + use<'a, R> {
        self.columns().map(move |column| (column.get)(row))
    }

    /// The schema without the getters.
    pub(crate) fn layout(&self) -> Layout {
        Layout { name: self.name, version: self.version, fields: self.columns().map(|column| column.field).collect() }
    }
}

/// A schema: what writers and readers need of a [`Table`], whatever its rows are.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) fields: Vec<Field>,
}

impl Layout {
    pub(crate) fn to_arrow(&self) -> SchemaRef {
        Arc::new(Schema::new(self.fields.iter().map(|field| field.to_arrow()).collect::<Vec<_>>()))
    }

    /// The fields of those names, in that order.
    pub(crate) fn named(&self, names: &[&str]) -> Vec<Field> {
        let field = |name: &&str| self.fields.iter().find(|field| field.name == *name).copied();
        names.iter().filter_map(field).collect()
    }

    /// Every leaf column with its path in the Parquet schema.
    pub(crate) fn leaves(&self) -> Vec<(Vec<String>, Kind)> {
        self.fields.iter().flat_map(|field| field.leaves()).collect()
    }
}

fn add_leaves(path: Vec<String>, kind: Kind, leaves: &mut Vec<(Vec<String>, Kind)>) {
    let below = |names: &[&str]| path.iter().cloned().chain(names.iter().map(|&n| n.to_owned())).collect::<Vec<_>>();
    match kind {
        Kind::List(element) => add_leaves(below(&["list", "element"]), element.kind, leaves),
        Kind::Struct(_) | Kind::Image => {
            for field in kind.fields() {
                add_leaves(below(&[field.name]), field.kind, leaves);
            }
        }
        _ => leaves.push((path, kind)),
    }
}
