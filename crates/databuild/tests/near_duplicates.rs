//! The planted pairs of the development corpus, through the whole pipeline with its default limits: near-duplicates are
//! found, look-alikes stay apart, what a benchmark holds stays out, and more data moves no row.

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use common::{databuild, is_equipped};
use dataset::{Columns, Manifest, PageRow, ShardReader};
use item::{ItemId, Loss};
use serde_json::Value;

/// What the clusters have to reach.
const RECALL_MIN: f64 = 0.95;
const PRECISION_MIN: f64 = 0.95;
/// Over all pairs of pages in one cluster, of which the truth knows those that were planted: two of the templates are one
/// photo gallery in two skins, and count as wrong here.
const PRECISION_OF_ALL_MIN: f64 = 0.9;
/// Pairs of each kind whose two pages both have to come as far as a cluster, of 40.
const PAIRS_MIN: usize = 38;

#[expect(clippy::print_stdout, reason = "whoever runs the tests wants to know figures, and what was not tested")]
fn say(what: &str) {
    println!("{what}");
}

fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let corpus = std::env::var_os("DATABUILD_CORPUS").map_or(beside, PathBuf::from);
    if corpus.join("truth/neardup.jsonl").is_file() {
        return Some(corpus.canonicalize().expect("the corpus"));
    }
    say(&format!("skipped: there is no corpus at {}", corpus.display()));
    None
}

/// A page of a pair: where its record lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    file: String,
    offset: u64,
    length: u64,
}

struct Pair {
    near: bool,
    kind: String,
    urls: [String; 2],
}

struct Truth {
    pairs: Vec<Pair>,
    members: BTreeMap<String, Member>,
}

fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a file of the corpus");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn word(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_default().to_owned()
}

impl Truth {
    fn read(corpus: &Path) -> Self {
        let listed = ["pages/pages.jsonl", "templates/templates.jsonl"];
        let records = listed.iter().flat_map(|list| rows(&corpus.join(list)));
        let records: HashMap<String, Value> = records.map(|row| (word(&row, "url"), row)).collect();
        let (mut pairs, mut members) = (Vec::new(), BTreeMap::new());
        for row in rows(&corpus.join("truth/neardup.jsonl")) {
            for side in ["a", "b"] {
                let key = |part: &str| format!("{side}_{part}");
                let number = |row: &Value, key: &str| row[key].as_u64();
                let listed = &records.get(&word(&row, side)).cloned().unwrap_or_default();
                let offset = number(&row, &key("offset")).or_else(|| number(listed, "offset")).expect("an offset");
                let length = number(&row, &key("length")).or_else(|| number(listed, "length")).expect("a length");
                members.insert(word(&row, side), Member { file: word(&row, &key("file")), offset, length });
            }
            pairs.push(Pair {
                near: row["near_duplicate"].as_bool().expect("yes or no"),
                kind: word(&row, "kind"),
                urls: [word(&row, "a"), word(&row, "b")],
            });
        }
        Self { pairs, members }
    }

    /// Writes the records of the pairs to two archives: nine of ten, and the tenth.
    fn archive(&self, corpus: &Path, folder: &Path) {
        let mut most = File::create(folder.join("most.warc.gz")).expect("a file");
        let mut more = File::create(folder.join("more.warc.gz")).expect("a file");
        for (number, member) in self.members.values().collect::<BTreeSet<_>>().into_iter().enumerate() {
            let mut file = File::open(corpus.join(&member.file)).expect("an archive of the corpus");
            file.seek(SeekFrom::Start(member.offset)).expect("a place in it");
            let mut bytes = vec![0; usize::try_from(member.length).expect("a record")];
            file.read_exact(&mut bytes).expect("the record");
            let archive = if number % 10 == 9 { &mut more } else { &mut most };
            archive.write_all(&bytes).expect("room");
        }
    }

    /// The group of each page: near-duplicates of near-duplicates belong together.
    fn groups(&self) -> HashMap<&str, usize> {
        let urls: Vec<&String> = self.members.keys().collect();
        let mut group: HashMap<&str, usize> = urls.iter().zip(0..).map(|(url, n)| (url.as_str(), n)).collect();
        for pair in self.pairs.iter().filter(|pair| pair.near) {
            let [from, to] = pair.urls.each_ref().map(|url| group[url.as_str()]);
            group.values_mut().filter(|group| **group == from).for_each(|group| *group = to);
        }
        group
    }
}

/// A folder with the archives and a pipeline file for each set of them.
struct Runs {
    folder: tempfile::TempDir,
}

