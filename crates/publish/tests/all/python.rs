//! The Hub's own client and `datasets` read what was published.
//!
//! Runs where the interpreter of `.tools/python` stands (made from `tests/python/requirements.txt`), and says so where
//! it does not.

use std::path::Path;
use std::process::Command;

use crate::stub::{TOKEN, dataset_by, hub};
use crate::way;
use dataset::ShardPolicy;
use publish::HubOptions;

const CARD: &str = "---
configs:
- config_name: pages
  default: true
  data_files:
  - split: train
    path: data/pages/train-*
  - split: test
    path: data/pages/test-*
- config_name: meta
  data_files:
  - split: train
    path: data/meta/train-*
---
# A dataset
";

#[test]
fn the_official_client_reads_what_was_published() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join(".tools/python/bin/python");
    if !python.exists() {
        println!("skipped: there is no {}; make it from tests/python/requirements.txt", python.display());
        return;
    }
    let (stub, folder) = (way::start(), tempfile::tempdir().expect("a folder"));
    // One file above the size from which the stub takes parts.
    let policy = ShardPolicy { shard_bytes: 400_000, row_group_bytes: 100_000, row_group_rows: 100 };
    let publication = dataset_by(folder.path(), 80, policy);
    let card = |_: Option<&str>| CARD.to_owned();
    hub(&stub, HubOptions::default()).publish(&publication, &card, &()).expect("published");

    let output = Command::new(python)
        .arg(root.join("tests/python/read_hub.py"))
        .arg(folder.path().join("download"))
        .env("HF_ENDPOINT", &stub.endpoint)
        .env("HF_TOKEN", TOKEN)
        .env("HF_HOME", folder.path().join("caches"))
        .output()
        .expect("python");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    println!("{out}");
    way::was_read(&stub, &publication);
}
