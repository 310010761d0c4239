//! Prints the schemas of the subsets, or with `--write` renews the files in `schemas/`.
#![expect(clippy::print_stdout, reason = "an example that people run")]

use std::path::Path;

use dataset::Subset;

fn main() -> std::io::Result<()> {
    let write = std::env::args().any(|argument| argument == "--write");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    for subset in Subset::ALL {
        if write {
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(format!("{}.arrow.txt", subset.name())), subset.schema_text())?;
        } else {
            println!("{}", subset.schema_text());
        }
    }
    Ok(())
}
