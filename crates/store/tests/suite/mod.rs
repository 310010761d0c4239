//! What every store has to do, whatever it is made of.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Barrier;

use store::{BlobInfo, BlobName, Store, StoreError};

/// Numbers that look like chance and are the same in every run.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.below(300);
        (0..length).map(|_| self.below(256) as u8).collect()
    }
}

const FOLDERS: &[&str] = &["a", "a/b", "ab", "a=1/b_2.c-3"];

fn name(chance: &mut Chance) -> BlobName {
    let folder = FOLDERS[chance.below(FOLDERS.len() as u64) as usize];
    BlobName::new(format!("{folder}/{}.x", chance.below(4))).expect("a good name")
}

/// Random operations, each of which does to the store what it does to a map.
pub(crate) fn does_what_a_map_does(store: &dyn Store, seed: u64, operations: usize) {
    let (mut chance, mut map) = (Chance::new(seed), BTreeMap::<BlobName, Vec<u8>>::new());
    for step in 0..operations {
        let name = name(&mut chance);
        let there = map.get(&name).cloned();
        let context = format!("seed {seed}, step {step}, `{name}`");
        match chance.below(10) {
            0 | 1 => {
                let bytes = chance.bytes();
                store.put(&name, &bytes).expect("written");
                map.insert(name, bytes);
            }
            2 | 3 => {
                let bytes = chance.bytes();
                let is_first = store.put_if_absent(&name, &bytes).expect("tried");
                assert_eq!(is_first, there.is_none(), "{context}");
                map.entry(name).or_insert(bytes);
            }
            4 => {
                let bytes = chance.bytes();
                let scratch = store.scratch().expect("a folder");
                let file = scratch.path().join("file");
                fs::write(&file, &bytes).expect("written");
                store.put_file(&name, &file).expect("published");
                assert!(!file.exists(), "{context}");
                map.insert(name, bytes);
            }
            5 => {
                store.delete(&name).expect("removed");
                map.remove(&name);
            }
            6 => {
                let bytes = there.as_ref().map(|bytes| bytes.len() as u64);
                assert_eq!(store.size(&name).expect("looked at"), bytes, "{context}");
                check_reads(store, &name, there.as_deref(), &mut chance, &context);
            }
            7 => check_reads(store, &name, there.as_deref(), &mut chance, &context),
            8 => match (store.local_path(&name), there) {
                (Ok(path), Some(bytes)) => assert_eq!(fs::read(&path).expect("a file"), bytes, "{context}"),
                (Err(StoreError::NotFound { .. }), None) => {}
                (other, _) => panic!("{context}: {other:?}"),
            },
            _ => {
                let folder = ["", "a", "a/b", "ab", "none"][chance.below(5) as usize];
                check_list(store, folder, &map, &context);
            }
        }
    }
    for folder in FOLDERS {
        check_list(store, folder, &map, "at the end");
    }
    check_folder(store, &map);
}

fn check_reads(store: &dyn Store, name: &BlobName, there: Option<&[u8]>, chance: &mut Chance, context: &str) {
    let start = chance.below(320);
    let range = start..start + chance.below(320);
    let read = [store.get(name), store.get_range(name, range.clone())];
    let Some(bytes) = there else {
        let is_missing = |read: &Result<Vec<u8>, StoreError>| matches!(read, Err(StoreError::NotFound { .. }));
        assert!(read.iter().all(is_missing), "{context}: {read:?}");
        return;
    };
    let cut = |at: u64| (at as usize).min(bytes.len());
    let expected = [bytes, &bytes[cut(range.start)..cut(range.end)]];
    for (read, expected) in read.into_iter().zip(expected) {
        assert_eq!(read.expect("read"), expected, "{context}, {range:?}");
    }
}

fn check_list(store: &dyn Store, folder: &str, map: &BTreeMap<BlobName, Vec<u8>>, context: &str) {
    let is_in = |name: &BlobName| folder.is_empty() || name.as_str().starts_with(&format!("{folder}/"));
    let info = |(name, bytes): (&BlobName, &Vec<u8>)| BlobInfo { name: name.clone(), bytes: bytes.len() as u64 };
    let expected: Vec<BlobInfo> = map.iter().filter(|(name, _)| is_in(name)).map(info).collect();
    let mut listed = store.list(folder).expect("listed");
    // Its own record of the format is a blob as well.
    listed.retain(|blob| blob.name.as_str() != "store.json");
    assert_eq!(listed, expected, "{context}, `{folder}`");
}

fn check_folder(store: &dyn Store, map: &BTreeMap<BlobName, Vec<u8>>) {
    let folder = store.local_folder("a").expect("a folder");
    for (name, bytes) in map {
        let Some(rest) = name.as_str().strip_prefix("a/") else { continue };
        assert_eq!(&fs::read(folder.join(rest)).expect("a file"), bytes, "{name}");
    }
}

/// Of many writers exactly one wins, and what is there is the winner's; also where all write the same.
pub(crate) fn one_of_many_writers_wins(store: &dyn Store, rounds: u8) {
    const WRITERS: u8 = 8;
    for round in 0..rounds {
        let name = BlobName::new(format!("race/{round}")).expect("a good name");
        let is_same = round % 2 == 0;
        let start = Barrier::new(usize::from(WRITERS));
        let write = |writer: u8| {
            let bytes = if is_same { [0] } else { [writer] };
            start.wait();
            store.put_if_absent(&name, &bytes).expect("tried").then_some(writer)
        };
        let winners: Vec<u8> = std::thread::scope(|scope| {
            let write = &write;
            let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
            writers.into_iter().filter_map(|writer| writer.join().expect("no panic")).collect()
        });
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        let expected = if is_same { [0] } else { [winners[0]] };
        assert_eq!(store.get(&name).expect("the winner's"), expected);
    }
}

/// A file of many bytes is the same when it comes back, whole, in ranges, and on this machine.
pub(crate) fn large_files_come_back(store: &dyn Store, bytes: usize) {
    let scratch = store.scratch().expect("a folder");
    let (file, mut chance) = (scratch.path().join("large"), Chance::new(bytes as u64));
    let block: Vec<u8> = (0..65_521).map(|_| chance.below(256) as u8).collect();
    let content: Vec<u8> = block.iter().copied().cycle().take(bytes).collect();
    fs::write(&file, &content).expect("written");
    let name = BlobName::join(&["large", "file"]);
    store.put_file(&name, &file).expect("published");
    assert_eq!(store.size(&name).expect("looked at"), Some(bytes as u64));
    assert!(store.get(&name).expect("read") == content);
    assert!(fs::read(store.local_path(&name).expect("a file")).expect("read") == content);
    let middle = bytes as u64 / 2;
    let range = store.get_range(&name, middle..middle + 10_000).expect("read");
    assert!(range == content[bytes / 2..(bytes / 2 + 10_000).min(bytes)]);
}
