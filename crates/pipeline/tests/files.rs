//! The files that ship with the repository, and bad ones.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_shipped_pipeline_is_good() {
    let mut count = 0;
    for file in std::fs::read_dir(root().join("pipelines")).expect("pipelines/") {
        let path = file.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            pipeline::load(&path, &[]).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
            count += 1;
        }
    }
    assert!(count >= 2, "{count} pipeline files");
}

#[test]
fn the_schema_files_are_up_to_date() {
    let check = |name: &str, schema: serde_json::Value| {
        let file =
            std::fs::read_to_string(root().join(format!("schemas/{name}.schema.json"))).expect("the schema file");
        let file: serde_json::Value = serde_json::from_str(&file).expect("JSON");
        assert_eq!(file, schema, "renew it: cargo run -p pipeline --example schema -- --write");
    };
    check("pipeline", pipeline::json_schema());
    check("run-record", engine::RunRecord::json_schema());
}
