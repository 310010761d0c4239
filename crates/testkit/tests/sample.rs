//! The committed archives are what the sources give.
//!
//! Compared are records, not files: deflate may compress differently from version to version and from processor to
//! processor, and none of that should fail anyone's build.

use std::io::Read as _;
use testkit::sample::{ASSETS_FILE, PAGES_FILE, Sample, folder};
use testkit::warc::WarcBuilder;

/// How each member begins: the fixed gzip header of the builder. Long enough never to occur inside a member.
const MEMBER_HEAD: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff];

/// The two archives are in git, and everybody clones them.
const ARCHIVES_BYTES_MAX: u64 = 1_500_000;

#[test]
fn sample_is_up_to_date() {
    let sample = Sample::read(&folder()).unwrap();
    check(PAGES_FILE, &sample.pages, 1);
    check(ASSETS_FILE, &sample.assets, 0);
}

#[test]
fn sample_is_small() {
    let bytes: u64 =
        [PAGES_FILE, ASSETS_FILE].iter().map(|name| std::fs::metadata(folder().join(name)).unwrap().len()).sum();
    assert!(bytes < ARCHIVES_BYTES_MAX, "{bytes} bytes");
}

fn check(file: &str, expected: &WarcBuilder, expected_damaged: usize) {
    let archive = std::fs::read(folder().join(file)).expect("the archive is in git");
    let starts: Vec<usize> =
        (0..archive.len()).filter(|&at| archive[at..].starts_with(MEMBER_HEAD)).chain([archive.len()]).collect();
    assert_eq!(starts[0], 0);
    let expected: Vec<&[u8]> = expected.plain_records().collect();
    assert_eq!(starts.len() - 1, expected.len(), "{file}: number of records; run make-sample");

    let mut damaged = 0;
    for (range, expected) in starts.windows(2).zip(expected) {
        let mut record = Vec::new();
        let whole = flate2::bufread::MultiGzDecoder::new(&archive[range[0]..range[1]]).read_to_end(&mut record).is_ok();
        let is_same = if whole { record == expected } else { expected.starts_with(&record) };
        damaged += usize::from(!whole);
        let title = String::from_utf8_lossy(&expected[..expected.len().min(300)]);
        assert!(is_same, "{file} is older than its sources at this record; run make-sample\n{title}");
    }
    assert_eq!(damaged, expected_damaged, "{file}: damaged records");
}
