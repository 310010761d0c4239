//! Memory while archives with records of any size are read. One test, in a process of its own: what others hold would count.

mod common;

use std::io::{self, Cursor, Read, Write};

use common::{Random, gzip, record};
use flate2::Compression;
use flate2::write::GzEncoder;
use ingest::{ArchiveReader, DamageReason, Entry, Limits};

/// What one open archive may cost, with all that a process has anyway.
const MEMORY_MAX_KIB: u64 = 64 << 10;

const MIB: usize = 1 << 20;

/// Largest resident memory of this process so far.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A record of `bytes` bytes that are nowhere at once.
fn plain(bytes: usize) -> impl Read + Send + 'static {
    let header = format!("WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: {bytes}\r\n\r\n");
    let block = io::repeat(b'x').take(bytes as u64);
    Cursor::new(header).chain(block).chain(Cursor::new("\r\n\r\n"))
}

/// A member whose content is `piece` again and again, in a record that says how long it is, or something else.
fn packed(piece: &[u8], bytes: usize, says: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let header = format!("WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: {says}\r\n\r\n");
    encoder.write_all(header.as_bytes()).expect("memory");
    io::copy(&mut Pattern { piece: piece.to_vec(), at: 0 }.take(bytes as u64), &mut encoder).expect("memory");
    encoder.write_all(b"\r\n\r\n").expect("memory");
    encoder.finish().expect("memory")
}

struct Pattern {
    piece: Vec<u8>,
    at: usize,
}

impl Read for Pattern {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (self.piece.len() - self.at).min(buffer.len());
        buffer[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at = (self.at + count) % self.piece.len();
        Ok(count)
    }
}

/// Block sizes of records, and reasons of damages, one at a time.
fn read(source: impl Read + Send + 'static) -> (Vec<usize>, Vec<DamageReason>) {
    let (mut records, mut damages) = (Vec::new(), Vec::new());
    for entry in ArchiveReader::new(source, "test", Limits::default()) {
        match entry.expect("the source never fails") {
            Entry::Record(record) => records.push(record.block.len()),
            Entry::Damage(damage) => damages.push(damage.reason),
        }
    }
    (records, damages)
}

#[test]
fn an_open_archive_stays_below_64_mib() {
    let check = |what: &str| match peak_kib() {
        Some(peak) => assert!(peak < MEMORY_MAX_KIB, "{what}: {peak} KiB"),
        None => println!("skipped: this system does not say how much memory a process had"),
    };
    let small = || record("resource", "https://a.example/", b"small");

    let (records, damages) = read(plain(2048 * MIB).chain(Cursor::new(small())));
    assert_eq!((records, damages.len()), (vec![5], 1), "{damages:?}");
    check("a record of 2 GiB");

    for says in [512 * MIB, 1] {
        let bomb = [packed(&[b'\n'; 1024], 512 * MIB, says), gzip(&small())].concat();
        let (records, damages) = read(Cursor::new(bomb));
        let is_told = matches!(damages[..], [DamageReason::Oversize { .. } | DamageReason::Bomb { .. }]);
        assert!(records == [5] && is_told, "{records:?} {damages:?}");
        check("a bomb");
    }

    let mut random = Random(7);
    let noise: Vec<u8> = (0..1024).map(|_| random.next() as u8).collect();
    let large = packed(&noise, 30 * MIB, 30 * MIB).repeat(6);
    let (records, damages) = read(Cursor::new(large));
    assert_eq!((records, damages), (vec![30 * MIB; 6], vec![]));
    check("six records of 30 MiB");
}
