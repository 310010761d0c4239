//! Rows that were taken down go, stay away, and leave the other shards as they are; with the real binary and a real Chrome.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Output;

use common::{databuild, is_equipped, text};
use dataset::{Manifest, RowMark, Subset, each_mark};
use item::Loss;

/// The subsets whose rows have content.
const WITH_CONTENT: [Subset; 5] = [Subset::Pages, Subset::Meta, Subset::Edit, Subset::Polish, Subset::Preference];

struct Demo(tempfile::TempDir);

impl Demo {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn dataset(&self) -> PathBuf {
        self.store().join("dataset/demo")
    }

    /// A command on a part of the sample data, in shards of about a megabyte.
    fn on_demo(&self, command: &str, more: &[&str]) -> Output {
        let mut binary = databuild();
        binary.args([command, "pipelines/demo.toml", "--store"]).arg(self.store());
        for setting in ["source.sample_share=0.3", "synth.edits=1", "dataset.shard_mb=1", "dataset.row_group_rows=2"] {
            binary.args(["--set", setting]);
        }
        binary.args(more).output().expect("the binary")
    }

    fn must(&self, command: &str, more: &[&str]) -> String {
        let output = self.on_demo(command, more);
        assert!(output.status.success(), "{command} {more:?}: {}", text(&output.stderr));
        text(&output.stdout) + &text(&output.stderr)
    }

    fn manifest(&self) -> Manifest {
        let json = std::fs::read_to_string(self.dataset().join("manifest.json")).expect("a manifest");
        Manifest::from_json(&json).expect("own JSON")
    }

    /// Rows of a subset, each with its shard.
    fn rows(&self, subset: Subset) -> Vec<(String, RowMark)> {
        let mut rows = Vec::new();
        for shard in self.manifest().shards().filter(|shard| shard.subset == subset.name()) {
            let visit = &mut |mark| rows.push((shard.path.clone(), mark));
            each_mark(&self.dataset().join(&shard.path), subset, visit).expect("own file");
        }
        rows
    }

    fn marks(&self, subset: Subset) -> Vec<RowMark> {
        self.rows(subset).into_iter().map(|(_, mark)| mark).collect()
    }

    /// The rows of `rejects` that stand for what was taken down.
    fn taken_down(&self) -> Vec<Loss> {
        let mut found = Vec::new();
        for shard in self.manifest().shards().filter(|shard| shard.subset == "rejects") {
            for losses in dataset::rest::read_losses(&self.dataset().join(&shard.path)).expect("own file") {
                found.extend(losses.expect("own file").into_iter().filter(|loss| loss.stage == "takedown"));
            }
        }
        found
    }

    /// Bytes of every file of the dataset, by name.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let name = |path: &Path| path.strip_prefix(self.dataset()).expect("below").display().to_string();
        let mut found = BTreeMap::new();
        let mut folders = vec![self.dataset()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(name(&path), std::fs::read(&path).expect("a file"));
                }
            }
        }
        found
    }

    fn forget_the_dataset(&self) {
        std::fs::remove_dir_all(self.store().join("ledger/sink")).expect("the sink's records");
    }
}

