//! Reads archives and measures: `read_warc MODE FILE...`.
//!
//! Modes: `records` reads records; `http` parses their HTTP messages, too, and takes the payloads; `captures` makes
//! captures; `http2` and `captures2` do so on two threads; `list` prints what there is; `inflate` is the floor: the gzip
//! members decompressed from memory to memory, with their ends known.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::collections::BTreeMap;
use std::fs::File;
use std::time::{Duration, Instant};

use ingest::archive::RecordType;
use ingest::http::HttpResponse;
use ingest::{ArchiveReader, CaptureMaker, CaptureOutcome, CapturePolicy, Entry, EntrySummary, Limits, ParallelRead};

type Error = Box<dyn std::error::Error>;

/// What an entry is called, and how many bytes it gave.
type Counted = (String, usize);

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    for path in arguments {
        let (start, before) = (Instant::now(), cpu());
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let mut bytes = 0;
        let mut count = |(name, size): Counted| {
            *counts.entry(name).or_default() += 1;
            bytes += size;
            true
        };
        if mode == "inflate" {
            inflate(&path, &mut count)?;
        } else {
            read(&path, &mode, &mut count)?;
        }
        let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu().saturating_sub(before).as_secs_f64());
        let packed = std::fs::metadata(&path)?.len() as f64 / 1e6;
        let entries: u64 = counts.values().sum();
        println!(
            "{mode} cpu {cpu:.3} wall {wall:.3} comp_MB/s(cpu) {:.1} raw_MB/s(cpu) {:.1} records/s {:.0} entries {entries} peak_MB {}",
            packed / cpu,
            bytes as f64 / 1e6 / cpu,
            entries as f64 / cpu,
            peak_kib() / 1024,
        );
        if mode == "list" || mode == "captures" {
            for (name, count) in counts {
                println!("  {count} {name}");
            }
        }
    }
    Ok(())
}

fn read(path: &str, mode: &str, count: &mut impl FnMut(Counted) -> bool) -> Result<(), Error> {
    let limits = Limits::default();
    let maker = CaptureMaker { archive: path.to_owned(), limits, policy: CapturePolicy::default() };
    let plain = mode.trim_end_matches('2').to_owned();
    let make = move |entry: Entry| match plain.as_str() {
        "captures" => capture(&maker, entry),
        "http" => http(&entry, &limits),
        "list" => {
            println!("{:?}", EntrySummary::of(&entry));
            record(&entry)
        }
        _ => record(&entry),
    };
    if mode.ends_with('2') {
        let read = ParallelRead { name: path.to_owned(), limits, threads: 2 };
        read.run(File::open(path)?, make, count)?;
    } else {
        for entry in ArchiveReader::open(path, limits)? {
            count(make(entry?));
        }
    }
    Ok(())
}

fn record(entry: &Entry) -> Counted {
    match entry {
        Entry::Record(record) => (record.record_type.to_string(), record.block.len()),
        Entry::Damage(damage) => (format!("damage {damage}"), 0),
    }
}

fn http(entry: &Entry, limits: &Limits) -> Counted {
    let Entry::Record(record) = entry else { return record(entry) };
    let payload = match record.record_type {
        RecordType::Response => HttpResponse::parse(&record.block, limits).map_or(0, |http| http.payload.len()),
        _ => record.block.len(),
    };
    (record.record_type.to_string(), payload)
}

fn capture(maker: &CaptureMaker, entry: Entry) -> Counted {
    match maker.outcome(entry) {
        CaptureOutcome::Capture(item) => ("captured".to_owned(), item.body.html.len()),
        CaptureOutcome::Rejected(_, rejection) => (rejection.rule.name.to_owned(), 0),
        CaptureOutcome::Failed(_, failure) => (failure.message, 0),
        CaptureOutcome::Skipped(kind) => (format!("skipped {kind}"), 0),
    }
}

/// Decompresses all members from memory into one buffer, by the same library; where they end was found before.
fn inflate(path: &str, count: &mut impl FnMut(Counted) -> bool) -> Result<(), Error> {
    let mut places = Vec::new();
    for entry in ArchiveReader::open(path, Limits::default())? {
        if let Entry::Record(record) = entry? {
            places.push((record.offset as usize, record.length as usize));
        }
    }
    let bytes = std::fs::read(path)?;
    let mut out = vec![0; 64 << 20];
    let (start, before) = (Instant::now(), cpu());
    let mut total = 0;
    let mut deflate = libdeflater::Decompressor::new();
    for (offset, length) in places {
        let given = deflate.gzip_decompress(&bytes[offset..offset + length], &mut out)?;
        total += given;
        count(("member".to_owned(), given));
    }
    let (wall, cpu) = (start.elapsed(), cpu().saturating_sub(before));
    println!("floor cpu {:.3} wall {:.3} raw_MB {:.1}", cpu.as_secs_f64(), wall.as_secs_f64(), total as f64 / 1e6);
    Ok(())
}

/// Processor time of this process, as the system counts it, threads that have ended included.
fn cpu() -> Duration {
    /// Ticks in a second: the same on every Linux that runs this.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in brackets, may hold spaces; user and system time are the 12th and 13th field behind it.
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = behind_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    Duration::from_secs_f64(ticks.sum::<f64>() / TICKS)
}

/// Largest resident memory so far.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()).and_then(|text| text.parse().ok()).unwrap_or_default()
}
