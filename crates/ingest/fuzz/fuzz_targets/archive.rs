//! Any bytes as an archive: no panic, no hang, places inside of the file, and threads change nothing.

#![no_main]

use std::io::Cursor;

use ingest::{ArchiveReader, CapturePolicy, CaptureReader, Entry, EntrySummary, Limits, ParallelRead};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { block_bytes_max: 1 << 20, payload_bytes_max: 1 << 20, ..Limits::default() };
    let source = || Cursor::new(bytes.to_vec());
    let entries: Vec<Entry> =
        ArchiveReader::new(source(), "fuzz", limits).map(|entry| entry.expect("memory")).collect();
    for entry in &entries {
        let summary = EntrySummary::of(entry);
        assert!(summary.offset + summary.length <= bytes.len() as u64, "{summary:?}");
    }
    // Starting threads takes longer than all else, so some inputs have to do.
    if bytes.len() % 16 == 0 {
        threads_change_nothing(source(), limits, &entries);
    }
    let captures = CaptureReader::new(ArchiveReader::new(source(), "fuzz", limits), CapturePolicy::default());
    assert!(captures.into_iter().all(|outcome| outcome.is_ok()));
});

fn threads_change_nothing(source: Cursor<Vec<u8>>, limits: Limits, entries: &[Entry]) {
    let mut threaded = Vec::new();
    let read = ParallelRead { name: "fuzz".to_owned(), limits, threads: 2 };
    let take = |entry| {
        threaded.push(entry);
        true
    };
    read.run(source, |entry| entry, take).expect("memory");
    assert!(entries == threaded, "threads change the entries");
}
