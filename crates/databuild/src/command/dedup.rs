//! `databuild dedup`: the standing index, and tuning by eye.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;

use dataset::{Columns, PageRow, ShardReader};
use dedup::list::{Cluster, Header, INDEX_FORMAT, Published};
use dedup::{PageSketch, Sight, Split};
use engine::RunRecord;
use item::{Head, ItemId};
use pipeline::Built;

use super::hashlist::{replace_file, to_line};
use super::{Outcome, build, finished, tune};
use crate::cli::{DedupCommand, IndexArgs};
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

pub(crate) fn dedup(command: &DedupCommand, printer: Printer) -> Outcome {
    match command {
        DedupCommand::Tune(args) => tune::tune(args, printer),
        DedupCommand::Index(args) => index(args, printer),
    }
}

/// The record of the last run of a pipeline.
pub(super) fn last_record(built: &Built) -> Result<RunRecord, CommandError> {
    let name = &built.pipeline.name;
    engine::last_record(built.store.as_ref(), name)?.ok_or_else(|| {
        CommandError::usage(format!("look at the last run of `{name}`: it has not been run yet"))
            .hint("`databuild run` comes first")
    })
}

/// Adds the rows of the dataset to the index. A row that is in it keeps its place: what is published does not move.
fn index(args: &IndexArgs, printer: Printer) -> Outcome {
    let (_, built, _) = build(&args.file)?;
    let record = last_record(&built)?;
    let mut rows: BTreeMap<ItemId, Published> = BTreeMap::new();
    if args.out.exists() {
        let unusable = |error: anyhow::Error| {
            CommandError::environment(error.context(format!("use the index `{}`", args.out.display())))
        };
        let file = File::open(&args.out).map_err(|error| unusable(error.into()))?;
        let known = dedup::list::read_index(BufReader::new(file)).map_err(|error| unusable(error.into()))?;
        rows.extend(known.into_iter().map(|row| (row.id, row)));
    }
    let before = rows.len();
    let kept = dataset_rows(&built, &record)?;
    let mut incomplete = 0;
    engine::visit_heads(&built.pipeline, built.store.as_ref(), &record, &mut |head| {
        let Some((edition, row)) = kept.get(&head.id).filter(|_| !rows.contains_key(&head.id)) else { return };
        match published(&head, *edition, row) {
            Some(published) => drop(rows.insert(head.id, published)),
            None => incomplete += 1,
        }
    })?;
    if incomplete > 0 {
        let error = format!("index {incomplete} rows: they were made by a version that did not sketch pages");
        return Err(CommandError::usage(error).hint("run the pipeline again, then this command"));
    }
    let mut lines = vec![to_line(&Header::new(INDEX_FORMAT, &built.pipeline.name))?];
    for row in rows.values() {
        lines.push(to_line(&row.entry())?);
    }
    lines.push(String::new());
    replace_file(&args.out, lines.join("\n").as_bytes()).map_err(CommandError::environment)?;
    printer.note(&format!("{} rows, {} of them new", rows.len(), rows.len() - before));
    printer.data(&args.out.display().to_string());
    Ok(())
}

fn published(head: &Head, edition: u32, row: &PageRow) -> Option<Published> {
    Some(Published {
        id: head.id,
        domain: head.provenance.domain.clone(),
        split: Split::from_name(&row.split)?,
        edition,
        cluster: Cluster { of: row.cluster.as_ref()?.parse().ok()?, size: u64::try_from(row.cluster_size?).ok()? },
        html_sha256: row.html_sha256.clone(),
        sketch: PageSketch::from_attributes(&head.attributes)?,
        sight: Sight::from_attributes(&head.attributes)?,
    })
}

/// The rows of the dataset by id, each with its edition.
pub(super) fn dataset_rows(
    built: &Built,
    record: &RunRecord,
) -> Result<BTreeMap<ItemId, (u32, PageRow)>, CommandError> {
    let manifest = finished::manifest(built.store.as_ref(), record)?;
    let unreadable = |error| CommandError::new(ExitStatus::CheckFailed, error);
    let mut rows = BTreeMap::new();
    for shard in manifest.shards().filter(|shard| shard.subset == "pages") {
        let file = finished::dataset_file(built.store.as_ref(), record, &shard.path)?;
        let reader = ShardReader::open(&file).map_err(unreadable)?;
        for row in reader.pages(Columns::LIGHT).map_err(unreadable)? {
            let row = row.map_err(unreadable)?;
            rows.insert(row.id, (shard.edition, row));
        }
    }
    Ok(rows)
}
