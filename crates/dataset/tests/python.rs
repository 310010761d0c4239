//! What Python users see: `datasets`, `pyarrow`, DuckDB and Polars read the shards, and the snippets of the documentation run.
//!
//! Runs where the interpreter of `.tools/python` stands (made from `tests/python/requirements.txt`), and says so where
//! it does not.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{loss, page};
use dataset::{Manifest, ShardPolicy, ShardSetWriter, export_webdataset};
use item::{Item, ItemId, Rect, Refusal, Shown, Task, Triple, Wording, Worse};

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

/// The `number`-th triple of a task.
fn triple(number: u32, task: Task, split: &str) -> Item<Triple> {
    let of = page(number, split, 64, 40);
    let viewport = of.body.viewport;
    let shown = |heading: &str, seed: u32| Shown {
        html: of.body.html.replace("Page", heading),
        screenshot: common::png(64, 40, seed).into(),
        width: 64,
        height: 40,
    };
    let why = Refusal { rule: "invisible-edit".into(), detail: "0.001 of a screen".into() };
    let mut head = of.head.clone();
    head.id = ItemId::of_place(task.name(), u64::from(number));
    let body = Triple {
        task,
        before: shown("Page", number),
        after: shown("Section", number + 1),
        // What a triple may lack, some lack.
        target: (task == Task::Polish && number.is_multiple_of(2)).then(|| shown("Target", number + 2)),
        worse: (task == Task::Preference).then(|| Worse { shown: shown("Worse", number + 3), why }),
        viewport,
        instructions: vec![
            Wording { style: "detailed".into(), text: "Change the word of the heading to “Section”.".into() },
            Wording { style: "short".into(), text: "Heading: Section".into() },
        ],
        operators: if number.is_multiple_of(3) { Vec::new() } else { vec!["text.word".into()] },
        kind: "text".into(),
        severity: 0.25,
        region: number.is_multiple_of(2).then_some(Rect { x: 0.0, y: 1.5, width: 64.0, height: 20.0 }),
        diff: "--- a.html\n+++ b.html\n".into(),
        blocks: "<<<<<<< SEARCH\nPage\n=======\nSection\n>>>>>>> REPLACE\n".into(),
        origin: "program".into(),
        round: 1,
        trajectory: None,
        reasoning: number.is_multiple_of(4).then(|| "The heading is a word.".into()),
        measures: [("change".to_owned(), 0.07)].into(),
        refused: None,
    };
    Item { head, body }
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
    for (task, count) in [(Task::Edit, 30), (Task::Polish, 20), (Task::Preference, 10)] {
        for number in 0..count {
            let split = if number % 8 == 0 { "test" } else { "train" };
            writer.add_triple(&triple(number, task, split)).expect("add");
        }
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
