//! Several threads on one archive give what one gives, whatever the archive.

mod common;

use std::io::{self, Read};

use common::{Pieces, Random, corpus, entries_of, gzip, record, response};
use ingest::{Entry, Limits, ParallelRead};

fn parallel(source: impl Read + Send + 'static, limits: Limits) -> Vec<Entry> {
    let mut entries = Vec::new();
    let read = ParallelRead { name: "test.warc".to_owned(), limits, threads: 3 };
    let take = |entry| {
        entries.push(entry);
        true
    };
    read.run(source, |entry| entry, take).expect("the source never fails");
    entries
}

fn check(bytes: &[u8], limits: Limits, what: &str) {
    let one = entries_of(io::Cursor::new(bytes.to_vec()), limits);
    let many = parallel(io::Cursor::new(bytes.to_vec()), limits);
    let first = one.iter().zip(&many).position(|(a, b)| a != b);
    assert!(one == many, "{what}: {} entries and {}, other from {first:?}", one.len(), many.len());
}

/// Some megabytes that do not pack well, so that they make many batches.
fn archive(seed: u64, records: usize) -> Vec<Vec<u8>> {
    let mut random = Random(seed);
    let mut body = |bytes: usize| (0..bytes).map(|_| random.next() as u8).collect::<Vec<u8>>();
    (0..records)
        .map(|n| gzip(&response(&format!("https://a.example/{n}"), "", &body(20_000 + n % 7 * 9_000))))
        .collect()
}

#[test]
fn threads_change_nothing() {
    let members = archive(1, 60);
    let sound = members.concat();
    check(&sound, Limits::default(), "sound");
    check(&[], Limits::default(), "empty");
    check(&sound[..sound.len() - 100], Limits::default(), "cut");
    check(&[&sound[..], b"garbage behind the end"].concat(), Limits::default(), "garbage");
    check(&[&b"garbage before"[..], &sound].concat(), Limits::default(), "garbage before");
    check(
        &gzip(&[record("warcinfo", "", b"x"), response("https://a.example/", "", &sound)].concat()),
        Limits::default(),
        "one member",
    );
    // An archive inside of an archive, stored as it is: it can be cut where no record of the outer one starts.
    let nested = [members[0].clone(), gzip(&response("https://n.example/", "", &sound)), members[1].clone()].concat();
    check(&nested, Limits::default(), "nested");
    let small = Limits { block_bytes_max: 30_000, damages_max: 5, ..Limits::default() };
    check(&sound, small, "mostly too large, and given up");
    let pieces = parallel(Pieces::new(sound.clone(), 3, 70_000), Limits::default());
    assert!(pieces == entries_of(io::Cursor::new(sound), Limits::default()), "in pieces");
}

#[test]
fn damage_anywhere_is_the_same_damage() {
    let sound = archive(2, 40).concat();
    let mut random = Random(9);
    for case in 0..40 {
        let mut bytes = sound.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(3) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => drop(bytes.drain(at..(at + random.below(200_000)).min(bytes.len()))),
                _ => bytes[at..].iter_mut().take(5000).for_each(|byte| *byte = 0),
            }
        }
        check(&bytes, Limits::default(), &format!("case {case}"));
    }
}

#[test]
fn a_caller_that_stops_is_obeyed() {
    let sound = archive(3, 40).concat();
    let mut seen = 0;
    let read = ParallelRead { name: "test.warc".to_owned(), limits: Limits::default(), threads: 2 };
    let take = |()| {
        seen += 1;
        seen < 5
    };
    read.run(io::Cursor::new(sound), drop, take).expect("the source never fails");
    assert_eq!(seen, 5);
}

#[test]
fn archives_of_the_corpus_are_the_same_on_threads() {
    let Some(corpus) = corpus() else { return };
    for folder in ["warc", "odd"] {
        for file in std::fs::read_dir(corpus.join(folder)).expect("a folder") {
            let path = file.expect("a file").path();
            if path.is_file() {
                check(&std::fs::read(&path).expect("a file"), Limits::default(), &path.display().to_string());
            }
        }
    }
}
