//! The page: its frame, its order, and the policy that browsers hold it to.
//!
//! `html!` escapes every word. The page says in addition that nothing may be fetched and that no other script and style
//! than ours (by digest) may run, so that even a word that slipped through could do nothing.

mod cards;
mod funnel;
mod overview;
mod triples;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{RunRecord, StageBooks};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::chart;
use crate::gallery::Galleries;
use crate::losses::Losses;
use crate::numbers::{Numbers, Tally};
use crate::reader::DatasetFiles;
use crate::report::ReportInput;
use crate::text::{count, plain};
use crate::triples::Triples;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Most rows of a table of words.
const TABLE_ROWS_MAX: usize = 20;

/// What a step of the pipeline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepKind {
    Source,
    Stage,
    Barrier,
}

/// A source, stage or barrier with its books.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) kind: StepKind,
    pub(crate) books: &'a StageBooks,
}

/// The steps of the run, in pipeline order. The books of the first phase begin with the source; behind each phase but the
/// last stands a barrier; the sink has books where something was taken down.
pub(crate) fn steps(record: &RunRecord) -> impl Iterator<Item = Step<'_>> {
    let sink = record.dataset.books.iter().map(|books| Step { kind: StepKind::Stage, books });
    let before = record.phases.iter().enumerate().flat_map(|(number, phase)| {
        let barrier =
            record.barriers.get(number).map(|barrier| Step { kind: StepKind::Barrier, books: &barrier.books });
        let stage = move |(position, books)| {
            let kind = if number == 0 && position == 0 { StepKind::Source } else { StepKind::Stage };
            Step { kind, books }
        };
        phase.books.stages.iter().enumerate().map(stage).chain(barrier)
    });
    before.chain(sink)
}

/// The whole page.
pub(crate) fn page(
    input: &ReportInput<'_>,
    files: &DatasetFiles,
    numbers: &Numbers,
    losses: &Losses,
    galleries: &Galleries,
    triples: &[Triples],
) -> String {
    let record = input.record;
    let policy = format!(
        "default-src 'none'; img-src data:; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        source_digest(STYLE),
        source_digest(SCRIPT),
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (plain(&record.name)) " – databuild report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#overview" { "Skip to the content" }
                (navigation(galleries, triples))
                main {
                    (overview::section(record, files, numbers))
                    (funnel::section(record, input.rules, losses))
                    (funnel::throughput(record))
                    (distributions(numbers))
                    (cards::section(galleries, input.rules, losses))
                    (triples::section(triples))
                }
                footer { "Written by " (plain(&files.manifest.created_by)) ". This file is complete: it needs no network and no other file." }
                (cards::viewer())
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn source_digest(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

fn navigation(galleries: &Galleries, triples: &[Triples]) -> Markup {
    html! {
        nav aria-label="Sections" {
            ul {
                li { a href="#overview" { "Overview" } }
                li { a href="#funnel" { "Funnel" } }
                li { a href="#throughput" { "Throughput" } }
                li { a href="#distributions" { "Distributions" } }
                @if !galleries.kept.is_empty() { li { a href="#kept" { "Kept" } } }
                @if !galleries.clusters.is_empty() { li { a href="#clusters" { "Clusters" } } }
                @if !galleries.lost.is_empty() { li { a href="#lost" { "Lost" } } }
                @if !triples.is_empty() { li { a href="#triples" { "Triples" } } }
            }
            search {
                label.unseen for="filter" { "Filter the pages below by title, URL or rule" }
                input id="filter" type="search" placeholder="Filter pages: title, URL, rule" autocomplete="off" spellcheck="false";
                output id="shown" for="filter" {}
            }
        }
    }
}

fn distributions(numbers: &Numbers) -> Markup {
    let clusters = numbers.clusters();
    html! {
        section id="distributions" aria-labelledby="distributions-title" {
            h2 id="distributions-title" { "Distributions" }
            p.note { "Over the " (count(numbers.rows)) " kept rows. The dashed line is the median; sizes are on steps of a decade." }
            div.charts {
                @for (measure, histogram) in numbers.histograms() {
                    figure {
                        figcaption { b { (measure.title) } " " span.quiet { (measure.meaning) } }
                        (chart::histogram(measure.title, &histogram))
                    }
                }
            }
            div.tables {
                (words("Languages", &numbers.languages))
                (words("Domains", &numbers.domains))
                (words("Splits", &numbers.splits))
                (words("Charsets", &numbers.charsets))
                (words("Levels of simplification", &numbers.levels))
                (words("Held against the original", &numbers.proofs))
                @if !clusters.is_empty() { (chart::counts("Near-duplicate clusters", &clusters, None)) }
            }
        }
    }
}

/// A sentence of ours, with `code` in backticks.
fn prose(text: &str) -> Markup {
    html! {
        @for (index, part) in plain(text).split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn words(caption: &str, tally: &Tally) -> Markup {
    let (top, others) = tally.top(TABLE_ROWS_MAX);
    let more = tally.len().saturating_sub(top.len()) as u64;
    let others = (more > 0).then(|| (format!("{} more", count(more)), others));
    html! { @if tally.len() > 0 { (chart::counts(caption, &top, others)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_are_code_and_markup_stays_text() {
        let check = |text: &str, expected: &str| assert_eq!(prose(text).into_string(), expected);
        check("Set `a.b` & run.", "Set <code>a.b</code> &amp; run.");
        check("`<b>`", "<code>&lt;b&gt;</code>");
        check("plain", "plain");
    }

    #[test]
    fn our_own_script_and_style_end_where_they_should() {
        for text in [STYLE, SCRIPT] {
            let lower = text.to_ascii_lowercase();
            assert!(!lower.contains("</") && !lower.contains("<!--") && !text.contains('\r'));
            assert!(!lower.contains("http:") && !lower.contains("https:") && !lower.contains("url("));
        }
    }
}
