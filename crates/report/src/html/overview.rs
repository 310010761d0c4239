//! What the run was, in one screen.

use engine::{Fingerprint, Outcome, RunRecord};
use maud::{Markup, html};
use serde_json::Value;

use super::steps;
use crate::numbers::{Numbers, Tally};
use crate::reader::DatasetFiles;
use crate::text::{bytes, count, counted, duration, plain};

/// Most source partitions that are named.
const PARTITIONS_MAX: usize = 100;

pub(super) fn section(record: &RunRecord, files: &DatasetFiles, numbers: &Numbers) -> Markup {
    let shards = files.manifest.shards().count() as u64;
    let outcome = match record.outcome {
        Outcome::Committed => "committed",
        Outcome::Unchanged => "unchanged",
    };
    html! {
        header id="overview" {
            p.kicker { "databuild report" }
            h1 { bdi { (plain(&record.name)) } }
            p.books { (books(record)) }
            dl.facts {
                div { dt { "Rows" } dd { (count(record.dataset.rows)) } }
                div { dt { "Shards" } dd { (count(shards)) } }
                div { dt { "Size" } dd { (bytes(record.dataset.bytes)) } }
                div { dt { "Started" } dd { time datetime=(record.started_at) { (readable_time(&record.started_at)) } } }
                div { dt { "Took" } dd { (duration(record.elapsed_ms)) } }
                div { dt { "Outcome" } dd { (outcome) } }
            }
            table.versions {
                caption { "Made with" }
                tbody {
                    (version_row("databuild", Some(files.manifest.created_by.clone())))
                    (version_row("Chrome", tallied(&numbers.chromes).or_else(|| setting(record, "chrome"))))
                    (version_row("Fonts", tallied(&numbers.fonts).or_else(|| setting(record, "fonts"))))
                    (version_row("Scorer", setting(record, "model")))
                    (version_row("Dataset key", Some(record.dataset.key.clone())))
                }
            }
            details {
                summary { "Everything that shaped the dataset" }
                @for fingerprint in &record.fingerprints { (stage(fingerprint)) }
            }
            (partitions(record))
        }
    }
}

/// The books of the whole run as a sentence. Where a stage makes several items of one, these are seen too.
fn books(record: &RunRecord) -> Markup {
    let seen = steps(record).next().map_or(0, |step| step.books.seen);
    let fanned: u64 = steps(record).map(|step| step.books.made.saturating_sub(step.books.kept)).sum();
    let rejected: u64 = steps(record).map(|step| step.books.rejected_total()).sum();
    let failed: u64 = steps(record).map(|step| step.books.failed_total()).sum();
    html! {
        b { (count(seen)) } " seen"
        @if fanned > 0 { " + " b { (count(fanned)) } " made by stages that make several of one" }
        " = " b.kept { (count(record.dataset.rows)) } " kept + "
        b.rejected { (count(rejected)) } " rejected + "
        b.failed { (count(failed)) } " failed"
    }
}

fn version_row(name: &str, version: Option<String>) -> Markup {
    html! { @if let Some(version) = version { tr { th scope="row" { (name) } td { code { (plain(&version)) } } } } }
}

/// The versions that the rows name, all of them: there may be two where a run was continued after an update.
fn tallied(tally: &Tally) -> Option<String> {
    let (versions, _) = tally.top(usize::MAX);
    (!versions.is_empty()).then(|| versions.iter().map(|(version, _)| *version).collect::<Vec<_>>().join(", "))
}

/// A setting that some stage has.
fn setting(record: &RunRecord, key: &str) -> Option<String> {
    let value = record.fingerprints.iter().find_map(|fingerprint| fingerprint.settings.get(key))?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn stage(fingerprint: &Fingerprint) -> Markup {
    let Fingerprint { name, version, settings } = fingerprint;
    let empty = settings.is_null() || settings.as_object().is_some_and(serde_json::Map::is_empty);
    html! {
        h3 { code { (plain(name)) } " " span.quiet { "version " (version) ", fingerprint " code { (fingerprint.digest().short()) } } }
        @if !empty { pre tabindex="0" { (pretty(settings)) } }
    }
}

fn pretty(settings: &Value) -> String {
    // Plain data: serialising it cannot fail.
    serde_json::to_string_pretty(settings).unwrap_or_default()
}

fn partitions(record: &RunRecord) -> Markup {
    let shown = record.partitions.iter().take(PARTITIONS_MAX);
    let more = record.partitions.len().saturating_sub(PARTITIONS_MAX) as u64;
    html! {
        details {
            summary { (counted(record.partitions.len() as u64, "source partition", "source partitions")) }
            ul.plain {
                @for partition in shown {
                    li { code { (plain(&partition.name)) } " " span.quiet { (bytes(partition.bytes)) ", " code { (partition.digest.short()) } } }
                }
                @if more > 0 { li.quiet { "and " (count(more)) " more" } }
            }
        }
    }
}

/// `2026-01-31T12:34:56.789Z` as `2026-01-31 12:34:56 UTC`; anything else as it is.
fn readable_time(time: &str) -> String {
    let seconds = time.get(..19).filter(|start| start.as_bytes()[10] == b'T' && time.ends_with('Z'));
    seconds.map_or_else(|| plain(time), |start| format!("{} UTC", start.replacen('T', " ", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_readable() {
        let check = |time: &str, expected: &str| assert_eq!(readable_time(time), expected);
        check("2026-01-31T12:34:56.789Z", "2026-01-31 12:34:56 UTC");
        check("2026-01-31T12:34:56Z", "2026-01-31 12:34:56 UTC");
        check("yesterday", "yesterday");
        check("2026-01-31T12:34:56+02:00", "2026-01-31T12:34:56+02:00");
    }
}
