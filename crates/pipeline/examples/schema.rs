//! Writes `schemas/pipeline.schema.json` and `run-record.schema.json`: `cargo run -p pipeline --example schema -- --write`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let write = std::env::args().any(|argument| argument == "--write");
    let schemas = [("pipeline", pipeline::json_schema()), ("run-record", engine::RunRecord::json_schema())];
    for (name, schema) in schemas {
        let mut json = serde_json::to_string_pretty(&schema).map_err(std::io::Error::other)?;
        json.push('\n');
        if write {
            std::fs::write(folder.join(format!("{name}.schema.json")), json)?;
        } else {
            std::io::Write::write_all(&mut std::io::stdout(), json.as_bytes())?;
        }
    }
    Ok(())
}
