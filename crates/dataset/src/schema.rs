//! Schemas of the subsets, for people.

use std::fmt::Write as _;

use crate::column::{Field, Kind, Layout};
use crate::loss::REJECTS;
use crate::pages::PAGES;
use crate::triples::{EDIT, POLISH};

/// A published subset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subset {
    /// Rendered pages with their code.
    Pages,
    /// Edits: before, instruction, after.
    Edit,
    /// Drafts with the pages that they should be.
    Polish,
    /// What did not reach the dataset, and why.
    Rejects,
}

impl Subset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pages, Self::Edit, Self::Polish, Self::Rejects];

    /// Name of the subset and of its folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pages => PAGES.name,
            Self::Edit => EDIT.name,
            Self::Polish => POLISH.name,
            Self::Rejects => REJECTS.name,
        }
    }

    pub(crate) fn layout(self) -> Layout {
        match self {
            Self::Pages => PAGES.layout(),
            Self::Edit => EDIT.layout(),
            Self::Polish => POLISH.layout(),
            Self::Rejects => REJECTS.layout(),
        }
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
}
