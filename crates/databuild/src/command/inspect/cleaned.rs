//! `databuild inspect ARCHIVE --page URL [--diff]`: a page as cleaning leaves it, and what it takes away.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use clean::{Asset, Assets, CleanPolicy, ImagePolicy, Level, Removed};
use ingest::{AssetIndex, CaptureOutcome, CapturePolicy, CaptureReader, Limits};
use item::{Capture, Verdict};

use super::{Outcome, open};
use crate::cli::InspectArgs;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

struct Indexed(AssetIndex);

impl Assets for Indexed {
    fn get(&self, url: &str) -> Option<Asset> {
        let asset = self.0.get(url).ok().flatten()?;
        Some(Asset { mime: asset.mime, bytes: asset.bytes })
    }
}

pub(super) fn page(args: &InspectArgs, url: &str, printer: Printer) -> Outcome {
    let capture = capture(args, url)?;
    let assets = AssetIndex::build(&args.assets, Limits::default()).map_err(CommandError::environment)?;
    let images = if args.assets.is_empty() { ImagePolicy::Placeholder } else { ImagePolicy::Inline };
    let level = Level::named(&args.level).unwrap_or_default();
    let policy = CleanPolicy { level, images, ..CleanPolicy::default() };
    let (verdict, removed) = clean::explain(&capture, url, &policy, &Indexed(assets));
    if args.diff {
        diff(args, &removed, printer);
    }
    match verdict {
        Verdict::Keep(kept) if args.diff => {
            printer.note(&format!("{} bytes captured, {} left", capture.html.len(), kept.body.html.len()));
        }
        Verdict::Keep(kept) => _ = std::io::stdout().write_all(kept.body.html.as_bytes()),
        Verdict::Reject(rejection) => {
            let message = format!("keep `{url}`: `{}`, {}", rejection.rule.name, rejection.detail);
            return Err(
                CommandError::new(ExitStatus::CheckFailed, anyhow::anyhow!("{message}")).hint(rejection.rule.meaning)
            );
        }
        other => printer.note(&format!("{other:?}")),
    }
    Ok(())
}

fn capture(args: &InspectArgs, url: &str) -> Result<Capture, CommandError> {
    for outcome in CaptureReader::new(open(&args.path, 0)?, CapturePolicy::default()) {
        match outcome.map_err(CommandError::environment)? {
            CaptureOutcome::Capture(item) if item.head.provenance.url == url => return Ok(item.body),
            _ => {}
        }
    }
    let path: PathBuf = args.path.clone();
    Err(CommandError::usage(format!("find a page at `{url}` in `{}`", path.display()))
        .hint("`databuild inspect FILE` lists the addresses of all records"))
}

/// Sums by reason, then everything in the order in which it went.
fn diff(args: &InspectArgs, removed: &[Removed], printer: Printer) {
    if args.json {
        for Removed { why, what, bytes } in removed {
            printer.data(&serde_json::json!({ "what": what, "why": why, "bytes": bytes }).to_string());
        }
        return;
    }
    let mut sums: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for removed in removed {
        let (count, bytes) = sums.entry(removed.why).or_default();
        (*count, *bytes) = (*count + 1, *bytes + removed.bytes);
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, (_, bytes))| std::cmp::Reverse(*bytes));
    printer.data(&format!("{:>10} {:>7}  why", "bytes", "places"));
    for (why, (count, bytes)) in &sums {
        printer.data(&format!("{bytes:>10} {count:>7}  {why}"));
    }
    for (why, _) in sums {
        printer.data(&format!("\n{why}:"));
        for removed in removed.iter().filter(|removed| removed.why == why) {
            printer.data(&format!("{:>10}  {}", removed.bytes, removed.what));
        }
    }
}
