//! After a finished run: what a changed setting, page or archive makes the next run do, and that `plan` said so before.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{databuild, is_equipped, text};
use dataset::{Manifest, ShardFile};
use engine::RunRecord;
use serde_json::Value;
use testkit::warc::WarcBuilder;

/// Pages of the sample data that differ in every way.
const PAGES: [&str; 8] = [
    "blog-article.html",
    "calendar.html",
    "cart.html",
    "changelog.html",
    "chat.html",
    "checkout.html",
    "contact.html",
    "arabic.html",
];

/// A pipeline of its own in a folder, with the store beside it.
struct Place {
    folder: tempfile::TempDir,
    /// Name of the run and of its file.
    name: &'static str,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder"), name: "own" };
        place.write("warcs = [\"*.warc.gz\"]\n[render]\nprove = \"all\"\n");
        place
    }

    /// Writes the pipeline file, from the table `source` on.
    fn write(&self, text: &str) {
        fs::write(self.file(), format!("[run]\nname = \"{}\"\n[source]\n{text}", self.name)).expect("room");
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join(self.name).with_extension("toml")
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// An archive of these pages, each on a domain of its own.
    fn archive(&self, name: &str, pages: &[(String, String)]) {
        let mut archive = WarcBuilder::new();
        for (url, html) in pages {
            archive = archive.page(url, html);
        }
        fs::write(self.folder.path().join(name), archive.build_gz()).expect("room");
    }

    fn on_it(&self, command: &str, more: &[&str]) -> String {
        let mut binary = databuild();
        binary.args(command.split(' ')).arg(self.file()).arg("--store").arg(self.store()).args(more);
        let output = binary.output().expect("the binary");
        assert!(output.status.success(), "{command} {more:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    fn must(arguments: &[&str]) {
        let output = databuild().args(arguments).output().expect("the binary");
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    }

    /// Runs, and gives how many items each of these stages worked on and how many it remembered.
    fn run(&self, set: &[&str]) -> Worked {
        self.on_it("run", &[&["--quiet", "--no-report"], set].concat());
        let json = fs::read(self.store().join("runs").join(self.name).join("run.json")).expect("a record");
        Worked(serde_json::from_slice(&json).expect("own JSON"))
    }

    /// The committed dataset: its manifest, and its shards but those of `rejects`.
    fn shards(&self) -> Vec<ShardFile> {
        let json = fs::read_to_string(self.store().join("dataset").join(self.name).join("manifest.json"));
        let manifest = Manifest::from_json(&json.expect("a manifest")).expect("own JSON");
        manifest.check(&self.store().join("dataset").join(self.name)).expect("whole");
        manifest.shards().filter(|shard| shard.subset != "rejects").cloned().collect()
    }

    fn plan(&self, set: &[&str]) -> Value {
        serde_json::from_str(&self.on_it("plan", &[&["--json"], set].concat())).expect("JSON")
    }
}

/// What a run did.
struct Worked(RunRecord);

impl Worked {
    /// Items that a stage was asked about in vain, since it did not remember them.
    fn asked(&self, stage: &str) -> u64 {
        let of = self.0.stages.iter().filter(|timing| timing.stage == stage);
        of.map(|timing| timing.items - timing.recalled).sum()
    }

    fn rows(&self) -> u64 {
        self.0.dataset.rows
    }
}

/// Of each phase of a plan: units to run, items that enter them, and items among these that are remembered; `None` where that
/// depends on a phase before.
fn to_do(plan: &Value) -> Vec<Option<(usize, u64, u64)>> {
    let of = |phase: &Value| {
        let units = phase["run"].as_array()?;
        let sum = |field: &str| units.iter().filter_map(|unit| unit[field].as_u64()).sum();
        Some((units.len(), sum("items"), sum("remembered")))
    };
    plan["phases"].as_array().expect("phases").iter().map(of).collect()
}

fn why(plan: &Value, phase: usize) -> String {
    plan["phases"][phase]["run"][0]["why"].to_string()
}

fn sample_page(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/sample/pages");
    fs::read_to_string(folder.join(name)).expect("a page of the sample")
}

fn pages(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|name| (format!("https://{name}.example/"), sample_page(name))).collect()
}

