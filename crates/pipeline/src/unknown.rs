//! Keys that nobody knows.

use serde_json::Value;
use toml_edit::{Item, TableLike};

use crate::PipelineError;
use crate::schema::resolve;

/// A key is close enough to be meant when at least this much of it is the same (Jaro-Winkler).
const SIMILARITY_MIN: f64 = 0.75;

/// Finds the first key that the schema does not know. `place_of` tells where a byte of the file is.
pub(crate) fn find(
    table: &dyn TableLike,
    root: &Value,
    place_of: &dyn Fn(Option<std::ops::Range<usize>>) -> String,
) -> Result<(), PipelineError> {
    walk(table, root, root, "", place_of)
}

fn walk(
    table: &dyn TableLike,
    schema: &Value,
    root: &Value,
    path: &str,
    place_of: &dyn Fn(Option<std::ops::Range<usize>>) -> String,
) -> Result<(), PipelineError> {
    let Some(known) = resolve(root, schema).get("properties").and_then(Value::as_object) else { return Ok(()) };
    for (key, item) in table.iter() {
        let full = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let Some(inner) = known.get(key) else {
            let span = table.get_key_value(key).and_then(|(key, _)| key.span());
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            let nearest = nearest(key, &names).map(|name| full.replacen(key, name, 1));
            return Err(PipelineError::UnknownKey { key: full, place: place_of(span), known: list(&names), nearest });
        };
        if let Some(table) = item_table(item) {
            walk(table, inner, root, &full, place_of)?;
        }
    }
    Ok(())
}

fn item_table(item: &Item) -> Option<&dyn TableLike> {
    item.as_table_like()
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "no key at all".into() } else { names.join(", ") }
}

fn nearest<'a>(key: &str, names: &[&'a str]) -> Option<&'a str> {
    let similarity = |name: &str| strsim::jaro_winkler(key, name);
    let best = names.iter().copied().max_by(|a, b| similarity(a).total_cmp(&similarity(b)))?;
    (similarity(best) >= SIMILARITY_MIN).then_some(best)
}