impl Runs {
    fn prepare(truth: &Truth, corpus: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        truth.archive(corpus, folder.path());
        let assets = ["templates/assets-*.warc.gz", "neardup/neardup-assets.warc.gz"].map(|name| corpus.join(name));
        let write = |name: &str, warcs: &[&str]| {
            let file = format!(
                "[run]\nname = \"{name}\"\n[source]\nwarcs = {warcs:?}\n[clean]\nassets = {assets:?}\nimages = \"inline\"\n\
                 [snapshots]\nvalidation_share = 0.2\ntest_share = 0.2\n"
            );
            std::fs::write(folder.path().join(format!("{name}.toml")), file).expect("room");
        };
        write("all", &["most.warc.gz", "more.warc.gz"]);
        write("most", &["most.warc.gz"]);
        Self { folder }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Runs a command on one of the files; all have one store, so nothing is rendered twice.
    fn run(&self, arguments: &[&str], name: &str, more: &[&str]) {
        let file = self.folder.path().join(format!("{name}.toml"));
        let output = databuild().args(arguments).arg(file).args(more).arg("--store").arg(self.store()).output();
        let output = output.expect("the binary");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// A row, whole.
    fn row(&self, name: &str, id: ItemId) -> PageRow {
        let folder = self.store().join("dataset").join(name);
        let shards = manifest(&folder)
            .shards()
            .filter(|shard| shard.subset == "pages")
            .map(|s| folder.join(&s.path))
            .collect::<Vec<_>>();
        let find = |path: &PathBuf| {
            let rows = ShardReader::open(path).expect("a shard").pages_by_id(&[id], Columns::ALL).expect("rows");
            rows.map(|row| row.expect("a row")).next()
        };
        shards.iter().find_map(find).expect("a row of that id")
    }

    fn dataset(&self, name: &str) -> (Vec<PageRow>, Vec<Loss>) {
        let folder = self.store().join("dataset").join(name);
        let manifest = manifest(&folder);
        let (mut pages, mut losses) = (Vec::new(), Vec::new());
        for shard in manifest.shards() {
            let path = folder.join(&shard.path);
            match shard.subset.as_str() {
                "pages" => {
                    let rows = ShardReader::open(&path).expect("a shard").pages(Columns::LIGHT).expect("rows");
                    pages.extend(rows.map(|row| row.expect("a row")));
                }
                "rejects" => {
                    let batches = dataset::rest::read_losses(&path).expect("a shard");
                    losses.extend(batches.flat_map(|losses| losses.expect("rows")));
                }
                _ => {}
            }
        }
        (pages, losses)
    }
}

fn manifest(folder: &Path) -> Manifest {
    let json = std::fs::read_to_string(folder.join("manifest.json")).expect("a manifest");
    Manifest::from_json(&json).expect("a manifest")
}

/// The cluster of each page that is a row, or stands behind one.
fn clusters((pages, losses): &(Vec<PageRow>, Vec<Loss>)) -> HashMap<String, ItemId> {
    let behind: HashMap<ItemId, ItemId> =
        losses.iter().filter_map(|loss| Some((loss.id, loss.representative()?))).collect();
    let mut clusters: HashMap<String, ItemId> = pages.iter().map(|row| (row.url.clone(), row.id)).collect();
    let kept: BTreeSet<ItemId> = pages.iter().map(|row| row.id).collect();
    for loss in losses.iter().filter(|loss| behind.contains_key(&loss.id)) {
        let chain = std::iter::successors(Some(loss.id), |id| behind.get(id).copied());
        if let Some(id) = chain.take(4).find(|id| kept.contains(id)) {
            clusters.insert(loss.provenance.url.clone(), id);
        }
    }
    clusters
}

fn share(part: usize, of: usize) -> f64 {
    part as f64 / of.max(1) as f64
}

/// How many pairs of a kind there are whose pages both came through, and how many of them are joined.
fn joined(truth: &Truth, clusters: &HashMap<String, ItemId>, wanted: impl Fn(&Pair) -> bool) -> (usize, usize) {
    let both = |pair: &&Pair| {
        let [a, b] = pair.urls.each_ref().map(|url| clusters.get(url));
        Some((a?, b?)).map(|(a, b)| a == b)
    };
    let answers: Vec<bool> = truth.pairs.iter().filter(|pair| wanted(pair)).filter_map(|pair| both(&pair)).collect();
    (answers.iter().filter(|joined| **joined).count(), answers.len())
}

/// Pairs of pages in one cluster, and how many of them belong together.
fn precision(truth: &Truth, clusters: &HashMap<String, ItemId>) -> (usize, usize) {
    let groups = truth.groups();
    let pages: Vec<(&String, &ItemId)> = clusters.iter().filter(|(url, _)| groups.contains_key(url.as_str())).collect();
    let (mut right, mut all) = (0, 0);
    for (index, (url, cluster)) in pages.iter().enumerate() {
        for (other, _) in pages[index + 1..].iter().filter(|(_, other)| other == cluster) {
            all += 1;
            if groups[url.as_str()] == groups[other.as_str()] {
                right += 1;
            } else {
                say(&format!("wrongly together: {url} and {other}"));
            }
        }
    }
    (right, all)
}

#[test]
fn planted_pairs_are_found_and_more_data_moves_no_row() {
    let Some(corpus) = corpus() else { return };
    if !is_equipped() {
        return;
    }
    let truth = Truth::read(&corpus);
    let runs = Runs::prepare(&truth, &corpus);
    runs.run(&["run", "--quiet", "--no-report"], "all", &[]);
    check_clusters(&truth, &clusters(&runs.dataset("all")));
    check_tune(&runs);
    check_leaks(&runs);
    check_growth(&runs);
}

fn check_clusters(truth: &Truth, clusters: &HashMap<String, ItemId>) {
    let (found, near) = joined(truth, clusters, |pair| pair.near);
    let (confused, alike) = joined(truth, clusters, |pair| !pair.near);
    let (right, together) = precision(truth, clusters);
    say(&format!(
        "near-duplicates: {found} of {near} found; look-alikes: {confused} of {alike} joined; {right} of {together} pairs \
         in clusters belong together"
    ));
    for pair in &truth.pairs {
        let [a, b] = pair.urls.each_ref().map(|url| clusters.get(url));
        match (a, b) {
            (Some(a), Some(b)) if (a == b) == pair.near => {}
            (Some(_), Some(_)) => say(&format!("wrong: {} {:?}", pair.kind, pair.urls)),
            _ => say(&format!("a page was refused: {} {:?}", pair.kind, pair.urls)),
        }
    }
    assert!(near >= PAIRS_MIN && alike >= PAIRS_MIN, "{near} and {alike} pairs came through");
    assert!(share(found, near) >= RECALL_MIN, "{found} of {near}");
    assert!(share(found, found + confused) >= PRECISION_MIN, "{found} of {}", found + confused);
    assert!(share(right, together) >= PRECISION_OF_ALL_MIN, "{right} of {together}");
    assert_eq!(confused, 0, "of {alike} look-alikes");
}

/// The page that shows where the limits lie has pairs on both sides, and pictures of them.
fn check_tune(runs: &Runs) {
    let page = runs.folder.path().join("tune.html");
    runs.run(&["dedup", "tune", "--out", &page.to_string_lossy()], "all", &[]);
    let html = std::fs::read_to_string(page).expect("the page");
    let (inside, outside) = html.split_once("Just outside").expect("two sides");
    for side in [inside, outside] {
        assert!(side.matches("<img ").count() >= 20, "few pairs");
    }
    assert!(!html.contains("base64,'"), "a picture is missing");
}

/// A benchmark of a screenshot, of a page and of a domain of the dataset: each keeps out what it holds.
fn check_leaks(runs: &Runs) {
    let rows = runs.dataset("all").0;
    // Each of another domain, and none of a page that another one is like.
    let mut domains = BTreeSet::new();
    let alone = rows.iter().filter(|row| row.cluster_size == Some(1) && domains.insert(row.domain.clone()));
    let [picture, page, domain] = alone.take(3).collect::<Vec<_>>()[..] else { panic!("few rows") };
    let benchmark = runs.folder.path().join("bench");
    std::fs::create_dir(&benchmark).expect("room");
    let write = |name: &str, bytes: &[u8]| std::fs::write(benchmark.join(name), bytes).expect("room");
    write("1.png", &runs.row("all", picture.id).image.expect("a screenshot"));
    write("1.html", runs.row("all", page.id).text.expect("a page").as_bytes());
    write("domains.txt", domain.domain.as_bytes());
    let list = runs.folder.path().join("bench.hashlist");
    let list = list.to_string_lossy();
    let made = databuild().arg("hashlist").arg(&benchmark).args(["--out", &list]).output().expect("the binary");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    runs.run(&["run", "--quiet", "--no-report"], "all", &["--set", &format!("snapshots.hashlists=[\"{list}\"]")]);
    let losses = runs.dataset("all").1;
    for (row, rules) in [
        (picture, &["benchmark-image"][..]),
        (page, &["benchmark-text", "benchmark-dom"]),
        (domain, &["benchmark-domain"]),
    ] {
        let loss = losses.iter().find(|loss| loss.id == row.id).expect("it is refused");
        assert!(rules.contains(&loss.rule.as_str()), "{loss:?}");
        assert!(loss.detail.contains("of bench"), "{loss:?}");
    }
}

/// What is published stays where it is when a tenth is added, and no domain is in two splits.
fn check_growth(runs: &Runs) {
    let index = runs.folder.path().join("published.index");
    let index = index.to_string_lossy();
    runs.run(&["run", "--quiet", "--no-report"], "most", &[]);
    runs.run(&["dedup", "index", "--out", &index], "most", &[]);
    runs.run(&["run", "--quiet", "--no-report"], "all", &["--set", &format!("snapshots.index={index}")]);
    let (before, after) = (runs.dataset("most").0, runs.dataset("all").0);
    let splits: HashMap<ItemId, &str> = after.iter().map(|row| (row.id, row.split.as_str())).collect();
    for row in &before {
        assert_eq!(splits.get(&row.id), Some(&row.split.as_str()), "{}", row.url);
    }
    assert!(after.len() > before.len(), "{} and {} rows", before.len(), after.len());
    let mut of_domain: HashMap<&str, &str> = HashMap::new();
    for row in &after {
        assert_eq!(of_domain.entry(&row.domain).or_insert(&row.split), &row.split, "{}", row.domain);
    }
    assert!(of_domain.values().collect::<BTreeSet<_>>().len() == 3, "all splits have rows");
}
