//! After a finished run: what a changed setting, page or archive makes the next run do, and that `plan` said so before.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{databuild, is_equipped, text};
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
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        fs::write(place.file(), "[run]\nname = \"own\"\n[source]\nwarcs = [\"*.warc.gz\"]\n").expect("room");
        place
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("own.toml")
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    /// An archive of these pages, each on a domain of its own.
    fn archive(&self, name: &str, pages: &[(String, String)]) {
        let mut archive = WarcBuilder::new();
        for (url, html) in pages {
            archive = archive.page(url, html);
        }
        fs::write(self.0.path().join(name), archive.build_gz()).expect("room");
    }

    fn on_it(&self, command: &str, more: &[&str]) -> String {
        let mut binary = databuild();
        binary.arg(command).arg(self.file()).arg("--store").arg(self.store()).args(more);
        let output = binary.output().expect("the binary");
        assert!(output.status.success(), "{command} {more:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs, and gives how many items each of these stages worked on and how many it remembered.
    fn run(&self, set: &[&str]) -> Worked {
        self.on_it("run", &[&["--quiet", "--no-report"], set].concat());
        let json = fs::read(self.store().join("runs/own/run.json")).expect("a record");
        Worked(serde_json::from_slice(&json).expect("own JSON"))
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
    assert!(scored == n, "{scored} of {n} scored");
    let undisturbed = fs::read(place.store().join("dataset/own/manifest.json")).expect("a manifest");

    // A threshold stands behind everything that costs.
    let set = ["--set", "snapshots.score_min=0.3"];
    let plan = place.plan(&set);
    assert_eq!((to_do(&plan), plan["dataset_reused"].as_bool()), (vec![Some((0, 0, 0)); 2], None), "{plan}");
    let stricter = place.run(&set);
    assert_eq!((stricter.asked("clean"), stricter.asked("render"), stricter.asked("score")), (0, 0, 0));
    assert!(stricter.rows() < first.rows(), "the threshold refuses some: {}", stricter.rows());

    // A viewport is what everything is seen through.
    let set = ["--set", "render.viewport_width=800"];
    let plan = place.plan(&set);
    assert_eq!(to_do(&plan), [Some((0, 0, 0)), Some((1, n, 0))], "{plan}");
    assert!(why(&plan, 1).contains("viewport_width 1280 -> 800"), "{plan}");
    let narrower = place.run(&set);
    assert_eq!((narrower.asked("clean"), narrower.asked("render")), (0, n));

    // Back again: nothing was forgotten.
    let back = place.run(&[]);
    assert_eq!((back.asked("clean"), back.asked("render"), back.asked("score")), (0, 0, 0));
    assert_eq!(fs::read(place.store().join("dataset/own/manifest.json")).expect("a manifest"), undisturbed);

    // One page of the archive is another: the archive is read again, the page rendered.
    all[3].1 = all[3].1.replacen("</body>", "<p>There is one more thing to say about all this.</p></body>", 1);
    place.archive("a.warc.gz", &all);
    let plan = place.plan(&[]);
    assert_eq!(to_do(&plan), [Some((1, 0, 0)), None], "{plan}");
    assert!(why(&plan, 0).contains("input-changed"), "{plan}");
    let changed = place.run(&[]);
    assert_eq!((changed.asked("clean"), changed.asked("render"), changed.asked("score")), (n, 1, 1));
    assert_eq!(changed.rows(), n);

    // One archive more: only it is read, only its pages are rendered.
    place.archive("b.warc.gz", &pages(&["chinese.html"]));
    let plan = place.plan(&[]);
    assert_eq!(to_do(&plan), [Some((1, 0, 0)), None], "{plan}");
    assert!(why(&plan, 0).contains("new-input"), "{plan}");
    let more = place.run(&[]);
    assert_eq!((more.asked("clean"), more.asked("render"), more.asked("score")), (1, 1, 1));
    assert_eq!(more.rows(), n + 1);
}
