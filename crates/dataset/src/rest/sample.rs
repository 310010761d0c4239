//! Columns of rest files behind synthesis: pages and triples, one a row.

use std::collections::BTreeMap;

use item::{Item, Rect, Refusal, Sample, Shown, Snapshot, Task, Triple, Viewport, Wording, Worse};
use serde::{Deserialize, Serialize};

use super::layout::{NODE, node_cell, node_from};
use crate::cell::Cell;
use crate::column::{Column, Kind};
use crate::record::Record;

/// What is no code and no picture of a triple, as one JSON object.
#[derive(Serialize, Deserialize)]
struct Details {
    instructions: Vec<Wording>,
    operators: Vec<String>,
    kind: String,
    severity: f64,
    region: Option<Rect>,
    diff: String,
    blocks: String,
    origin: String,
    round: u32,
    trajectory: Option<String>,
    reasoning: Option<String>,
    measures: BTreeMap<String, f64>,
    refused: Option<Refusal>,
    /// Why the worse answer is worse.
    why: Option<Refusal>,
}

pub(super) const SAMPLE: &[Column<Item>] = &[
    Column::always("task", Kind::Word, "`page`, or the task of a triple.", |i| {
        Cell::opt(sample(i), |sample| match sample {
            Sample::Page(_) => Cell::text("page"),
            Sample::Triple(triple) => Cell::text(triple.task.name()),
        })
    }),
    Column::always("html", Kind::LongText, "The document: of a triple, the one before.", |i| {
        Cell::opt(first(i), |shown| Cell::text(shown.0))
    }),
    Column::always("screenshot", Kind::Bytes, "PNG of it.", |i| Cell::opt(first(i), |shown| Cell::bytes(shown.1))),
    Column::always("width", Kind::Int, "Device px.", |i| Cell::opt(first(i), |shown| Cell::Int(shown.2.into()))),
    Column::always("height", Kind::Int, "Device px.", |i| Cell::opt(first(i), |shown| Cell::Int(shown.3.into()))),
    Column::always("viewport_width", Kind::Int, "CSS px.", |i| Cell::opt(viewport(i), |v| Cell::Int(v.width.into()))),
    Column::always("viewport_height", Kind::Int, "CSS px.", |i| Cell::opt(viewport(i), |v| Cell::Int(v.height.into()))),
    Column::always("device_scale_factor", Kind::Float, "Device px a CSS px.", |i| {
        Cell::opt(viewport(i), |v| Cell::Float(v.device_scale_factor))
    }),
    Column::always("nodes", Kind::List(&NODE), "Elements of a page in document order.", |i| match sample(i) {
        Some(Sample::Page(page)) => Cell::Many(page.nodes.iter().map(node_cell).collect()),
        _ => Cell::Many(Vec::new()),
    }),
];

/// The four columns of a document that not every row has.
macro_rules! shown_columns {
    ($get:ident, $html:literal, $screenshot:literal, $width:literal, $height:literal, $doc:literal) => {
        &[
            Column::maybe($html, Kind::LongText, $doc, |i| Cell::opt($get(i), |shown| Cell::text(&shown.html))),
            Column::maybe($screenshot, Kind::Bytes, "PNG of it.", |i| {
                Cell::opt($get(i), |shown| Cell::bytes(&shown.screenshot))
            }),
            Column::maybe($width, Kind::Int, "Device px.", |i| {
                Cell::opt($get(i), |shown| Cell::Int(shown.width.into()))
            }),
            Column::maybe($height, Kind::Int, "Device px.", |i| {
                Cell::opt($get(i), |shown| Cell::Int(shown.height.into()))
            }),
        ]
    };
}

pub(super) const AFTER: &[Column<Item>] =
    shown_columns!(after, "after_html", "after_screenshot", "after_width", "after_height", "The document after.");
pub(super) const TARGET: &[Column<Item>] = shown_columns!(
    target,
    "target_html",
    "target_screenshot",
    "target_width",
    "target_height",
    "What a draft is to become."
);
pub(super) const WORSE: &[Column<Item>] = shown_columns!(
    worse,
    "worse_html",
    "worse_screenshot",
    "worse_width",
    "worse_height",
    "The answer that is not wanted."
);
pub(super) const DETAILS: &[Column<Item>] =
    &[Column::maybe("details", Kind::LongText, "The rest of a triple as a JSON object.", |i| {
        Cell::opt(triple(i), details_cell)
    })];

