//! Near records are fetched together: a request costs more than some kilobytes that nobody wants.

use std::ops::Range;

/// Gap between two records over which they are fetched at once. 64 KiB: what a line carries in the time that a request
/// takes.
pub const RANGE_GAP_BYTES: u64 = 64 * 1024;
/// Bytes of one range, as long as it has more than one record: a broken one costs little.
pub const RANGE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Bytes of an archive that are fetched at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByteRange {
    /// Which bytes.
    pub bytes: Range<u64>,
    /// Offsets of the records in it that are wanted, ascending.
    pub wanted: Vec<u64>,
}

/// The ranges that hold these records (offset, length), ascending; records of no length are left out.
pub fn coalesce(records: impl IntoIterator<Item = (u64, u64)>, gap_bytes: u64, range_bytes_max: u64) -> Vec<ByteRange> {
    let mut records: Vec<(u64, u64)> = records.into_iter().filter(|(_, length)| *length > 0).collect();
    records.sort_unstable();
    records.dedup_by_key(|(offset, _)| *offset);
    let mut ranges: Vec<ByteRange> = Vec::new();
    for (offset, length) in records {
        let end = offset.saturating_add(length);
        if let Some(last) = ranges.last_mut()
            && offset <= last.bytes.end.saturating_add(gap_bytes)
            && end.saturating_sub(last.bytes.start) <= range_bytes_max
        {
            last.bytes.end = last.bytes.end.max(end);
            last.wanted.push(offset);
        } else {
            ranges.push(ByteRange { bytes: offset..end, wanted: vec![offset] });
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_records_share_a_range() {
        let check = |records: &[(u64, u64)], expected: &[(Range<u64>, &[u64])]| {
            let found = coalesce(records.iter().copied(), 10, 100);
            let found: Vec<_> = found.iter().map(|range| (range.bytes.clone(), &range.wanted[..])).collect();
            assert_eq!(found, expected, "{records:?}");
        };
        check(&[], &[]);
        check(&[(50, 10), (0, 10)], &[(0..10, &[0]), (50..60, &[50])]);
        check(&[(0, 10), (20, 10), (20, 10)], &[(0..30, &[0, 20])]);
        check(&[(0, 10), (21, 10)], &[(0..10, &[0]), (21..31, &[21])]);
        check(&[(0, 90), (90, 90)], &[(0..90, &[0]), (90..180, &[90])]);
        check(&[(0, 500)], &[(0..500, &[0])]);
        check(&[(0, 0)], &[]);
        check(&[(u64::MAX, 5)], &[(u64::MAX..u64::MAX, &[u64::MAX])]);
    }
}
