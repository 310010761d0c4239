//! The demo, by the program itself: on S3 it gives what it gives in a folder, byte by byte.
//!
//! The program is the one of the house, built there. Without it, or without Chrome, there is nothing to try.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use item::Digest;
use store::Store;

use crate::state::Place;

fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program, built if need be.
fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("DATABUILD_BIN") {
        return Some(named.into());
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "-p", "databuild", "--message-format=json"]).current_dir(house());
    // That of the house, and not the one that these tests are built in.
    cargo.env_remove("CARGO_TARGET_DIR");
    let built = cargo.output().expect("cargo");
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let message = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok();
    let executable = |line: &str| Some(PathBuf::from(message(line)?["executable"].as_str()?));
    messages.lines().rev().find_map(executable)
}

struct Demo<'a> {
    program: PathBuf,
    place: &'a Place,
}

impl Demo<'_> {
    fn command(&self, arguments: &[&str]) -> Output {
        let endpoint = format!("http://{}", self.place.line.address);
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(house());
        command.env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "a/secret+with=signs");
        command.env("AWS_ENDPOINT_URL_S3", endpoint).env("XDG_CACHE_HOME", self.place.folder.path().join("caches"));
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.output().expect("the program")
    }

    fn says(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
        assert!(output.status.success(), "{arguments:?}: {out}{err}");
        out
    }

    fn run(&self, store: &str) {
        self.says(&["run", FILE, "--quiet", "--store", store, "--set", "source.sample_share=0.2"]);
    }
}

const FILE: &str = "pipelines/demo.toml";
const STORE: &str = "s3://state/demo";

/// Digests of the files of the dataset, by name.
fn digests(store: &dyn Store) -> BTreeMap<String, Digest> {
    let blobs = store.list("dataset").expect("listed");
    let digest = |blob: store::BlobInfo| (blob.name.to_string(), Digest::of(&store.get(&blob.name).expect("read")));
    blobs.into_iter().map(digest).collect()
}

#[test]
fn the_demo_on_s3_is_the_demo_in_a_folder() {
    let Some(program) = program() else {
        println!("skipped: there is no program");
        return;
    };
    let place = Place::new();
    let demo = Demo { program, place: &place };
    let doctor = demo.command(&["doctor", "--store", STORE]);
    if !doctor.status.success() {
        println!("skipped: `databuild doctor` says\n{}", String::from_utf8_lossy(&doctor.stdout));
        return;
    }
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("of two writers one wins"), "{said}");

    let folder = place.folder.path().join("folder");
    let in_folder = folder.to_str().expect("a name");
    demo.run(in_folder);
    demo.run(STORE);
    let expected = digests(&store::LocalStore::open(&folder).expect("a store"));
    assert!(expected.len() > 4, "{expected:?}");
    let store = place.store("demo");
    assert_eq!(digests(store.as_ref()), expected);

    let with = |command: &[&str]| {
        demo.says(&[command, &[FILE, "--store", STORE, "--set", "source.sample_share=0.2"]].concat())
    };
    assert!(with(&["plan"]).contains("nothing to do"));
    assert!(with(&["status"]).contains("up to date"));
    assert!(with(&["store", "du"]).contains("ledger"));
    with(&["store", "prune"]);
    with(&["store", "verify"]);
    let report = with(&["report"]);
    assert!(report.contains("s3://state/demo/runs/demo/report.html"), "{report}");
    assert_eq!(digests(store.as_ref()), expected, "nothing of the dataset was of no use");

    let rows = demo.says(&["verify", "s3://state/demo/dataset/demo", "--sample", "3"]);
    println!("{rows}");
    // What became of a page, kept or not: the same words, wherever the store is.
    let failed = with(&["failed"]);
    println!("{failed}");
    let id = page_of(store.as_ref());
    let explained = |at: &str| demo.says(&["explain", FILE, &id, "--store", at]);
    assert_eq!(explained(STORE), explained(in_folder));
}

/// The id of some row, from the ranges in the manifest.
fn page_of(store: &dyn Store) -> String {
    let name = store::BlobName::join(&["dataset", "demo", "manifest.json"]);
    let manifest: serde_json::Value = serde_json::from_slice(&store.get(&name).expect("read")).expect("JSON");
    let splits = manifest["subsets"]["pages"]["splits"].as_object().expect("splits");
    let shard = splits.values().flat_map(|shards| shards.as_array().expect("shards")).next().expect("a shard");
    shard["min_id"].as_str().expect("an id").to_owned()
}
