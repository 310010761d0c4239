//! Damage made on the spot: what it costs, and that nothing depends on how the bytes come in.

mod common;

use std::io::{self, Read};

use common::{Pieces, Random, entries_of, gzip, record, response};
use ingest::{
    ArchiveReader, AssetIndex, CaptureOutcome, CapturePolicy, CaptureReader, DamageReason, Entry, EntrySummary, Limits,
};
use item::{CharsetSource, FailureClass, name};
use proptest::prelude::*;

const HTML: &str = "Content-Type: text/html\r\n";

/// A few records, each in every packing that there is.
fn archives() -> Vec<Vec<u8>> {
    let body = "<p>one two three</p>".repeat(200);
    let records: Vec<Vec<u8>> = vec![
        record("warcinfo", "", b"software: test\r\n"),
        response("https://a.example/", HTML, body.as_bytes()),
        response("https://b.example/", HTML, b""),
        response("https://c.example/", "", b"plain"),
    ];
    let plain = records.concat();
    let members: Vec<u8> = records.iter().flat_map(|record| gzip(record)).collect();
    let broken = {
        let mut bytes = members.clone();
        let middle = gzip(&records[0]).len() + 60;
        bytes[middle] ^= 0x55;
        bytes
    };
    let arc =
        b"filedesc://x.arc 0.0.0.0 20080430204825 text/plain 62\n1 0 X\nURL IP-address Archive-date Content-type \
        Archive-length\n\nhttp://a.example/ 1.2.3.4 20080430204825 text/html 21\nHTTP/1.1 200 OK\n\n<p>x\n\
        http://b.example/ 1.2.3.4 20080430204825 text/html 21\nHTTP/1.1 200 OK\n\n<p>y\n";
    let frames: Vec<u8> = records.iter().flat_map(|record| zstd::encode_all(&record[..], 3).expect("memory")).collect();
    vec![
        arc.to_vec(),
        gzip(arc),
        frames,
        gzip(&plain),
        [&plain[..], &members, b"garbage", &members].concat(),
        [&members[..members.len() - 9]].concat(),
        [gzip(&plain[..300]), gzip(&plain[300..])].concat(),
        broken,
        plain,
        members,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn entries_do_not_depend_on_how_bytes_come_in(which in 0..10usize, seed: u64, max in 1..5000usize, flip: Option<u16>) {
        let mut bytes = archives().swap_remove(which);
        if let Some(at) = flip {
            let at = usize::from(at) % bytes.len();
            bytes[at] ^= 0x10;
        }
        let whole = entries_of(io::Cursor::new(bytes.clone()), Limits::default());
        let pieces = entries_of(Pieces::new(bytes, seed, max), Limits::default());
        prop_assert_eq!(whole, pieces);
    }
}

#[test]
fn mutated_archives_neither_panic_nor_hang() {
    let archives = archives();
    let mut random = Random(7);
    let limits = Limits { block_bytes_max: 1 << 20, header_bytes_max: 4096, ..Limits::default() };
    for case in 0..4000 {
        let mut bytes = archives[case % archives.len()].clone();
        for _ in 0..=random.below(6) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at] = random.next() as u8,
                1 => bytes.truncate(at.max(1)),
                2 => {
                    let piece = bytes[at..(at + 40).min(bytes.len())].to_vec();
                    let to = random.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
                _ => {
                    let end = (at + random.below(30)).min(bytes.len());
                    if end - at < bytes.len() {
                        bytes.drain(at..end);
                    }
                }
            }
        }
        let size = bytes.len() as u64;
        for entry in entries_of(io::Cursor::new(bytes.clone()), limits) {
            let summary = EntrySummary::of(&entry);
            assert!(summary.offset + summary.length <= size, "case {case}: {summary:?} in {size} bytes");
        }
        let archive = ArchiveReader::new(io::Cursor::new(bytes), "mutated", limits);
        assert!(CaptureReader::new(archive, CapturePolicy::default()).all(|outcome| outcome.is_ok()));
    }
}

fn damages(entries: &[Entry]) -> Vec<&DamageReason> {
    entries.iter().filter_map(|e| if let Entry::Damage(d) = e { Some(&d.reason) } else { None }).collect()
}

