//! Any bytes as lines of an index: no panic, no hang; and ranges that hold what is wanted.

#![no_main]

use ingest::index::{CdxjReader, IndexSelection, RANGE_BYTES_MAX, RANGE_GAP_BYTES, coalesce};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let rows: Vec<_> = CdxjReader::new(bytes).filter_map(Result::ok).collect();
    let selection = IndexSelection { urls: vec!["*a*b*".to_owned()], ..IndexSelection::default() };
    for row in &rows {
        selection.takes(row);
    }
    let places = rows.iter().map(|row| (row.offset, row.length));
    for range in coalesce(places, RANGE_GAP_BYTES, RANGE_BYTES_MAX) {
        assert!(range.wanted.iter().all(|offset| range.bytes.start <= *offset && *offset <= range.bytes.end));
    }
});
