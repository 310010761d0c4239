//! One archive in every packing: the same records, whatever the pieces in which its bytes come.

mod common;

use std::io::{Cursor, Write};

use common::{Pieces, Random, corpus, entries_of, gzip, response};
use ingest::archive::RecordType;
use ingest::{DamageReason, Entry, Limits, WarcRecord};
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

/// Records of all sizes, some of them larger than a block of any packing.
fn members() -> Vec<Vec<u8>> {
    let mut random = Random(7);
    let sizes = [0, 1, 100, 5_000, 70_000, 300_000, 20, 1_000_000, 3];
    let body = |random: &mut Random, size: usize| (0..size).map(|_| b"ab\n<>"[random.below(5)]).collect::<Vec<u8>>();
    (sizes.iter().enumerate())
        .map(|(n, size)| response(&format!("https://a.example/{n}"), "", &body(&mut random, *size)))
        .collect()
}

fn records(entries: &[Entry]) -> Vec<&WarcRecord> {
    let mut records = Vec::new();
    for entry in entries {
        match entry {
            Entry::Record(record) => records.push(record),
            Entry::Damage(damage) => panic!("{damage}"),
        }
    }
    records
}

fn check(packed: &[u8], what: &str) {
    let whole = entries_of(Cursor::new(packed.to_vec()), Limits::default());
    let expected = members();
    let found = records(&whole);
    assert_eq!(found.len(), expected.len(), "{what}");
    for (record, member) in found.iter().zip(&expected) {
        assert!(member.ends_with(&[&record.block[..], b"\r\n\r\n"].concat()), "{what}");
        assert_eq!(record.record_type, RecordType::Response, "{what}");
    }
    for seed in 0..6 {
        let pieces = Pieces::new(packed.to_vec(), seed, [1, 3, 100, 5_000, 70_000, 400_000][seed as usize]);
        // A byte at a time takes its time over a megabyte; one seed of it is enough.
        if seed > 0 || packed.len() < 200_000 {
            assert!(entries_of(pieces, Limits::default()) == whole, "{what}, seed {seed}");
        }
    }
}

fn lz4(info: &FrameInfo, bytes: &[u8]) -> Vec<u8> {
    let mut encoder = FrameEncoder::with_frame_info(info.clone(), Vec::new());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("a frame")
}

#[test]
fn lz4_in_all_its_forms() {
    let plain = FrameInfo::new();
    let checked = FrameInfo::new().block_checksums(true).content_checksum(true);
    for (info, what) in [
        (plain.clone().block_size(BlockSize::Max64KB), "64 KiB"),
        (plain.clone().block_size(BlockSize::Max4MB), "4 MiB"),
        (plain.clone().block_size(BlockSize::Max64KB).block_mode(BlockMode::Linked), "linked"),
        (checked.block_size(BlockSize::Max256KB), "checksums"),
    ] {
        let each: Vec<u8> = members().iter().flat_map(|member| lz4(&info, member)).collect();
        check(&each, what);
        check(&lz4(&info, &members().concat()), &format!("{what}, one frame"));
        let sized: Vec<u8> = (members().iter())
            .flat_map(|member| lz4(&info.clone().content_size(Some(member.len() as u64)), member))
            .collect();
        check(&sized, &format!("{what}, sizes"));
    }
}

#[test]
fn damage_in_a_frame_costs_that_frame() {
    let info = FrameInfo::new().block_checksums(true).block_size(BlockSize::Max64KB);
    let frames: Vec<Vec<u8>> = members().iter().map(|member| lz4(&info, member)).collect();
    let start: usize = frames[..3].iter().map(Vec::len).sum();
    let mut bytes = frames.concat();
    bytes[start + 40] ^= 1;
    let entries = entries_of(Cursor::new(bytes.clone()), Limits::default());
    let damages: Vec<_> = entries.iter().filter(|entry| matches!(entry, Entry::Damage(_))).collect();
    assert!(matches!(&damages[..], [Entry::Damage(damage)] if damage.offset == start as u64), "{damages:?}");
    assert_eq!(entries.len(), frames.len());
    let cut = entries_of(Cursor::new(bytes[..start].to_vec()), Limits::default());
    assert_eq!(records(&cut).len(), 3);
    let cut = entries_of(Cursor::new(bytes[..start - 5].to_vec()), Limits::default());
    let is_cut = matches!(cut.last(), Some(Entry::Damage(damage)) if damage.reason == DamageReason::Cut
        || damage.reason == DamageReason::CutAfterRecord);
    assert!(is_cut, "{:?}", cut.last());
}