fn sample(item: &Item) -> Option<&Sample> {
    match &item.body {
        item::Body::Sample(sample) => Some(sample),
        _ => None,
    }
}

fn triple(item: &Item) -> Option<&Triple> {
    match sample(item)? {
        Sample::Triple(triple) => Some(triple),
        Sample::Page(_) => None,
    }
}

fn after(item: &Item) -> Option<&Shown> {
    Some(&triple(item)?.after)
}

fn target(item: &Item) -> Option<&Shown> {
    triple(item)?.target.as_ref()
}

fn worse(item: &Item) -> Option<&Shown> {
    triple(item)?.worse.as_ref().map(|worse| &worse.shown)
}

fn first(item: &Item) -> Option<(&str, &[u8], u32, u32)> {
    Some(match sample(item)? {
        Sample::Page(page) => (&page.html, &page.screenshot, page.width, page.height),
        Sample::Triple(triple) => {
            let before = &triple.before;
            (&before.html, &before.screenshot, before.width, before.height)
        }
    })
}

fn viewport(item: &Item) -> Option<Viewport> {
    Some(match sample(item)? {
        Sample::Page(page) => page.viewport,
        Sample::Triple(triple) => triple.viewport,
    })
}

fn details_cell(triple: &Triple) -> Cell<'static> {
    let details = Details {
        instructions: triple.instructions.clone(),
        operators: triple.operators.clone(),
        kind: triple.kind.clone(),
        severity: triple.severity,
        region: triple.region,
        diff: triple.diff.clone(),
        blocks: triple.blocks.clone(),
        origin: triple.origin.clone(),
        round: triple.round,
        trajectory: triple.trajectory.clone(),
        reasoning: triple.reasoning.clone(),
        measures: triple.measures.clone(),
        refused: triple.refused.clone(),
        why: triple.worse.as_ref().map(|worse| worse.why.clone()),
    };
    // Plain data with text keys: serialising it cannot fail; a null would be noticed by the reader.
    serde_json::to_string(&details).map_or(Cell::Null, Cell::owned)
}

/// A sample from the cells after the head's.
pub(super) fn sample_from(record: &mut Record<'_>) -> Option<Sample> {
    let task = record.text()?;
    let before = shown_from(record)?;
    let viewport =
        Viewport { width: record.count_u32()?, height: record.count_u32()?, device_scale_factor: record.float()? };
    let nodes = record.many()?;
    let Shown { html, screenshot, width, height } = before;
    if task == "page" {
        let nodes = nodes.into_iter().map(node_from).collect::<Option<_>>()?;
        return Some(Sample::Page(Snapshot { html, viewport, screenshot, width, height, nodes }));
    }
    let task = Task::named(&task)?;
    let after = shown_from(record)?;
    let (target, worse) = (maybe_shown_from(record)?, maybe_shown_from(record)?);
    let details: Details = serde_json::from_str(&record.text()?).ok()?;
    let Details { instructions, operators, kind, severity, region, diff, blocks, origin, .. } = details;
    let Details { round, trajectory, reasoning, measures, refused, why, .. } = details;
    let worse = worse.zip(why).map(|(shown, why)| Worse { shown, why });
    let before = Shown { html, screenshot, width, height };
    Some(Sample::Triple(Box::new(Triple {
        task,
        before,
        after,
        target,
        worse,
        viewport,
        instructions,
        operators,
        kind,
        severity,
        region,
        diff,
        blocks,
        origin,
        round,
        trajectory,
        reasoning,
        measures,
        refused,
    })))
}

/// A document that not every triple has; the outer `None` is a row that lacks a part of it.
#[expect(clippy::option_option, reason = "no cell is trouble, a null is a value")]
fn maybe_shown_from(record: &mut Record<'_>) -> Option<Option<Shown>> {
    let (html, screenshot) = (record.maybe_text()?, record.maybe_bytes()?);
    let (width, height) = (record.maybe_int()?, record.maybe_int()?);
    let Some(html) = html else { return Some(None) };
    let side = |px: Option<i64>| px?.try_into().ok();
    Some(Some(Shown { html, screenshot: screenshot?, width: side(width)?, height: side(height)? }))
}

fn shown_from(record: &mut Record<'_>) -> Option<Shown> {
    Some(Shown {
        html: record.text()?,
        screenshot: record.bytes()?,
        width: record.count_u32()?,
        height: record.count_u32()?,
    })
}
