//! Shards: the same rows give the same bytes, in the layout that the Hub's readers expect.

#[path = "common/chunks.rs"]
mod chunks;
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use chunks::new_share;
use common::{loss, page};
use dataset::{
    CheckError, Columns, FileSummary, Finding, Manifest, ShardPolicy, ShardReader, ShardSetWriter, SubsetManifest,
    Weight, check_limits, export_webdataset,
};
use item::{Item, ItemId, Snapshot};

/// Small enough that a few dozen pages fill several groups and files.
const POLICY: ShardPolicy = ShardPolicy { shard_bytes: 400_000, row_group_bytes: 100_000, row_group_rows: 7 };

fn pages() -> Vec<Item<Snapshot>> {
    (0..60).map(|n| page(n, if n % 5 == 0 { "test" } else { "train" }, 64, 40 + n)).collect()
}

fn write(folder: &Path, pages: &[Item<Snapshot>], losses: &[u32]) -> BTreeMap<String, SubsetManifest> {
    let mut writer = ShardSetWriter::new(folder, POLICY).expect("create");
    for page in pages {
        writer.add_page(page).expect("add");
    }
    for &number in losses {
        writer.add_loss(&loss(number)).expect("add");
    }
    writer.finish().expect("finish")
}

/// Every file below `folder` by its path, hidden ones too.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder of the test") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                found.insert(name, std::fs::read(&path).expect("a file of the test"));
            }
        }
    }
    found
}

#[test]
fn bytes_depend_on_the_set_of_rows_alone() {
    let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut rows = pages();
    let first = write(one.path(), &rows, &[1, 2, 3]);
    rows.reverse();
    rows.swap(3, 40);
    let second = write(two.path(), &rows, &[2, 3, 1]);
    assert_eq!(first, second);
    assert!(files(one.path()) == files(two.path()), "the files differ");
    assert_eq!(Manifest::new("t", first).digest(), Manifest::new("t", second).digest());
}

#[test]
fn shards_keep_their_limits_and_ids_ascend_over_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let subsets = write(folder.path(), &pages(), &[]);
    let pages_subset = &subsets["pages"];
    assert_eq!(pages_subset.rows, 60);
    assert_eq!(subsets["rejects"].rows, 0);
    let train = &pages_subset.splits["train"];
    assert_eq!(train.iter().map(|shard| shard.rows).sum::<u64>(), 48);
    assert!(train.len() > 1, "{train:?}");
    assert!(train.windows(2).all(|pair| pair[0].max_id < pair[1].min_id));
    for shard in train {
        assert!(shard.bytes <= POLICY.shard_bytes, "{} is {} bytes", shard.path, shard.bytes);
        let summary = FileSummary::read(&folder.path().join(&shard.path)).expect("footer");
        assert_eq!(summary.rows, shard.rows);
        for group in &summary.row_groups {
            assert!(group.rows <= POLICY.row_group_rows && group.uncompressed_bytes <= POLICY.row_group_bytes);
        }
        let name = shard.path.strip_prefix("pages/train-").expect("a name of the pattern");
        assert_eq!(name[6..22], shard.sha256[..16]);
    }
    let left: Vec<String> = files(folder.path()).into_keys().filter(|name| name.contains("/.")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn columns_are_laid_out_as_the_hub_expects() {
    let folder = tempfile::tempdir().expect("a folder");
    let subsets = write(folder.path(), &pages(), &[]);
    let path = folder.path().join(&subsets["pages"].splits["train"][0].path);
    let summary = FileSummary::read(&path).expect("footer");
    assert!(summary.huggingface && summary.page_index);
    assert_eq!(summary.created_by, concat!("databuild version ", env!("CARGO_PKG_VERSION")));
    for column in &summary.columns {
        let expected = if column.path == "image.bytes" { "UNCOMPRESSED" } else { "ZSTD" };
        assert_eq!(column.compression, expected, "{}", column.path);
    }
    let column = |path: &str| summary.columns.iter().find(|column| column.path == path).expect("the column");
    assert!(column("domain").dictionary && column("nodes.list.element.tag").dictionary);
    for plain in ["image.bytes", "text", "url", "id", "bbox"] {
        assert!(!column(plain).dictionary, "{plain}");
    }
    assert!(column("quality").statistics && !column("image.bytes").statistics && !column("text").statistics);
    let text = summary.to_string();
    assert!(text.contains("image.bytes") && text.contains("page index   yes"), "{text}");
}

#[test]
fn rows_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = pages();
    let subsets = write(folder.path(), &rows, &[]);
    let shard = ShardReader::open(&folder.path().join(&subsets["pages"].splits["test"][0].path)).expect("open");
    let read: Vec<_> = shard.pages(Columns::ALL).expect("open").map(|row| row.expect("own file")).collect();
    assert_eq!(read.len() as u64, shard.rows());
    assert!(read.windows(2).all(|pair| pair[0].id < pair[1].id));
    for row in &read {
        let page = rows.iter().find(|page| page.head.id == row.id).expect("one of ours");
        assert_eq!(row.url, page.head.provenance.url);
        assert_eq!(row.text.as_deref(), Some(page.body.html.as_str()));
        assert_eq!(row.image.as_ref(), Some(&page.body.screenshot));
        assert_eq!(row.scale, (page.body.width, page.body.height));
        assert_eq!(row.viewport, page.body.viewport);
        let published = page.body.nodes.iter().map(|node| item::Node { style: None, ..node.clone() });
        assert_eq!(row.nodes, Some(published.collect()));
        assert_eq!(row.tokens, Some((12, 340)));
        assert_eq!((row.split.as_str(), row.quality, row.cluster_size), ("test", Some(0.71), Some(2)));
    }
    let wanted = [read[4].id, read[1].id, rows[1].head.id];
    let some: Vec<_> = shard.pages_by_id(&wanted, Columns::LIGHT).expect("open").map(|row| row.expect("own")).collect();
    assert_eq!(some.iter().map(|row| row.id).collect::<Vec<_>>(), [read[1].id, read[4].id]);
    assert!(some.iter().all(|row| row.text.is_none() && row.image.is_none() && row.nodes.is_none()));
}

