//! Writes `schemas/pipeline.schema.json`: `cargo run -p pipeline --example schema -- --write`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let mut json = serde_json::to_string_pretty(&pipeline::json_schema()).map_err(std::io::Error::other)?;
    json.push('\n');
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/pipeline.schema.json");
    if std::env::args().any(|argument| argument == "--write") {
        return std::fs::write(path, json);
    }
    std::io::Write::write_all(&mut std::io::stdout(), json.as_bytes())
}
