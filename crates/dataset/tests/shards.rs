//! Shards: the same rows give the same bytes, in the layout that the Hub's readers expect.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{loss, page};
use dataset::{CheckError, Columns, FileSummary, Manifest, ShardPolicy, ShardReader, ShardSetWriter, SubsetManifest};
use item::{Item, Snapshot};

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
        assert!(shard.bytes < POLICY.shard_bytes + 60_000, "{} is {} bytes", shard.path, shard.bytes);
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
        assert_eq!(row.nodes, Some(3));
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