/// An entry of a zip: method, sizes behind the data or in the header.
fn zip_entry(name: &str, method: u16, data: &[u8], sizes_behind: bool) -> Vec<u8> {
    let size = data.len() as u32;
    let in_header = if sizes_behind { 0 } else { size };
    let mut bytes = b"PK\x03\x04\x14\0".to_vec();
    bytes.extend_from_slice(&(if sizes_behind { 8_u16 } else { 0 }).to_le_bytes());
    bytes.extend_from_slice(&method.to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&in_header.to_le_bytes());
    bytes.extend_from_slice(&in_header.to_le_bytes());
    bytes.extend_from_slice(&(name.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(data);
    if sizes_behind {
        bytes.extend_from_slice(b"PK\x07\x08\0\0\0\0");
        bytes.extend_from_slice(&size.to_le_bytes());
        bytes.extend_from_slice(&size.to_le_bytes());
    }
    bytes
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

#[test]
fn a_zip_gives_the_archives_in_it() {
    let end = b"PK\x01\x02 and so on PK\x05\x06".to_vec();
    let page_list = zip_entry("pages/pages.jsonl", 8, &deflate(b"{} {} {}"), false);
    let index = |behind| zip_entry("indexes/index.cdx.gz", 0, &gzip(b"WARC/1.0\r\nWARC-Type: x\r\n"), behind);
    let packed: Vec<u8> = members().iter().flat_map(|member| gzip(member)).collect();
    for behind in [false, true] {
        let entry = zip_entry("archive/data.warc.gz", 0, &packed, behind);
        check(&[index(behind), entry, page_list.clone(), end.clone()].concat(), &format!("gzip, {behind}"));
        let entry = zip_entry("archive/data.warc", 8, &deflate(&members().concat()), behind);
        check(&[index(behind), entry, page_list.clone(), end.clone()].concat(), &format!("deflated, {behind}"));
    }
    let plain = zip_entry("archive/data.warc", 0, &members().concat(), false);
    check(&[page_list.clone(), plain, index(false), end.clone()].concat(), "plain");
    let (some, rest) = (members()[..4].concat(), members()[4..].concat());
    let two = [zip_entry("a.warc", 0, &some, false), zip_entry("b.warc", 0, &rest, false), end.clone()];
    check(&two.concat(), "two archives");
    let none = entries_of(Cursor::new([index(false), page_list, end].concat()), Limits::default());
    assert!(matches!(&none[..], [Entry::Damage(damage)] if damage.to_string().contains("zip without")), "{none:?}");
}

#[test]
fn a_real_wacz_has_the_records_of_its_archive() {
    let Some(corpus) = corpus() else { return };
    let bytes = std::fs::read(corpus.join("odd/pywb-valid_example_1.wacz")).expect("a file of the corpus");
    let name = b"archive/example-collection.warc";
    let start = bytes.windows(name.len()).position(|part| part == name).expect("its header") + name.len();
    let inner = bytes[start..start + 2730].to_vec();
    let inside = entries_of(Cursor::new(inner), Limits::default());
    let whole = entries_of(Cursor::new(bytes), Limits::default());
    assert!(!inside.is_empty());
    let (inside, whole) = (records(&inside), records(&whole));
    assert_eq!(inside.len(), whole.len());
    for (inside, whole) in inside.iter().zip(whole) {
        assert_eq!((inside.offset + start as u64, &inside.block), (whole.offset, &whole.block));
    }
}
