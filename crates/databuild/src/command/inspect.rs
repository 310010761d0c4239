//! `databuild inspect PATH`: what is in a WARC or ARC file, a shard or a dataset.

mod cleaned;

use std::io::Write as _;
use std::path::Path;

use dataset::{Columns, DatasetError, FileSummary, ShardReader, Subset};
use ingest::archive::Exchanges;
use ingest::digest::{self, Verdict};
use ingest::{ArchiveReader, Entry, EntrySummary, Limits};
use item::ItemId;

use super::Outcome;
use super::verify::read_manifest;
use crate::cli::InspectArgs;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Looks at the path by what it is.
pub(crate) fn inspect(args: &InspectArgs, printer: Printer) -> Outcome {
    if args.path.is_dir() {
        return dataset(args, printer);
    }
    if let Some(url) = &args.page {
        return cleaned::page(args, url, printer);
    }
    let is_parquet = args.path.extension().is_some_and(|extension| extension == "parquet");
    match (is_parquet, args.offset) {
        (true, _) => shard(args, printer),
        (false, Some(offset)) => record(&args.path, offset),
        (false, None) => archive(args, printer),
    }
}

fn open(path: &Path, offset: u64) -> Result<ArchiveReader, CommandError> {
    ArchiveReader::open_at(path, offset, Limits::default()).map_err(|error| CommandError::new(ExitStatus::Usage, error))
}

fn archive(args: &InspectArgs, printer: Printer) -> Outcome {
    if !args.json {
        printer
            .data(&format!("{:>12} {:>10} {:<12} {:>6} {:<28} {}", "offset", "bytes", "type", "status", "mime", "uri"));
    }
    let (mut damaged, mut different) = (0, 0);
    let mut exchanges = Exchanges::default();
    for entry in open(&args.path, 0)? {
        let entry = entry.map_err(CommandError::environment)?;
        let summary = EntrySummary::of(&entry);
        damaged += u64::from(summary.damage.is_some());
        let digest = match &entry {
            Entry::Record(record) if args.digests => Some(digest::verify(record)),
            _ => None,
        };
        let partner = match &entry {
            Entry::Record(record) => exchanges.partner(record),
            Entry::Damage(_) => None,
        };
        different += u64::from(matches!(digest, Some(Verdict::Different { .. })));
        printer.data(&if args.json { json_line(&summary, digest, partner) } else { table_line(&summary, digest) });
    }
    if damaged > 0 {
        printer.note(&format!("{damaged} damaged places; what could be read around them was read"));
    }
    if different > 0 {
        printer.note(&format!("{different} records do not have the digests that their headers name"));
    }
    Ok(())
}

fn digest_text(verdict: Verdict) -> String {
    match verdict {
        Verdict::Right => "right".to_owned(),
        Verdict::Unsaid => "unsaid".to_owned(),
        Verdict::Different { field, said, found } => format!("{field} is {said}, the bytes have {found}"),
    }
}

/// What most records do not have is left out.
fn json_line(entry: &EntrySummary, digest: Option<Verdict>, partner: Option<(u64, u64)>) -> String {
    let mut line = serde_json::json!({
        "offset": entry.offset, "inner_offset": entry.inner_offset, "length": entry.length, "type": entry.kind,
        "uri": entry.uri, "status": entry.status, "mime": entry.mime, "block_bytes": entry.block_bytes,
        "damage": entry.damage,
    });
    for (key, value) in [("id", &entry.id), ("refers_to", &entry.refers_to), ("truncated", &entry.truncated)] {
        if let Some(value) = value {
            line[key] = value.as_str().into();
        }
    }
    if !entry.concurrent_to.is_empty() {
        line["concurrent_to"] = entry.concurrent_to.clone().into();
    }
    if let Some((offset, inner_offset)) = partner {
        line["exchange_with"] = serde_json::json!({ "offset": offset, "inner_offset": inner_offset });
    }
    if let Some(digest) = digest {
        line["digest"] = digest_text(digest).into();
    }
    line.to_string()
}