#[test]
fn only_what_changed_is_done_and_the_plan_said_so() {
    if !is_equipped() {
        return;
    }
    let place = Place::new();
    let mut all = pages(&PAGES);
    place.archive("a.warc.gz", &all);
    let plan = place.plan(&[]);
    assert_eq!(to_do(&plan), [Some((1, 0, 0)), None], "{plan}");
    let first = place.run(&[]);
    let (n, scored) = (first.asked("render"), first.asked("score"));
    assert_eq!((n, first.rows()), (PAGES.len() as u64, PAGES.len() as u64));
    assert_eq!((first.asked("prove"), scored), (n, n));
    let undisturbed = fs::read(place.store().join("dataset/own/manifest.json")).expect("a manifest");

    // A threshold stands behind everything that costs.
    let set = ["--set", "snapshots.score_min=0.3"];
    let plan = place.plan(&set);
    assert_eq!((to_do(&plan), plan["dataset_reused"].as_bool()), (vec![Some((0, 0, 0)); 2], None), "{plan}");
    let stricter = place.run(&set);
    assert_eq!(["prove", "clean", "render", "score"].map(|stage| stricter.asked(stage)), [0; 4]);
    assert!(stricter.rows() < first.rows(), "the threshold refuses some: {}", stricter.rows());

    // A viewport is what everything is seen through.
    let set = ["--set", "render.viewport_width=800"];
    let plan = place.plan(&set);
    assert_eq!(to_do(&plan), [Some((1, 0, 0)), None], "{plan}");
    assert!(why(&plan, 0).contains("viewport.width 1280 -> 800"), "{plan}");
    let narrower = place.run(&set);
    assert_eq!(["prove", "render"].map(|stage| narrower.asked(stage)), [n; 2]);

    // Without proofs nothing is seen before it is rendered, and cleaning is what it was.
    let set = ["--set", "render.prove=none", "--set", "snapshots.score_min=0.3"];
    place.run(&set);
    let set = [&set[..], &["--set", "render.viewport_width=800"]].concat();
    let plan = place.plan(&set);
    assert_eq!(to_do(&plan), [Some((0, 0, 0)), Some((1, n, n))], "{plan}");
    assert!(why(&plan, 1).contains("viewport_width 1280 -> 800"), "{plan}");

    // Back again: nothing was forgotten.
    let back = place.run(&[]);
    assert_eq!(["prove", "clean", "render", "score"].map(|stage| back.asked(stage)), [0; 4]);
    assert_eq!(fs::read(place.store().join("dataset/own/manifest.json")).expect("a manifest"), undisturbed);

    // One page of the archive is another: the archive is read again, the page rendered.
    all[3].1 = all[3].1.replacen("</body>", "<p>There is one more thing to say about all this.</p></body>", 1);
    place.archive("a.warc.gz", &all);
    let plan = place.plan(&[]);
    assert_eq!(to_do(&plan), [Some((1, 0, 0)), None], "{plan}");
    assert!(why(&plan, 0).contains("input-changed"), "{plan}");
    let changed = place.run(&[]);
    assert_eq!(["prove", "clean", "render", "score"].map(|stage| changed.asked(stage)), [1, n, 1, 1]);
    assert_eq!(changed.rows(), n);

    // One archive more: only it is read, only its pages are rendered.
    place.archive("b.warc.gz", &pages(&["chinese.html"]));
    let plan = place.plan(&[]);
    assert_eq!(to_do(&plan), [Some((1, 0, 0)), None], "{plan}");
    assert!(why(&plan, 0).contains("new-input"), "{plan}");
    let more = place.run(&[]);
    assert_eq!(["prove", "clean", "render", "score"].map(|stage| more.asked(stage)), [1; 4]);
    assert_eq!(more.rows(), n + 1);
}

/// Rows of `pages` in those shards.
fn page_rows<'a>(shards: impl IntoIterator<Item = &'a ShardFile>) -> u64 {
    shards.into_iter().filter(|shard| shard.subset == "pages").map(|shard| shard.rows).sum()
}

#[test]
fn what_is_published_stays_and_the_next_crawl_comes_beside_it() {
    if !is_equipped() {
        return;
    }
    let mut place = Place::new();
    let edits = "[synth]\nedits = 1\n";
    place.write(&format!("warcs = [\"*.warc.gz\"]\n{edits}"));
    let old = pages(&PAGES);
    place.archive("a.warc.gz", &old);
    let first = place.run(&[]);
    let published = place.shards();
    assert!(published.iter().all(|shard| shard.edition == 1), "{published:?}");
    assert_eq!(page_rows(&published), first.rows());
    let index = place.folder.path().join("published.index");
    place.on_it("dedup index", &["--out", index.to_str().expect("a plain path")]);

    // The next crawl has a page that is new, an old one elsewhere, and one that is nearly an old one.
    let nearly = old[2].1.replacen("</body>", "<p>Since 2024.</p></body>", 1);
    let elsewhere = |name: &str, html: &str| (format!("https://{name}.example/"), html.to_owned());
    let mut next = pages(&["chinese.html"]);
    next.extend([elsewhere("copy", &old[1].1), elsewhere("nearly", &nearly)]);
    place.archive("b.warc.gz", &next);
    let indexed = format!("{edits}[snapshots]\nindex = \"published.index\"\n");
    place.write(&format!("warcs = [\"*.warc.gz\"]\n{indexed}"));
    let second = place.run(&[]);
    assert_eq!(["clean", "render", "score", "synth"].map(|stage| second.asked(stage)), [3, 1, 1, 1]);
    assert_eq!(second.rows(), first.rows() + 1);
    let refused: Vec<&str> =
        second.0.barriers.iter().flat_map(|barrier| barrier.books.rejected.keys()).map(|rule| &**rule).collect();
    assert_eq!(refused, ["exact-duplicate", "near-duplicate-page"]);

    // Files of the first edition are the same files; what is new has files of its own.
    let (kept, new): (Vec<ShardFile>, Vec<ShardFile>) =
        place.shards().into_iter().partition(|shard| shard.edition == 1);
    assert_eq!(kept, published);
    assert!(new.iter().all(|shard| shard.edition == 2) && page_rows(&new) == 1, "{new:?}");
    for subset in ["pages", "meta", "edit"] {
        assert!(new.iter().any(|shard| shard.subset == subset), "`{subset}` has nothing new: {new:?}");
    }
    let folder = place.store().join("dataset/own/data");
    Place::must(&["check", folder.to_str().expect("a plain path")]);

    // An index that is taken again knows both editions, and changes nothing.
    let both = place.shards();
    place.on_it("dedup index", &["--out", index.to_str().expect("a plain path")]);
    place.run(&[]);
    assert_eq!(place.shards(), both);

    // The same crawl in a run of its own: what is published elsewhere is refused all the same.
    place.name = "next";
    place.write(&format!("warcs = [\"b.warc.gz\"]\n{indexed}"));
    let text = fs::read_to_string(&index).expect("an index");
    let first_only: Vec<&str> = text.lines().filter(|line| !line.contains("\"edition\":2")).collect();
    fs::write(&index, first_only.join("\n")).expect("room");
    assert_eq!(place.run(&[]).rows(), 1);
    assert_eq!(page_rows(place.shards().iter().filter(|shard| shard.edition == 2)), 1);
}