#[test]
fn a_manifest_knows_its_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut manifest = Manifest::new("demo", write(folder.path(), &pages()[..8], &[1, 2]));
    manifest.keys.insert("phase-1".to_owned(), "abc".to_owned());
    assert_eq!(Manifest::from_json(&manifest.to_json()).expect("own json"), manifest);
    manifest.check(folder.path()).expect("untouched");

    let path = folder.path().join(&manifest.subsets["rejects"].splits["train"][0].path);
    let mut bytes = std::fs::read(&path).expect("a file of the test");
    bytes[100] ^= 1;
    std::fs::write(&path, &bytes).expect("write");
    assert!(matches!(manifest.check(folder.path()), Err(CheckError::Differs { what: "SHA-256", .. })));
    bytes.push(0);
    std::fs::write(&path, &bytes).expect("write");
    assert!(matches!(manifest.check(folder.path()), Err(CheckError::Differs { what: "size", .. })));
    std::fs::remove_file(&path).expect("remove");
    assert!(matches!(manifest.check(folder.path()), Err(CheckError::Read { .. })));
}

#[test]
fn rows_with_one_id_have_an_order_of_their_own() {
    let twins: Vec<Item<Snapshot>> = (0..6)
        .map(|n| {
            let mut twin = page(n, "train", 16, 16);
            twin.head.id = page(0, "train", 1, 1).head.id;
            twin
        })
        .collect();
    let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let reversed: Vec<_> = twins.iter().rev().cloned().collect();
    assert_eq!(write(one.path(), &twins, &[]), write(two.path(), &reversed, &[]));
}

/// pyarrow takes a page without rows for the end of its column chunk and loses what follows, in silence.
#[test]
fn no_page_of_a_column_is_empty() {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = ShardPolicy { shard_bytes: 20_000_000, row_group_bytes: 4_000_000, row_group_rows: 1000 };
    let mut writer = ShardSetWriter::new(folder.path(), policy).expect("create");
    for number in 0..24 {
        // Noise does not compress: pictures from 0.2 to 1.6 MB, below and above the size of a page.
        writer.add_page(&page(number, "train", 300 + number * 20, 260 + number * 19)).expect("add");
    }
    let subsets = writer.finish().expect("finish");
    let mut groups = 0;
    for shard in &subsets["pages"].splits["train"] {
        let file = std::fs::File::open(folder.path().join(&shard.path)).expect("the shard");
        let options = parquet::file::serialized_reader::ReadOptionsBuilder::new().with_page_index().build();
        let reader = parquet::file::serialized_reader::SerializedFileReader::new_with_options(file, options);
        let metadata = parquet::file::reader::FileReader::metadata(&reader.expect("a footer")).clone();
        for group in 0..metadata.num_row_groups() {
            groups += 1;
            let (chunks, pages) = (metadata.row_group(group), metadata.page_index_for_row_group(group));
            for (column, chunk) in chunks.columns().iter().enumerate() {
                let index = pages.offset_index(column).expect("an offset index");
                let mut starts: Vec<i64> = index.page_locations().iter().map(|page| page.first_row_index).collect();
                starts.push(chunks.num_rows());
                let name = chunk.column_path().string();
                assert!(starts.windows(2).all(|pair| pair[0] < pair[1]), "{name} of group {group}: {starts:?}");
            }
        }
    }
    assert!(groups > 3, "{groups} row groups");
}