fn uris(entries: &[Entry]) -> Vec<&str> {
    entries.iter().filter_map(|e| if let Entry::Record(r) = e { r.uri() } else { None }).collect()
}

#[test]
fn large_records_are_skipped_and_small_ones_survive() {
    let mut random = Random(1); // what packs too well would be taken for a bomb
    let block: Vec<u8> = (0..300_000).map(|_| random.next() as u8).collect();
    let big = record("response", "https://big.example/", &block);
    let small = record("response", "https://small.example/", b"x");
    let limits = Limits { block_bytes_max: 100_000, ..Limits::default() };
    for bytes in [[&big[..], &small].concat(), [gzip(&big), gzip(&small)].concat(), gzip(&[&big[..], &small].concat())]
    {
        let entries = entries_of(io::Cursor::new(bytes), limits);
        assert_eq!(uris(&entries), ["https://small.example/"]);
        assert_eq!(damages(&entries), [&DamageReason::Oversize { bytes: 300_000, limit: 100_000 }]);
    }
}

#[test]
fn a_bomb_costs_itself() {
    let bomb = gzip(&[&record("response", "https://b.example/", b"x")[..], &vec![b'\n'; 30_000_000]].concat());
    let after = gzip(&record("response", "https://after.example/", b"x"));
    let limits = Limits { block_bytes_max: 1_000_000, ..Limits::default() };
    let entries = entries_of(io::Cursor::new([bomb, after].concat()), limits);
    assert_eq!(uris(&entries), ["https://after.example/"]);
    assert_eq!(damages(&entries), [&DamageReason::Bomb { ratio: 200 }]);
}

#[test]
fn a_version_that_is_none_is_passed_over() {
    // What is looked for behind damage has to be what is read there: else the reader finds the same place for ever.
    let odd = b"WARC/.01\r\nWARC-Type: response\r\nContent-Length: 1\r\n\r\nx\r\n\r\n".to_vec();
    let sound = record("response", "https://a.example/", b"x");
    for before in [Vec::new(), sound.clone()] {
        let entries = entries_of(io::Cursor::new([&before[..], &odd, &sound].concat()), Limits::default());
        assert_eq!(uris(&entries).len(), 1 + before.len().min(1), "{entries:?}");
        assert_eq!(damages(&entries), [&DamageReason::Garbage]);
    }
}

#[test]
fn a_file_that_is_all_damage_is_given_up() {
    let limits = Limits { damages_max: 10, ..Limits::default() };
    let entries = entries_of(io::Cursor::new(b"WARC/1.0\r\nA: b\r\n\r\n".repeat(1000)), limits);
    assert_eq!(entries.len(), 12);
    assert_eq!(damages(&entries).last(), Some(&&DamageReason::GivenUp { limit: 10 }));
}

#[test]
fn trouble_of_the_world_is_an_error_not_damage() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let start = io::Cursor::new(record("warcinfo", "", b"x"));
    let mut reader = ArchiveReader::new(start.chain(Fails), "x.warc", Limits::default());
    assert!(reader.any(|entry| entry.is_err()), "the error comes out");
    assert!(reader.next().is_none(), "and nothing behind it");
}

fn outcome(bytes: Vec<u8>) -> CaptureOutcome {
    let archive = ArchiveReader::new(io::Cursor::new(bytes), "x.warc", Limits::default());
    let policy = CapturePolicy { crawl: "CC-MAIN-2024-22".to_owned(), ..CapturePolicy::default() };
    CaptureReader::new(archive, policy).next().expect("an outcome").expect("readable")
}

