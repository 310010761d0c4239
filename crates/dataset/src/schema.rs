//! Schemas of the subsets, for people.

use std::fmt::Write as _;

use crate::column::{Field, Kind, Layout};
use crate::loss::REJECTS;
use crate::meta;
use crate::pages::PAGES;
use crate::triples::{EDIT, POLISH, PREFERENCE};

/// A published subset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subset {
    /// Rendered pages with their code.
    Pages,
    /// The same rows without their pictures.
    Meta,
    /// Edits: before, instruction, after.
    Edit,
    /// Drafts with the pages that they should be.
    Polish,
    /// Pairs of answers to one question.
    Preference,
    /// What did not reach the dataset, and why.
    Rejects,
}

impl Subset {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Pages, Self::Meta, Self::Edit, Self::Polish, Self::Preference, Self::Rejects];

    /// Name of the subset and of its folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pages => PAGES.name,
            Self::Meta => meta::NAME,
            Self::Edit => EDIT.name,
            Self::Polish => POLISH.name,
            Self::Preference => PREFERENCE.name,
            Self::Rejects => REJECTS.name,
        }
    }

    /// What a reader gets here, in a line.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Pages => "Screenshots, the code that renders them, layout, scores and provenance.",
            Self::Meta => {
                "The rows of `pages` without the screenshots: to filter by, before anything large is fetched."
            }
            Self::Edit => {
                "Edits proven by rendering: code and screenshot before, an instruction, code and screenshot after."
            }
            Self::Polish => "Drafts of a page, with code and screenshot, and the page that they should become.",
            Self::Preference => {
                "Two answers of a model to the same question: one that passed every check, and one that did not."
            }
            Self::Rejects => "Every page that is not in the dataset, with the rule that kept it out.",
        }
    }

    /// What is written from the rows that are added to this subset, each with the columns that it takes of them.
    pub(crate) fn written(self) -> Vec<Written> {
        let whole = Written { subset: self, takes: (0..self.layout().fields.len()).collect() };
        let mut written = vec![whole];
        if self == Self::Pages {
            written.push(Written { subset: Self::Meta, takes: meta::takes() });
        }
        written
    }

    pub(crate) fn layout(self) -> Layout {
        match self {
            Self::Pages => PAGES.layout(),
            Self::Meta => meta::layout(),
            Self::Edit => EDIT.layout(),
            Self::Polish => POLISH.layout(),
            Self::Preference => PREFERENCE.layout(),
            Self::Rejects => REJECTS.layout(),
        }
    }

    /// The columns of a row, in order.
    pub fn columns(self) -> Vec<ColumnInfo> {
        self.layout().fields.iter().map(|field| ColumnInfo::of(*field)).collect()
    }

    /// The features as the header of a dataset card has them, in YAML: a list with an entry for each column.
    pub fn features_yaml(self) -> String {
        crate::features::yaml(&self.layout())
    }

    /// The schema as text: what stands in `schemas/<name>.arrow.txt`.
    pub fn schema_text(self) -> String {
        let layout = self.layout();
        let mut text = format!(
            "# Arrow schema of the subset `{}`, version {}. Made from the code; do not edit.\n\
             # `always` columns have a value in every row, `maybe` columns may be null.\n\n",
            layout.name, layout.version
        );
        for field in &layout.fields {
            add_field(*field, 0, &mut text);
        }
        text
    }

    /// SHA-256 of [`Subset::schema_text`]: shards with the same one can be read as one table.
    pub fn schema_sha256(self) -> item::Sha256Hex {
        crate::files::sha256_hex(self.schema_text().as_bytes())
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Yes or no.
    Bool,
    /// A whole number.
    Int,
    /// Another number.
    Float,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A picture file.
    Image,
    /// Several named values.
    Struct,
}

/// A column, or a field of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What it holds, or each of its elements.
    pub kind: ColumnKind,
    /// It holds a list.
    pub repeated: bool,
    /// The fields of [`ColumnKind::Struct`].
    pub fields: Vec<ColumnInfo>,
}

impl ColumnInfo {
    fn of(field: Field) -> Self {
        let (inner, repeated) = match field.kind {
            Kind::List(element) => (element.kind, true),
            kind => (kind, false),
        };
        let kind = match inner {
            Kind::Bool => ColumnKind::Bool,
            Kind::Int => ColumnKind::Int,
            Kind::Float | Kind::Float32 => ColumnKind::Float,
            Kind::Word | Kind::Text | Kind::LongText | Kind::List(_) => ColumnKind::Text,
            Kind::Bytes => ColumnKind::Bytes,
            Kind::Image => ColumnKind::Image,
            Kind::Struct(_) => ColumnKind::Struct,
        };
        let fields = match kind {
            ColumnKind::Struct => inner.fields().iter().map(|field| Self::of(*field)).collect(),
            _ => Vec::new(),
        };
        Self { name: field.name, doc: field.doc, kind, repeated, fields }
    }
}

/// A subset, and the columns of the rows that it is written from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) subset: Subset,
    pub(crate) takes: Vec<usize>,
}

fn add_field(field: Field, depth: usize, text: &mut String) {
    let presence = if field.required { "always" } else { "maybe" };
    let name = format!("{}{}", "    ".repeat(depth), field.name);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{name:<24} {:<22} {presence:<7} {}", type_name(field.kind), field.doc);
    let inner = match field.kind {
        Kind::List(element) => element.kind.fields(),
        kind => kind.fields(),
    };
    for field in inner {
        add_field(*field, depth + 1, text);
    }
}

fn type_name(kind: Kind) -> String {
    match kind {
        Kind::Bool => "bool".to_owned(),
        Kind::Int => "int64".to_owned(),
        Kind::Float => "double".to_owned(),
        Kind::Float32 => "float".to_owned(),
        Kind::Word => "string (dictionary)".to_owned(),
        Kind::Text | Kind::LongText => "string".to_owned(),
        Kind::Bytes => "binary (uncompressed)".to_owned(),
        Kind::Image | Kind::Struct(_) => "struct".to_owned(),
        Kind::List(element) => format!("list<{}>", type_name(element.kind)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_schema_files_are_those_of_the_code() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
        for subset in Subset::ALL {
            let path = folder.join(format!("{}.arrow.txt", subset.name()));
            let stands = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(stands, subset.schema_text(), "run `cargo run -p dataset --example schemas -- --write`");
        }
    }

    #[test]
    fn the_schema_of_the_manifest_is_that_of_the_code() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/manifest.schema.json");
        let stands = std::fs::read_to_string(path).unwrap_or_default();
        let hint = "run `cargo run -p dataset --example schemas -- --write`";
        assert_eq!(stands, crate::manifest::Manifest::json_schema(), "{hint}");
    }

    #[test]
    fn every_version_has_a_note() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/CHANGES.md");
        let notes = std::fs::read_to_string(path).expect("the notes");
        let asked = Subset::ALL.map(|subset| (subset.layout().name.to_owned(), subset.layout().version));
        for (name, version) in asked.into_iter().chain([("manifest".to_owned(), crate::manifest::MANIFEST_FORMAT)]) {
            for version in 1..=version {
                let heading = format!("### {name}/{version}\n");
                assert!(notes.contains(&heading), "schemas/CHANGES.md has no `{}`", heading.trim_end());
            }
        }
    }
}
