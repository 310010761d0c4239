//! The `huggingface` entry of a shard's metadata, from which `datasets` and the Hub's viewer learn the column types.

use std::fmt::Write as _;

use crate::column::{Field, Kind, Layout};

/// `{"info": {"features": {…}}}` for the layout, its columns in order.
///
/// Written by hand, in the order of the columns: a JSON map's order depends on how serde_json was compiled, and the bytes
/// of a shard must not.
pub(crate) fn huggingface(layout: &Layout) -> String {
    format!("{{\"info\": {{\"features\": {}}}}}", fields(&layout.fields))
}

fn fields(fields: &[Field]) -> String {
    let mut json = String::from("{");
    for (index, field) in fields.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // Names are ours and plain, so quoting them is enough. Writing to a string cannot fail.
        let _ = write!(json, "{comma}\"{}\": {}", field.name, feature(field.kind));
    }
    json.push('}');
    json
}

fn feature(kind: Kind) -> String {
    let value = |dtype: &str| format!("{{\"dtype\": \"{dtype}\", \"_type\": \"Value\"}}");
    match kind {
        Kind::Bool => value("bool"),
        Kind::Int => value("int64"),
        Kind::Float => value("float64"),
        Kind::Float32 => value("float32"),
        Kind::Word | Kind::Text | Kind::LongText => value("string"),
        Kind::Bytes => value("binary"),
        Kind::Image => "{\"_type\": \"Image\"}".to_owned(),
        Kind::Struct(inner) => fields(inner),
        // Older and newer versions of `datasets` both understand these two; `"_type": "List"` is new, and `Sequence`
        // turns a list of structs into a struct of lists.
        Kind::List(Field { kind: Kind::Struct(inner), .. }) => format!("[{}]", fields(inner)),
        Kind::List(element) => format!("{{\"feature\": {}, \"_type\": \"Sequence\"}}", feature(element.kind)),
    }
}

/// The same as YAML, for the header of a dataset card.
pub(crate) fn yaml(layout: &Layout) -> String {
    let mut text = String::new();
    add_yaml(&layout.fields, "", &mut text);
    text
}

fn add_yaml(fields: &[Field], indent: &str, text: &mut String) {
    for field in fields {
        let (holds, inner): (String, &[Field]) = match field.kind {
            Kind::Struct(inner) => ("struct:".to_owned(), inner),
            Kind::List(Field { kind: Kind::Struct(inner), .. }) => ("list:".to_owned(), inner),
            Kind::List(element) => (format!("sequence: {}", dtype(element.kind)), &[]),
            kind => (format!("dtype: {}", dtype(kind)), &[]),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{indent}- name: {}\n{indent}  {holds}", field.name);
        add_yaml(inner, &format!("{indent}  "), text);
    }
}

const fn dtype(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "bool",
        Kind::Int => "int64",
        Kind::Float => "float64",
        Kind::Float32 => "float32",
        Kind::Bytes => "binary",
        Kind::Image => "image",
        // Structs and lists are written by the caller; no layout has lists of lists.
        Kind::Word | Kind::Text | Kind::LongText | Kind::Struct(_) | Kind::List(_) => "string",
    }
}