fn table_line(entry: &EntrySummary, digest: Option<Verdict>) -> String {
    let status = entry.status.map(|status| status.to_string()).unwrap_or_default();
    let last = entry.damage.as_deref().or(entry.uri.as_deref()).unwrap_or_default();
    let refers_to = entry.refers_to.as_ref().map(|uri| format!("  [as {uri}]")).unwrap_or_default();
    let truncated = entry.truncated.as_ref().map(|why| format!("  [cut by the crawler: {why}]")).unwrap_or_default();
    let mime = entry.mime.as_deref().unwrap_or_default();
    let digest = digest.map(|digest| format!("  [digest: {}]", digest_text(digest))).unwrap_or_default();
    format!(
        "{:>12} {:>10} {:<12} {status:>6} {mime:<28} {last}{refers_to}{truncated}{digest}",
        entry.offset, entry.length, entry.kind
    )
}

/// Writes the block of one record to stdout, byte for byte.
fn record(path: &Path, offset: u64) -> Outcome {
    let entry = open(path, offset)?.next();
    match entry {
        Some(Ok(Entry::Record(record))) if record.offset == offset => {
            let _broken_pipe = std::io::stdout().write_all(&record.block);
            Ok(())
        }
        Some(Ok(Entry::Damage(damage))) => {
            Err(CommandError::new(ExitStatus::CheckFailed, anyhow::anyhow!("read a record: {damage}")))
        }
        Some(Err(error)) => Err(CommandError::environment(error)),
        _ => Err(CommandError::usage(format!("find a record at offset {offset} of `{}`", path.display()))
            .hint("`databuild inspect FILE` lists the offsets of all records")),
    }
}

fn shard(args: &InspectArgs, printer: Printer) -> Outcome {
    let summary = FileSummary::read(&args.path).map_err(|error| CommandError::new(ExitStatus::CheckFailed, error))?;
    printer.data(summary.to_string().trim_end());
    Ok(())
}

/// Characters of a text that are shown of a row.
const TEXT_CHARS_MAX: usize = 200;

/// One row with all that is read of it; long texts are cut.
fn row(args: &InspectArgs, id: &str, printer: Printer) -> Outcome {
    let id: ItemId = id.parse().map_err(|_| CommandError::usage(format!("find `{id}`: an id has 32 hex digits")))?;
    let manifest = read_manifest(&args.path)?;
    let broken = |error: DatasetError| CommandError::new(ExitStatus::CheckFailed, error);
    for shard in manifest.shards().filter(|shard| shard.subset == Subset::Pages.name()) {
        if !(shard.min_id..=shard.max_id).contains(&id) {
            continue;
        }
        let reader = ShardReader::open(&args.path.join(&shard.path)).map_err(broken)?;
        if let Some(found) = reader.pages_by_id(&[id], Columns::ALL).map_err(broken)?.next() {
            let mut found = found.map_err(broken)?;
            printer.data(&format!("file {}", shard.path));
            let image = found.image.take().map_or(0, |image| image.len());
            printer.data(&format!("image {image} bytes"));
            if let Some(text) = &mut found.text {
                *text = text.chars().take(TEXT_CHARS_MAX).collect();
            }
            printer.data(&format!("{found:#?}"));
            return Ok(());
        }
    }
    Err(CommandError::usage(format!("find a row `{id}` in `{}`", args.path.display()))
        .hint("`databuild explain` also knows the pages that are not in the dataset"))
}

fn dataset(args: &InspectArgs, printer: Printer) -> Outcome {
    if let Some(id) = &args.row {
        return row(args, id, printer);
    }
    let manifest = read_manifest(&args.path)?;
    if args.json {
        printer.data(manifest.to_json().trim_end());
        return Ok(());
    }
    printer.data(&format!(
        "dataset `{}`, made by {}, digest {}",
        manifest.name,
        manifest.created_by,
        manifest.digest()
    ));
    for (name, subset) in &manifest.subsets {
        let schema = subset.schema_sha256.get(..16).unwrap_or_default();
        let megabytes = subset.bytes as f64 / 1e6;
        printer.data(&format!("{name}: {} rows, {megabytes:.1} MB, schema {schema}", subset.rows));
        for (split, shards) in &subset.splits {
            let rows: u64 = shards.iter().map(|shard| shard.rows).sum();
            let megabytes = shards.iter().map(|shard| shard.bytes).sum::<u64>() as f64 / 1e6;
            printer.data(&format!("  {split}: {rows} rows in {} files, {megabytes:.1} MB", shards.len()));
        }
    }
    Ok(())
}
