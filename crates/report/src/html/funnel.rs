//! Where items went, and how fast.

use std::collections::BTreeMap;

use engine::{PhaseRecord, RunRecord, StageBooks};
use item::LossKind;
use maud::{Markup, html};

use super::{Step, StepKind, prose, steps};
use crate::chart::{Part, bar};
use crate::gallery::{failure_meaning, lost_anchor};
use crate::losses::Losses;
use crate::text::{count, counted, duration, plain, share, short};

pub(super) fn section(record: &RunRecord, rules: &BTreeMap<String, String>, losses: &Losses) -> Markup {
    let most = steps(record).map(|step| step.books.seen).max().unwrap_or(0);
    let aside: Vec<String> = record
        .phases
        .iter()
        .flat_map(|phase| &phase.books.aside)
        .map(|(kind, number)| format!("{} {}", count(*number), plain(kind)))
        .collect();
    html! {
        section id="funnel" aria-labelledby="funnel-title" {
            h2 id="funnel-title" { "Funnel" }
            p.note {
                "What each step saw, and what became of it. "
                span.legend { i.kept {} "kept" } " " span.legend { i.rejected {} "rejected: not wanted" } " "
                span.legend { i.failed {} "failed: not possible" }
            }
            table.funnel {
                thead { tr {
                    th scope="col" { "Step" } th.wide scope="col" { span.unseen { "Bar" } }
                    th.number scope="col" { "Seen" } th.number scope="col" { "Kept" }
                    th.number scope="col" { "Rejected" } th.number scope="col" { "Failed" }
                } }
                @for step in steps(record) { (step_rows(step, most, rules, losses)) }
            }
            @if !aside.is_empty() { p.note { "Set aside by the source, being no pages: " (aside.join(", ")) "." } }
            @for step in steps(record) {
                @for (kind, number) in &step.books.aside {
                    p.note { "In " code { (plain(&step.books.stage)) } ": " (count(*number)) " " (plain(kind)) "." }
                }
            }
        }
    }
}

fn step_rows(step: Step<'_>, most: u64, rules: &BTreeMap<String, String>, losses: &Losses) -> Markup {
    let books = step.books;
    let (rejected, failed) = (books.rejected_total(), books.failed_total());
    let parts = [("kept", books.kept), ("rejected", rejected), ("failed", failed)];
    let kind = match step.kind {
        StepKind::Source => "source",
        StepKind::Stage => "stage",
        StepKind::Barrier => "barrier",
    };
    html! {
        tbody {
            tr.step {
                th scope="row" { (plain(&books.stage))
                    @if books.stage != kind { " " span.kind { (kind) } } }
                td.wide { (bar(&parts.map(|(class, count)| Part { class, count }), most)) }
                td.number { (count(books.seen)) }
                td.number {
                    (count(books.kept))
                    @if books.made != books.kept { br; span.quiet { "made " (count(books.made)) } }
                }
                td.number { (count(rejected)) }
                td.number { (count(failed)) }
            }
            @for (rule, number) in &books.rejected {
                (loss_row(books, LossKind::Rejected, rule, *number, rules.get(rule).map(String::as_str), losses))
            }
            @for (class, number) in &books.failed {
                (loss_row(books, LossKind::Failed, class, *number, failure_meaning(class), losses))
            }
        }
    }
}

fn loss_row(
    books: &StageBooks,
    kind: LossKind,
    rule: &str,
    number: u64,
    meaning: Option<&str>,
    losses: &Losses,
) -> Markup {
    let is_shown =
        |group: &&crate::losses::LossGroup| group.stage == books.stage && group.kind == kind && group.rule == rule;
    let anchor = losses.groups.iter().find(is_shown).map(|_| format!("#{}", lost_anchor(&books.stage, kind, rule)));
    html! {
        tr.rule {
            td colspan="2" {
                i class=(kind.name()) {}
                @if kind == LossKind::Failed { "failed: " }
                @if let Some(anchor) = anchor { a href=(anchor) { code { (plain(rule)) } } } @else { code { (plain(rule)) } }
                @if let Some(meaning) = meaning { " " span.quiet { (prose(meaning)) } }
            }
            td.number.quiet { (share(number, books.seen)) }
            td {}
            td.number { @if kind == LossKind::Rejected { (count(number)) } }
            td.number { @if kind == LossKind::Failed { (count(number)) } }
        }
    }
}

pub(super) fn throughput(record: &RunRecord) -> Markup {
    html! {
        section id="throughput" aria-labelledby="throughput-title" {
            h2 id="throughput-title" { "Throughput" }
            p.note { "Wall time of this run. A rate is given where all units of a phase ran now; results of earlier runs are reused, not run." }
            table.throughput {
                thead { tr {
                    th scope="col" { "Phase" } th.number scope="col" { "Units" } th.number scope="col" { "Reused" }
                    th.number scope="col" { "Items seen" } th.number scope="col" { "Wall time" } th.number scope="col" { "Items/s" }
                } }
                tbody {
                    @for (number, phase) in record.phases.iter().enumerate() {
                        tr {
                            th scope="row" {
                                (plain(&phase.phase))
                                @if let Some(barrier) = record.barriers.get(number).filter(|barrier| barrier.reused) {
                                    " " span.quiet { "barrier " (plain(&barrier.barrier)) " reused" }
                                }
                            }
                            td.number { (count(phase.units as u64)) }
                            td.number { (count(phase.reused as u64)) }
                            td.number { (count(phase.books.seen())) }
                            td.number { (duration(phase.elapsed_ms)) }
                            td.number { (rate(phase)) }
                        }
                    }
                }
            }
            p.note { (counted(record.phases.len() as u64, "phase", "phases")) ", " (duration(record.elapsed_ms)) " in all." }
            @for (stage, spent) in &record.spent { p.note { "The stage " code { (plain(stage)) } " used " (plain(&amounts(spent))) "." } }
        }
    }
}

/// Items a second. The books are over all units, so where some were reused no rate can be told.
fn rate(phase: &PhaseRecord) -> String {
    if phase.reused > 0 || phase.elapsed_ms == 0 {
        return "–".to_owned();
    }
    short(phase.books.seen() as f64 / (phase.elapsed_ms as f64 / 1000.0))
}

/// Amounts by name, as words: `12 requests, 3,400 prompt tokens`.
fn amounts(spent: &serde_json::Value) -> String {
    let amount = |(name, value): (&String, &serde_json::Value)| {
        let shown = value.as_u64().map_or_else(|| short(value.as_f64().unwrap_or_default()), count);
        format!("{shown} {}", name.replace('_', " "))
    };
    spent.as_object().into_iter().flatten().map(amount).collect::<Vec<_>>().join(", ")
}
