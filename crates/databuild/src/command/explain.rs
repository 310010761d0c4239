//! `databuild explain FILE ID|URL`: what became of a page.

use std::fmt::Write as _;
use std::path::Path;

use dataset::PageRow;
use item::{ItemId, Loss, LossKind};

use super::Outcome;
use super::finished::Finished;
use crate::cli::ExplainArgs;
use crate::error::CommandError;
use crate::printer::Printer;

/// Tells a page's way through the last run.
pub(crate) fn explain(args: &ExplainArgs, printer: Printer) -> Outcome {
    let finished = Finished::open(&args.file)?;
    let id: Option<ItemId> = args.page.parse().ok();
    let is_it = |url: &str, found: ItemId| id.map_or(url == args.page, |id| id == found);
    let mut found = 0;
    let mut kept = Vec::new();
    finished.each_row(|shard, row| {
        if is_it(&row.url, row.id) {
            kept.push((shard.path.clone(), row));
        }
    })?;
    for (shard, row) in &kept {
        found += 1;
        printer.data(kept_text(&finished, shard, row).trim_end());
    }
    if let (Some(path), Some((_, row))) = (&args.picture, kept.first()) {
        write_picture(&finished, row.id, path, printer)?;
    }
    finished.each_loss(|loss| {
        if is_it(&loss.provenance.url, loss.id) {
            found += 1;
            printer.data(lost_text(&finished, &loss).trim_end());
        }
    })?;
    if found > 0 {
        return Ok(());
    }
    Err(CommandError::usage(format!("find `{}` in the last run of `{}`", args.page, finished.record.name))
        .hint("the page is named by its id (32 hex digits) or by its whole URL, as in the columns `id` and `url`"))
}

/// Stages and barriers in the order of the pipeline.
fn steps(finished: &Finished) -> Vec<&str> {
    let record = &finished.record;
    let barriers = record.barriers.iter().map(Some).chain(std::iter::repeat(None));
    let of = record.phases.iter().zip(barriers).flat_map(|(phase, barrier)| {
        let stages = phase.books.stages.iter().map(|books| books.stage.as_str());
        stages.chain(barrier.map(|barrier| barrier.barrier.as_str()))
    });
    of.chain(record.dataset.books.iter().map(|books| books.stage.as_str())).collect()
}

fn kept_text(finished: &Finished, shard: &str, row: &PageRow) -> String {
    let mut text = format!("{} {}\n", row.id, row.url);
    for step in steps(finished) {
        let _infallible = writeln!(text, "  {step:<10} kept");
    }
    let score = row.quality.map_or_else(String::new, |score| format!(", score {score:.3}"));
    let _infallible = writeln!(text, "  row of `{shard}`: {} x {} px{score}", row.scale.0, row.scale.1);
    text
}

fn lost_text(finished: &Finished, loss: &Loss) -> String {
    let place = &loss.provenance;
    let mut text = format!(
        "{} {}\n  from `{}`, record at byte {}\n",
        loss.id, place.url, place.warc_filename, place.warc_record_offset
    );
    for step in steps(finished) {
        if step == loss.stage {
            let how = if loss.kind == LossKind::Rejected { "rejected" } else { "failed" };
            let _infallible = writeln!(text, "  {step:<10} {how}: {} ({})", loss.rule, loss.detail);
            break;
        }
        let _infallible = writeln!(text, "  {step:<10} kept");
    }
    let rule = stages::rules().into_iter().flat_map(|(_, rules)| rules).find(|rule| rule.name == loss.rule);
    if let Some(rule) = rule {
        let _infallible = writeln!(text, "  {}", rule.meaning);
    }
    text
}

fn write_picture(finished: &Finished, id: ItemId, path: &Path, printer: Printer) -> Outcome {
    let Some(image) = finished.row(id)?.and_then(|row| row.image) else { return Ok(()) };
    std::fs::write(path, &image).map_err(CommandError::environment)?;
    printer.note(&format!("screenshot: {}", path.display()));
    Ok(())
}