/// Pages with a picture of some 60 kB and a document of some 20 kB, by their numbers; `salt` changes the document.
fn large(numbers: impl Iterator<Item = (u32, u32)>) -> Vec<Item<Snapshot>> {
    numbers.map(|(number, salt)| page_of_size(number, salt, 140, 20_000)).collect()
}

fn page_of_size(number: u32, salt: u32, picture_side: u32, html_bytes: usize) -> Item<Snapshot> {
    let mut state = u64::from(number) << 32 | u64::from(salt) << 1 | 1;
    let mut html = String::from("<!doctype html><body>");
    while html.len() < html_bytes {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        let _ = write!(html, "<p class=\"c{}\">word{}</p>", state >> 59, state >> 48);
    }
    let mut page = page(number, "train", picture_side, picture_side);
    page.body.html = html;
    page
}

/// Shares of the bytes that a content-addressed storage has to be sent after a rerun: where one row in 100 is another one in its
/// place, went, came, or made room for another one; `page` gives a row by number and salt.
fn shares_of_a_rerun(policy: ShardPolicy, rows: u32, page: &dyn Fn(u32, u32) -> Item<Snapshot>) -> [f64; 4] {
    let shards = |numbers: &dyn Fn(u32) -> Option<(u32, u32)>| {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = ShardSetWriter::new(folder.path(), policy).expect("create");
        for (number, salt) in (0..rows).filter_map(numbers) {
            writer.add_page(&page(number, salt)).expect("add");
        }
        writer.finish().expect("finish");
        files(folder.path())
    };
    let is_one_in_100 = |number: u32| number % 100 == 50;
    let all = shards(&|number| Some((number, 0)));
    let some = shards(&|number| (!is_one_in_100(number)).then_some((number, 0)));
    let changed = shards(&|number| Some((number, u32::from(is_one_in_100(number)))));
    let replaced = shards(&|number| Some((if is_one_in_100(number) { number + rows } else { number }, 0)));
    let share = |old: &BTreeMap<String, Vec<u8>>, new: &BTreeMap<String, Vec<u8>>| {
        new_share(old.values().map(Vec::as_slice), new.values().map(Vec::as_slice))
    };
    [share(&all, &changed), share(&all, &some), share(&some, &all), share(&all, &replaced)]
}

/// What has to be uploaded after a rerun, as a content-addressed storage sees it.
#[test]
fn what_changes_stays_where_it_is() {
    let policy = ShardPolicy { shard_bytes: 12_000_000, row_group_bytes: 4_000_000, row_group_rows: 1000 };
    let [changed, went, came, replaced] =
        shares_of_a_rerun(policy, 300, &|number, salt| page_of_size(number, salt, 140, 20_000));
    println!("new bytes: changed {changed:.3}, went {went:.3}, came {came:.3}, replaced {replaced:.3}");
    assert!(changed < 0.10 && went < 0.25 && came < 0.25 && replaced < 0.35);
}

/// The same with the sizes that datasets have: pictures of some 280 kB, documents of 40 kB, whole shards.
#[test]
#[ignore = "writes some gigabytes; for the figures in docs/dataset.md"]
fn what_changes_in_whole_shards() {
    let [changed, went, came, replaced] =
        shares_of_a_rerun(ShardPolicy::default(), 2000, &|number, salt| page_of_size(number, salt, 305, 40_000));
    println!("new bytes: changed {changed:.3}, went {went:.3}, came {came:.3}, replaced {replaced:.3}");
}