#[test]
fn captures_are_whole() {
    let header = "content-type: Text/HTML; charset=latin1\r\nX-Robots-Tag: NoIndex, nofollow\r\n";
    let outcome = outcome(response("<https://www.example.co.uk/a b>", header, b"<p>gr\xfcn"));
    let CaptureOutcome::Capture(item) = outcome else { panic!("{outcome:?}") };
    assert_eq!(item.body.html, "<p>gr\u{fc}n");
    assert_eq!((item.body.charset.as_str(), item.body.charset_source), ("windows-1252", CharsetSource::Http));
    assert_eq!((item.body.status, item.body.mime.as_str(), item.body.truncated), (200, "text/html", false));
    let provenance = &item.head.provenance;
    assert_eq!(provenance.url, "https://www.example.co.uk/a b");
    assert_eq!(provenance.domain, "example.co.uk");
    assert_eq!(provenance.crawl, "CC-MAIN-2024-22");
    assert_eq!(provenance.warc_filename, "x.warc");
    assert_eq!(provenance.fetched_at, "2024-05-18T01:58:10Z");
    assert_eq!(item.head.attributes.text(name::ROBOTS), Some("noindex,nofollow"));
    assert_eq!(item.head.attributes.text(name::CHARSET_SOURCE), Some("http"));
}

#[test]
fn what_is_no_page_says_why() {
    let check = |bytes: Vec<u8>, expected: &str| {
        let got = match outcome(bytes) {
            CaptureOutcome::Capture(_) => "captured".to_owned(),
            CaptureOutcome::Rejected(_, rejection) => rejection.rule.name.to_owned(),
            CaptureOutcome::Failed(_, failure) => failure.class.name().to_owned(),
            CaptureOutcome::Skipped(kind) => kind,
        };
        assert_eq!(got, expected);
    };
    let uri = "https://a.example/";
    check(response(uri, HTML, b"<p>"), "captured");
    check(response(uri, "", b"<!doctype html><p>"), "captured");
    check(response(uri, "", b"plain"), "not-html");
    check(response(uri, "Content-Type: image/png\r\n", b"<p>"), "not-html");
    check(response(uri, HTML, b"\xff\xd8\xff\xe0\0\x10JFIF"), "not-html");
    check(response(uri, HTML, b" \n"), "empty-payload");
    check(record("response", uri, b"HTTP/1.1 404 Not Found\r\n\r\n<p>"), "error-status");
    check(record("response", uri, b"<p>"), FailureClass::Decode.name());
    check(record("request", uri, b"GET / HTTP/1.1\r\n\r\n"), "request");
    check(record("revisit", uri, b"HTTP/1.1 200 OK\r\n\r\n"), "revisit");
    check(b"WARC/1.0\r\nWARC-Type: response\r\n\r\n".to_vec(), FailureClass::Damaged.name());
}

#[test]
fn damage_names_file_place_reason_and_remedy() {
    let CaptureOutcome::Failed(head, failure) = outcome(b"\x02\x21\x4c\x18 lz4".to_vec()) else { panic!("not failed") };
    assert_eq!(head.id, item::ItemId::of_place("x.warc", 0));
    let expected = "archive `x.warc` is damaged at byte 0: the file is LZ4 of the legacy form, \
                    which is not supported; repack it with `lz4`";
    assert_eq!(failure.message, expected);
}

#[test]
fn assets_are_found_by_url_whatever_file_they_lie_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let css = |uri: &str, body: &[u8]| response(uri, "Content-Type: text/css\r\n", body);
    let (a, b) = (css("https://a.example/a.css", b"a{}"), css("https://a.example/b.css#x", b"b{}"));
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    };
    let apart = [write("1.warc", &a), write("2.warc.gz", &gzip(&b))];
    let together = [write("3.warc.gz", &gzip(&[&a[..], &b].concat()))];
    let apart = AssetIndex::build(&apart, Limits::default()).expect("sound");
    let together = AssetIndex::build(&together, Limits::default()).expect("sound");
    assert_eq!(apart.digest(), together.digest());
    for index in [apart, together] {
        let get = |url: &str| index.get(url).expect("readable").map(|asset| asset.bytes);
        assert_eq!(get("https://a.example/a.css").as_deref(), Some(&b"a{}"[..]));
        assert_eq!(get("https://a.example/a.css#part").as_deref(), Some(&b"a{}"[..]));
        assert_eq!(get("https://a.example/b.css#x").as_deref(), Some(&b"b{}"[..]));
        assert_eq!(get("https://a.example/c.css"), None);
    }
}
