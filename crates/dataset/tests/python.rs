//! What Python users see: `datasets`, `pyarrow`, DuckDB and Polars read the shards, and the snippets of the documentation run.
//!
//! Runs where the interpreter of `.tools/python` stands (made from `tests/python/requirements.txt`), and says so where
//! it does not.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{loss, page};
use dataset::{Manifest, ShardPolicy, ShardSetWriter, export_webdataset};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a script; gives what it said.
fn run(python: &Path, script: &str, arguments: &[&Path], caches: &Path) -> String {
    let script = root().join("tests/python").join(script);
    let output = Command::new(python).arg(script).args(arguments).env("HF_HOME", caches).output().expect("python");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    out.into_owned()
}

#[test]
fn python_reads_the_shards() {
    let python = root().join(".tools/python/bin/python");
    if !python.exists() {
        println!("skipped: there is no {}; make it from tests/python/requirements.txt", python.display());
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let policy = ShardPolicy { shard_bytes: 300_000, row_group_bytes: 100_000, row_group_rows: 10 };
    let mut writer = ShardSetWriter::new(&data, policy).expect("create");
    for number in 0..40 {
        let split = if number % 8 == 0 { "test" } else { "train" };
        writer.add_page(&page(number, split, 64, 30 + number)).expect("add");
        writer.add_loss(&loss(number)).expect("add");
    }
    // A page of which nothing but the obligatory is known, so that columns with nulls are read too.
    let mut bare = page(40, "train", 64, 70);
    bare.head.attributes = item::Attributes::new();
    writer.add_page(&bare).expect("add");
    let manifest = Manifest::new("demo", writer.finish().expect("finish"));
    let tars = folder.path().join("tars");
    export_webdataset(&manifest, &data, &tars, 100_000).expect("export");

    let caches = folder.path().join("caches");
    let said = [
        run(&python, "read_shards.py", &[&data], &caches),
        run(&python, "read_subsets.py", &[&data], &caches),
        run(&python, "snippets.py", &[&root().join("docs/dataset.md"), &data, &tars], &caches),
    ];
    println!("{}", said.concat());
}