#[test]
fn meta_has_the_rows_of_pages_without_their_pictures() {
    let folder = tempfile::tempdir().expect("a folder");
    let subsets = write(folder.path(), &pages(), &[1]);
    let (pages, meta) = (&subsets["pages"], &subsets["meta"]);
    assert_eq!((pages.rows, pages.splits.keys().collect::<Vec<_>>()), (meta.rows, meta.splits.keys().collect()));
    assert!(meta.bytes < pages.bytes);
    let columns = |subset: &SubsetManifest| -> BTreeSet<String> {
        let path = folder.path().join(&subset.splits["train"][0].path);
        FileSummary::read(&path).expect("footer").columns.into_iter().map(|column| column.path).collect()
    };
    let (with, without) = (columns(pages), columns(meta));
    let lacking: Vec<&String> = with.difference(&without).collect();
    assert_eq!(lacking, ["image.bytes", "image.path"]);
    assert!(without.is_subset(&with));
}

fn problems(folder: &Path) -> Vec<(Weight, String)> {
    let report = check_limits(folder).expect("readable");
    report.findings.into_iter().map(|Finding { weight, problem, .. }| (weight, problem)).collect()
}

#[test]
fn our_own_shards_keep_all_limits() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &pages(), &[1, 2]);
    let report = check_limits(folder.path()).expect("readable");
    assert_eq!(report.findings, []);
    assert_eq!(report.rows, 60 + 60 + 2);
    assert!(report.is_readable() && report.group_rows_max <= POLICY.row_group_rows);
}

#[test]
fn limits_that_are_not_kept_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let subsets = write(folder.path(), &pages(), &[1, 2]);
    let shard = folder.path().join(&subsets["pages"].splits["test"][0].path);
    let numbered = folder.path().join("pages/test-00000-of-00002.parquet");
    std::fs::rename(&shard, &numbered).expect("rename");
    let check = |expected: &str| {
        let found = problems(folder.path());
        let broken = |(weight, problem): &(Weight, String)| *weight == Weight::Broken && problem.contains(expected);
        assert!(found.iter().any(broken), "{expected}: {found:?}");
    };
    check("`test` has 1 of its 2 files");
    // A file of another subset among them.
    let rejects = folder.path().join(&subsets["rejects"].splits["train"][0].path);
    std::fs::copy(&rejects, folder.path().join("pages/test-00001-of-00002.parquet")).expect("copy");
    check("have different columns or types");
    std::fs::remove_file(folder.path().join("pages/test-00001-of-00002.parquet")).expect("remove");
    std::fs::remove_file(&numbered).expect("remove");
    check("do not join");
}

#[test]
fn rows_come_back_from_tar_files() {
    let (folder, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let rows = pages();
    let manifest = Manifest::new("demo", write(folder.path(), &rows, &[]));
    let summary = export_webdataset(&manifest, folder.path(), out.path(), 200_000).expect("exported");
    assert_eq!(summary.rows, 60);
    let tars = files(out.path());
    assert_eq!(tars.len() as u64, summary.files);
    assert_eq!(tars.values().map(|tar| tar.len() as u64).sum::<u64>(), summary.bytes);
    assert!(tars.len() > 2 && tars.values().all(|tar| tar.len() < 202_000), "{:?}", tars.keys());
    let mut seen = BTreeSet::new();
    for (name, tar) in &tars {
        let mut parts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for entry in tar::Archive::new(tar.as_slice()).entries().expect("a tar file") {
            let mut entry = entry.expect("an entry");
            let name = entry.path().expect("a name").to_string_lossy().into_owned();
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).expect("content");
            parts.insert(name, content);
        }
        for (file, html) in &parts {
            let Some(stem) = file.strip_suffix(".html") else { continue };
            let id: ItemId = stem.parse().expect("an id");
            let page = rows.iter().find(|page| page.head.id == id).expect("one of ours");
            assert_eq!(html, page.body.html.as_bytes());
            assert_eq!(parts[&format!("{stem}.png")], page.body.screenshot);
            let json: serde_json::Value = serde_json::from_slice(&parts[&format!("{stem}.json")]).expect("JSON");
            assert_eq!((json["id"].as_str(), json["bbox"]["type"].as_str()), (Some(stem), Some("body")));
            assert_eq!(json["nodes"][2]["tag"], "h1");
            assert!(name.starts_with(json["split"].as_str().expect("a split")), "{name}");
            assert!(seen.insert(id), "{id} stands twice");
        }
    }
    assert_eq!(seen.len(), 60);
}