#[test]
fn what_is_taken_down_goes_and_stays_away() {
    if !is_equipped() {
        return;
    }
    let demo = Demo::new();
    demo.must("run", &["--quiet"]);
    let (before, old_files) = (demo.manifest(), demo.files());
    let pages = demo.marks(Subset::Pages);
    let domain = pages[0].domain.clone();
    let url = pages.iter().find(|page| page.domain != domain).expect("a page of another domain").url.clone();
    let is_gone = |mark: &RowMark| mark.domain == domain || mark.url == url;
    let marks: Vec<RowMark> = WITH_CONTENT.into_iter().flat_map(|subset| demo.marks(subset)).collect();
    let (gone, stay): (Vec<RowMark>, Vec<RowMark>) = marks.into_iter().partition(is_gone);
    assert!(gone.iter().any(|mark| mark.subset == Subset::Edit), "the pages have triples");
    let asked = ["--domain", &domain, "--url", &url];

    // Looking changes nothing.
    let told = demo.must("takedown", &[&asked[..], &["--dry-run"]].concat());
    let of = |subset: Subset| gone.iter().filter(|mark| mark.subset == subset).count();
    for subset in [Subset::Pages, Subset::Meta, Subset::Edit] {
        assert!(told.contains(&format!("{}: {} of ", subset.name(), of(subset))), "{told}");
    }
    let rows = WITH_CONTENT.into_iter().flat_map(|subset| demo.rows(subset));
    let holding: BTreeSet<String> = rows.filter(|(_, mark)| is_gone(mark)).map(|(shard, _)| shard).collect();
    assert!(holding.iter().all(|shard| told.contains(shard.as_str())), "{told}");
    assert_eq!(demo.files(), old_files);
    assert!(!demo.store().join("takedowns").exists());

    let told = demo.must("takedown", &asked);
    assert!(told.contains("takedowns/demo/00001.jsonl"), "{told}");
    let after = demo.manifest();
    let left: Vec<RowMark> = WITH_CONTENT.into_iter().flat_map(|subset| demo.marks(subset)).collect();
    assert_eq!(left, stay, "all that was asked for is gone, and nothing else");

    // In place of each row stands a row of `rejects`.
    let rejected = demo.taken_down();
    let ids = |marks: &[RowMark]| -> BTreeSet<_> { marks.iter().map(|mark| mark.id).collect() };
    assert_eq!(rejected.iter().map(|loss| loss.id).collect::<BTreeSet<_>>(), ids(&gone));
    assert!(rejected.iter().all(|loss| loss.rule == "takedown" && ["by url", "by domain"].contains(&&*loss.detail)));
    assert_eq!(after.subsets["rejects"].rows, before.subsets["rejects"].rows + rejected.len() as u64);
    let books = after.books["stages"].as_array().expect("books").last().expect("the sink's").clone();
    assert_eq!(
        (books["stage"].as_str(), books["rejected"]["takedown"].as_u64()),
        (Some("takedown"), Some(rejected.len() as u64))
    );

    // Shards that held none of the rows are the same files.
    let new_files = demo.files();
    let untouched: Vec<&str> = before
        .shards()
        .map(|shard| shard.path.as_str())
        .filter(|path| !path.contains("/rejects/") && !holding.contains(*path))
        .collect();
    assert!(untouched.len() >= 3, "{} shards of {}", untouched.len(), before.shards().count());
    for path in &untouched {
        assert!(new_files.get(*path) == old_files.get(*path), "{path} is another file");
    }
    assert!(holding.iter().all(|path| !new_files.contains_key(path)), "old files stand beside the new ones");
    let verified = databuild().arg("verify").arg(demo.dataset()).args(["--sample", "6"]).output().expect("the binary");
    assert!(verified.status.success(), "{}{}", text(&verified.stdout), text(&verified.stderr));

    // Later runs do nothing, and give the same dataset where they have to write it again.
    assert!(demo.must("run", &[]).contains("nothing to do"));
    assert_eq!(demo.files(), new_files);
    demo.forget_the_dataset();
    assert!(!demo.must("run", &[]).contains("nothing to do"));
    assert_eq!(demo.files(), new_files);
    let again = demo.must("takedown", &asked);
    assert!(again.contains("asked for already") && again.contains("no row of the dataset"), "{again}");
    assert_eq!(demo.files(), new_files);

    // The story is told, and not shown.
    let story = demo.must("explain", &[&url]);
    assert!(story.contains("takedown   rejected: takedown (by url)"), "{story}");
    by_page(&demo);
}

/// A page that is named by its id takes its triples with it; the same of a list, by its hash.
fn by_page(demo: &Demo) {
    let triples = demo.marks(Subset::Edit);
    let pages = demo.marks(Subset::Pages);
    let of = |page: &RowMark| triples.iter().filter(|triple| triple.html_sha256 == page.html_sha256).count();
    let with_triples: Vec<&RowMark> = pages.iter().filter(|page| of(page) > 0).take(2).collect();
    let [one, two] = with_triples[..] else { panic!("two pages have triples") };
    let list = demo.0.path().join("list.txt");
    let picture = two.screenshot_sha256.clone().expect("a screenshot");
    std::fs::write(&list, format!("# by hash\n\nhash {picture}\n")).expect("a list");
    let old = demo.taken_down().len();
    demo.must("takedown", &["--id", &one.id.to_string(), "--list", list.to_str().expect("a plain path")]);
    assert_eq!(demo.marks(Subset::Pages).len(), pages.len() - 2);
    assert_eq!(demo.marks(Subset::Edit).len(), triples.len() - of(one) - of(two));
    let details: BTreeSet<String> = demo.taken_down().into_iter().map(|loss| loss.detail).collect();
    assert!(
        ["by id", "by hash", "its page by id", "its page by hash"].iter().all(|how| details.contains(*how)),
        "{details:?}"
    );
    assert_eq!(demo.taken_down().len(), old + 2 + of(one) + of(two));
    assert!(demo.store().join("takedowns/demo/00002.jsonl").is_file());

    // Where no row is found, the request is kept all the same.
    let files = demo.files();
    let told = demo.must("takedown", &["--domain", "nobody.example"]);
    assert!(told.contains("no row of the dataset is such a one") && told.contains("00003.jsonl"), "{told}");
    assert_eq!(demo.files(), files);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let demo = Demo::new();
    let check = |arguments: &[&str], expected: &str| {
        let output = demo.on_demo("takedown", arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(expected), "{arguments:?}: {}", text(&output.stderr));
    };
    check(&[], "`--url`, `--domain`, `--id`, `--hash`");
    check(&["--hash", "d41d8cd98f00b204e9800998ecf8427e"], "hint: a SHA-256 has 64 hex digits");
    check(&["--id", "7"], "hint: an id has 32 hex digits");
    check(&["--domain", "www.example.org"], "hint: the domain of that host is `example.org`");
    check(&["--url", "example.org"], "hint: write the whole of it");
    check(&["--list", "/nowhere/list.txt"], "read the list");
    check(&["--domain", "example.org"], "hint: `databuild run` comes first");
}
