//! Prints the schemas of the subsets and of the manifest, or with `--write` renews the files in `schemas/`.
#![expect(clippy::print_stdout, reason = "an example that people run")]

use std::path::Path;

use dataset::{Manifest, Subset};

fn main() -> std::io::Result<()> {
    let write = std::env::args().any(|argument| argument == "--write");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let subsets = Subset::ALL.map(|subset| (format!("{}.arrow.txt", subset.name()), subset.schema_text()));
    let files = subsets.into_iter().chain([("manifest.schema.json".to_owned(), Manifest::json_schema())]);
    for (name, text) in files {
        if write {
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(name), text)?;
        } else {
            println!("{text}");
        }
    }
    Ok(())
}
