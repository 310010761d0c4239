//! Cleans the pages of archives and says how fast: `clean_warc [--parse-only] FILE.warc.gz...`.
//!
//! With `--out DIR` before the files the cleaned pages are written there.
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use clean::{CleanPolicy, NoAssets, clean};
use ingest::{ArchiveReader, CaptureOutcome, CapturePolicy, CaptureReader, Limits};
use item::Verdict;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).peekable();
    let out = if arguments.peek().is_some_and(|argument| argument == "--out") {
        arguments.next();
        arguments.next().map(PathBuf::from)
    } else {
        None
    };
    let mut captures = Vec::new();
    for path in arguments {
        let archive = ArchiveReader::open(PathBuf::from(path), Limits::default())?;
        for outcome in CaptureReader::new(archive, CapturePolicy::default()) {
            if let CaptureOutcome::Capture(item) = outcome? {
                captures.push((item.head.provenance.url, item.body));
            }
        }
    }
    let bytes_in: usize = captures.iter().map(|(_, capture)| capture.html.len()).sum();
    let policy = CleanPolicy::default();
    let start = Instant::now();
    let verdicts: Vec<_> = captures.iter().map(|(url, capture)| clean(capture, url, &policy, &NoAssets)).collect();
    let seconds = start.elapsed().as_secs_f64();
    let mut bytes_out = 0;
    let mut kept = 0;
    for (index, verdict) in verdicts.iter().enumerate() {
        let Verdict::Keep(page) = verdict else { continue };
        kept += 1;
        bytes_out += page.body.html.len();
        if let Some(folder) = &out {
            std::fs::write(folder.join(format!("{index:05}.html")), &page.body.html)?;
        }
    }
    writeln!(
        std::io::stdout(),
        "{} pages, {kept} kept, {bytes_in} bytes in, {bytes_out} out, {seconds:.2} s, {:.1} MB/s",
        captures.len(),
        bytes_in as f64 / 1e6 / seconds,
    )?;
    Ok(())
}
