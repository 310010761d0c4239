//! What Python users see: `datasets` and `pyarrow` read the shards.
//!
//! Runs where the interpreter of `.tools/python` stands (made from `tests/python/requirements.txt`), and says so where
//! it does not.

mod common;

use std::path::Path;
use std::process::Command;

use common::{loss, page};
use dataset::{ShardPolicy, ShardSetWriter};

#[test]
fn datasets_and_pyarrow_read_the_shards() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join(".tools/python/bin/python");
    if !python.exists() {
        println!("skipped: there is no {}; make it from tests/python/requirements.txt", python.display());
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let policy = ShardPolicy { shard_bytes: 300_000, row_group_bytes: 100_000, row_group_rows: 10 };
    let mut writer = ShardSetWriter::new(folder.path(), policy).expect("create");
    for number in 0..40 {
        let split = if number % 8 == 0 { "test" } else { "train" };
        writer.add_page(&page(number, split, 64, 30 + number)).expect("add");
        writer.add_loss(&loss(number)).expect("add");
    }
    // A page of which nothing but the obligatory is known, so that columns with nulls are read too.
    let mut bare = page(40, "train", 64, 70);
    bare.head.attributes = item::Attributes::new();
    writer.add_page(&bare).expect("add");
    writer.finish().expect("finish");

    let script = root.join("tests/python/read_shards.py");
    let caches = folder.path().join("caches");
    let output = Command::new(python).arg(script).arg(folder.path()).env("HF_HOME", &caches).output().expect("python");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    println!("{out}");
}
