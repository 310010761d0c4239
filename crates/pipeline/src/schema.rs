//! The JSON Schema of the pipeline file: for editors, for the documentation, and for finding unknown keys.

use crate::PipelineFile;

/// The schema, as JSON.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(PipelineFile).to_value()
}

/// The schema that a `$ref` means, or the schema itself.
pub(crate) fn resolve<'a>(root: &'a serde_json::Value, schema: &'a serde_json::Value) -> &'a serde_json::Value {
    let target = schema.get("$ref").and_then(serde_json::Value::as_str);
    target.and_then(|path| root.pointer(path.trim_start_matches('#'))).unwrap_or(schema)
}
