//! Publishing to a folder and to a bucket.

use std::collections::BTreeMap;
use std::path::Path;

use crate::stub::{PATIENCE, StubBucket, card, dataset, sha256};
use publish::{BucketShelf, FolderShelf, Outcome, Publication, S3Access, Shelf, publish_to_shelf};

fn publish(shelf: &dyn Shelf, publication: &Publication) -> Outcome {
    publish_to_shelf(shelf, publication, &card, false, &()).expect("published")
}

fn wanted(publication: &Publication) -> BTreeMap<String, String> {
    let files = publication.data.iter().chain(&publication.documents);
    let mut wanted: BTreeMap<String, String> = files.map(|file| (file.name.clone(), file.sha256.clone())).collect();
    wanted.insert("README.md".to_owned(), sha256(card(None).as_bytes()));
    wanted
}

fn below(folder: &Path) -> BTreeMap<String, String> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                found.insert(name, sha256(&std::fs::read(&path).expect("a file")));
            }
        }
    }
    found
}

/// A larger set, the same again, then a smaller one.
fn replaced(shelf: &dyn Shelf, shown: &dyn Fn() -> BTreeMap<String, String>) {
    let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (large, small) = (dataset(one.path(), 60), dataset(two.path(), 12));
    let planned = publish_to_shelf(shelf, &large, &card, true, &()).expect("a plan");
    assert!(shown().is_empty(), "a plan writes nothing");
    let first = publish(shelf, &large);
    assert_eq!((first.sent, &first), (large.data.len() + 3, &planned));
    assert_eq!(shown(), wanted(&large));
    assert_eq!(publish(shelf, &large).sent, 0);
    let second = publish(shelf, &small);
    assert!(second.removed > 0, "{second:?}");
    assert_eq!(shown(), wanted(&small));
}

#[test]
fn a_folder_is_a_target() {
    let target = tempfile::tempdir().expect("a folder");
    replaced(&FolderShelf(target.path().join("set")), &|| {
        if target.path().join("set").is_dir() { below(&target.path().join("set")) } else { BTreeMap::new() }
    });
}

#[test]
fn a_bucket_is_a_target() {
    let stub = StubBucket::start();
    let access = S3Access {
        region: "us-east-1".into(),
        endpoint: Some(stub.endpoint.clone()),
        key: "key".into(),
        secret: "secret".into(),
        token: None,
    };
    assert!(!format!("{access:?}").contains("secret"));
    let shelf = BucketShelf::open("s3://sets/demo", &access, PATIENCE, &()).expect("a bucket");
    stub.stumble(3);
    replaced(&shelf, &|| {
        let objects = stub.objects().into_iter();
        objects.map(|(path, content)| (path.replacen("/sets/demo/", "", 1), sha256(&content))).collect()
    });
}
