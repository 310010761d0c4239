//! The folder does what every store has to do.

mod suite;

use store::LocalStore;
use tempfile::TempDir;

fn store() -> (TempDir, LocalStore) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = LocalStore::open(folder.path()).expect("a store");
    (folder, store)
}

#[test]
fn it_does_what_a_map_does() {
    for seed in 0..8 {
        suite::does_what_a_map_does(&store().1, seed, 250);
    }
}

#[test]
fn one_of_many_writers_wins() {
    suite::one_of_many_writers_wins(&store().1, 20);
}

#[test]
fn large_files_come_back() {
    suite::large_files_come_back(&store().1, 3_000_001);
}