/// Writes pages without those of some numbers, in one of two ways: the shards are cut as if they were there, or they never were.
fn write_without(
    folder: &Path,
    pages: &[Item<Snapshot>],
    policy: ShardPolicy,
    gone: &BTreeSet<ItemId>,
    cut: bool,
) -> Manifest {
    let mut writer = ShardSetWriter::new(folder, policy).expect("create");
    for page in pages.iter().filter(|page| cut || !gone.contains(&page.head.id)) {
        writer.add_page(page).expect("add");
    }
    if cut {
        writer.leave_out(gone.iter().copied());
    }
    Manifest::new("t", writer.finish().expect("finish"))
}

/// Names of the shards of a subset.
fn names(manifest: &Manifest, subset: &str) -> BTreeSet<String> {
    manifest.shards().filter(|shard| shard.subset == subset).map(|shard| shard.path.clone()).collect()
}

#[test]
fn what_is_left_out_moves_no_other_shard() {
    let policy = ShardPolicy { shard_bytes: 150_000, row_group_bytes: 60_000, row_group_rows: 3 };
    let folder = || tempfile::tempdir().expect("a folder");
    let rows = pages();
    let (before, after, again) = (folder(), folder(), folder());
    let whole = write_without(before.path(), &rows, policy, &BTreeSet::new(), true);
    let train = &whole.subsets["pages"].splits["train"];
    assert!(train.len() > 3, "{train:?}");
    // All of the second shard, and one row of the third.
    let is_in = |shard: usize, id: &ItemId| (train[shard].min_id..=train[shard].max_id).contains(id);
    let is_train = |page: &&Item<Snapshot>| page.head.attributes.text(item::name::SPLIT) == Some("train");
    let ids: Vec<ItemId> = rows.iter().filter(is_train).map(|page| page.head.id).collect();
    let mut gone: BTreeSet<ItemId> = ids.iter().filter(|id| is_in(1, id)).copied().collect();
    gone.insert(train[2].min_id);

    let left = write_without(after.path(), &rows, policy, &gone, true);
    left.check(after.path()).expect("whole");
    let kept = names(&whole, "pages").intersection(&names(&left, "pages")).count();
    assert_eq!((kept, names(&left, "pages").len()), (names(&whole, "pages").len() - 2, kept + 1));
    assert_eq!(left.subsets["pages"].rows, 60 - gone.len() as u64);
    assert_eq!(left.subsets["meta"].rows, 60 - gone.len() as u64);
    let mut stands = BTreeSet::new();
    for shard in left.shards().filter(|shard| shard.subset == "pages") {
        let reader = ShardReader::open(&after.path().join(&shard.path)).expect("open");
        let ids: Vec<ItemId> = reader.pages(Columns::LIGHT).expect("open").map(|row| row.expect("own").id).collect();
        assert_eq!((ids.first(), ids.last()), (Some(&shard.min_id), Some(&shard.max_id)));
        assert!(ids.is_sorted() && ids.len() as u64 == shard.rows);
        stands.extend(ids);
    }
    assert!(stands.is_disjoint(&gone) && stands.len() + gone.len() == 60);
    let hidden: Vec<String> = files(after.path()).into_keys().filter(|name| name.contains("/.")).collect();
    assert!(hidden.is_empty(), "{hidden:?}");

    let mut reversed = rows;
    reversed.reverse();
    assert_eq!(write_without(again.path(), &reversed, policy, &gone, true), left);

    let everything = folder();
    let none = write_without(everything.path(), &reversed, policy, &stands.union(&gone).copied().collect(), true);
    assert_eq!((none.shards().count(), none.subsets["pages"].rows), (0, 0));
}

/// How many shards a takedown changes, where they are cut with the rows that go and where they are cut without them.
#[test]
fn few_shards_change() {
    let policy = ShardPolicy { shard_bytes: 2_000_000, row_group_bytes: 400_000, row_group_rows: 1000 };
    let rows = large((0..600).map(|number| (number, 0)));
    let folder = || tempfile::tempdir().expect("a folder");
    let whole = names(&write_without(folder().path(), &rows, policy, &BTreeSet::new(), true), "pages");
    let mut worst = 0;
    for number in [3, 50, 111, 222, 333, 444] {
        let gone = BTreeSet::from([rows[number].head.id]);
        let changed = |cut| {
            let left = names(&write_without(folder().path(), &rows, policy, &gone, cut), "pages");
            left.difference(&whole).count()
        };
        let (as_if, anew) = (changed(true), changed(false));
        println!("row {number} of 600: {as_if} of {} shards change; cut anew {anew}", whole.len());
        assert_eq!(as_if, 1);
        worst = worst.max(anew);
    }
    assert!(worst > 1, "cutting anew would do");
}
