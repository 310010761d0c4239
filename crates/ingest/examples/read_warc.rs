//! Reads WARC files and counts: `read_warc [records|captures|list] FILE...`.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::collections::BTreeMap;
use std::time::Instant;

use ingest::{ArchiveReader, CaptureOutcome, CapturePolicy, CaptureReader, Entry, EntrySummary, Limits};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    for path in arguments {
        let start = Instant::now();
        let packed_bytes = std::fs::metadata(&path)?.len();
        let archive = ArchiveReader::open(&path, Limits::default())?;
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let mut bytes = 0;
        if mode == "captures" {
            for outcome in CaptureReader::new(archive, CapturePolicy::default()) {
                let name = match outcome? {
                    CaptureOutcome::Capture(item) => {
                        bytes += item.body.html.len();
                        "captured".to_owned()
                    }
                    CaptureOutcome::Rejected(_, rejection) => rejection.rule.name.to_owned(),
                    CaptureOutcome::Failed(_, failure) => failure.message,
                    CaptureOutcome::Skipped(kind) => format!("skipped {kind}"),
                };
                *counts.entry(name).or_default() += 1;
            }
        } else {
            for entry in archive {
                let entry = entry?;
                if mode == "list" {
                    println!("{:?}", EntrySummary::of(&entry));
                }
                let name = match entry {
                    Entry::Record(record) => {
                        bytes += record.block.len();
                        record.record_type.to_string()
                    }
                    Entry::Damage(damage) => format!("damage {damage}"),
                };
                *counts.entry(name).or_default() += 1;
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        let entries: u64 = counts.values().sum();
        println!(
            "{path}: {entries} entries in {seconds:.3} s: {:.0}/s, {:.1} MB/s packed, {:.1} MB/s unpacked",
            entries as f64 / seconds,
            packed_bytes as f64 / 1e6 / seconds,
            bytes as f64 / 1e6 / seconds,
        );
        for (name, count) in counts {
            println!("  {count} {name}");
        }
    }
    Ok(())
}
