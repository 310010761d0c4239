//! The `edit`, `polish` and `preference` subsets: triples of code and picture before, instruction, code and picture after; and pairs of
//! answers to one question.
//!
//! `page_html_sha256` joins a triple with its row in `pages`, by that row's `html_sha256`.

use item::{Item, Shown, Task, Triple, Value, Wording, name, picture_extension};

use crate::cell::Cell;
use crate::column::{Column, Field, Kind, Table};
use crate::files::{CREATED_BY, sha256_hex};
use crate::pages::DEFAULT_SPLIT;
use crate::schema::Subset;

type TripleItem = Item<Triple>;

/// One row per edit.
pub(crate) const EDIT: Table<TripleItem> =
    Table { name: "edit", version: 2, columns: &[IDENTITY, EDITED, CHANGE, EDIT_MEASURES, MODEL, ORIGIN] };

/// One row per draft and answer.
pub(crate) const POLISH: Table<TripleItem> =
    Table { name: "polish", version: 2, columns: &[IDENTITY, POLISHED, CHANGE, POLISH_MEASURES, MODEL, ORIGIN] };

/// One row per pair of answers to the same question.
pub(crate) const PREFERENCE: Table<TripleItem> =
    Table { name: "preference", version: 1, columns: &[IDENTITY, PREFERRED, CHANGE, MODEL, ORIGIN] };

/// The table of a task.
pub(crate) const fn table(task: Task) -> (Subset, &'static Table<TripleItem>) {
    match task {
        Task::Edit => (Subset::Edit, &EDIT),
        Task::Polish => (Subset::Polish, &POLISH),
        Task::Preference => (Subset::Preference, &PREFERENCE),
    }
}

/// The split a triple belongs to: that of its page.
pub(crate) fn split_of(triple: &TripleItem) -> &str {
    triple.head.attributes.text(name::SPLIT).unwrap_or(DEFAULT_SPLIT)
}

const IDENTITY: &[Column<TripleItem>] = &[
    Column::always("id", Kind::Text, "Identity of the row: 32 hex digits, the same in every run.", |t| {
        Cell::owned(t.head.id.to_string())
    }),
    Column::always("page_html_sha256", Kind::Text, "`html_sha256` of the page in `pages` that it was made of.", |t| {
        Cell::owned(sha256_hex(t.body.page().html.as_bytes()))
    }),
    Column::always("instruction", Kind::Text, "What is asked for, the canonical wording.", |t| {
        Cell::text(t.body.instructions.first().map_or("", |wording| &wording.text))
    }),
    Column::always("instructions", Kind::List(&WORDING), "The same in several styles.", |t| {
        Cell::Many(t.body.instructions.iter().map(wording_cell).collect())
    }),
];

const WORDING: Field = Field::always(
    "item",
    Kind::Struct(&[
        Field::always(
            "style",
            Kind::Word,
            "`detailed`, `short`, `human`, `conversational`, or `described` by a model.",
        ),
        Field::always("text", Kind::Text, "The words."),
    ]),
    "One wording.",
);

fn wording_cell(wording: &Wording) -> Cell<'_> {
    Cell::Many(vec![Cell::text(&wording.style), Cell::text(&wording.text)])
}

const EDITED: &[Column<TripleItem>] = &[
    Column::always("before_image", Kind::Image, "Screenshot of `before`.", |t| image(t, "before", &t.body.before)),
    Column::always("before", Kind::LongText, "The HTML document that is given.", |t| Cell::text(&t.body.before.html)),
    Column::always("after_image", Kind::Image, "Screenshot of `after`.", |t| image(t, "after", &t.body.after)),
    Column::always("after", Kind::LongText, "The HTML document that is wanted.", |t| Cell::text(&t.body.after.html)),
];

const POLISHED: &[Column<TripleItem>] = &[
    Column::always("draft_image", Kind::Image, "Screenshot of `draft`.", |t| image(t, "draft", &t.body.before)),
    Column::always("draft", Kind::LongText, "The HTML document that is to be polished.", |t| {
        Cell::text(&t.body.before.html)
    }),
    Column::always("target_image", Kind::Image, "Screenshot of `target`: what it shall look like.", |t| {
        image(t, "target", t.body.page())
    }),
    Column::always("target", Kind::LongText, "The HTML document that looks so.", |t| Cell::text(&t.body.page().html)),
    Column::maybe("answer_image", Kind::Image, "Screenshot of `answer`; null where that is the target.", |t| {
        Cell::opt(nearer(t), |shown| image(t, "answer", shown))
    }),
    Column::maybe(
        "answer",
        Kind::LongText,
        "What is to be answered where that is a nearer draft; null where it is `target` itself.",
        |t| Cell::opt(nearer(t), |shown| Cell::text(&shown.html)),
    ),
    Column::always("round", Kind::Int, "Round of polishing, from 1.", |t| Cell::Int(t.body.round.into())),
    Column::maybe("trajectory", Kind::Word, "The same for all rounds that began with one draft of a model.", |t| {
        Cell::opt(t.body.trajectory.as_deref(), Cell::text)
    }),
];

/// The answer to a draft, where it is not the target.
fn nearer(triple: &TripleItem) -> Option<&Shown> {
    triple.body.target.as_ref().map(|_| &triple.body.after)
}

const PREFERRED: &[Column<TripleItem>] = &[
    Column::always("task", Kind::Word, "What is asked for: `edit` or `polish`.", |t| Cell::text(t.body.asks().name())),
    Column::always("before_image", Kind::Image, "Screenshot of `before`.", |t| image(t, "before", &t.body.before)),
    Column::always("before", Kind::LongText, "The HTML document that is given: the page, or a draft.", |t| {
        Cell::text(&t.body.before.html)
    }),
    Column::maybe("target_image", Kind::Image, "What a draft shall look like; null for edits.", |t| {
        Cell::opt(t.body.target.as_ref(), |shown| image(t, "target", shown))
    }),
    Column::always("chosen_image", Kind::Image, "Screenshot of `chosen`.", |t| image(t, "chosen", &t.body.after)),
    Column::always("chosen", Kind::LongText, "The answer that passed every check: an HTML document.", |t| {
        Cell::text(&t.body.after.html)
    }),
    Column::maybe("rejected_image", Kind::Image, "Screenshot of `rejected`; null where it can't be shown.", |t| {
        let shown = t.body.worse.as_ref().map(|worse| &worse.shown);
        Cell::opt(shown.filter(|shown| !shown.screenshot.is_empty()), |shown| image(t, "rejected", shown))
    }),
    Column::always("rejected", Kind::LongText, "The answer that did not.", |t| {
        Cell::text(t.body.worse.as_ref().map_or("", |worse| &worse.shown.html))
    }),
    Column::always("rule", Kind::Word, "The rule that refused it.", |t| {
        Cell::text(t.body.worse.as_ref().map_or("", |worse| &worse.why.rule))
    }),
    Column::always("detail", Kind::Text, "What was measured.", |t| {
        Cell::text(t.body.worse.as_ref().map_or("", |worse| &worse.why.detail))
    }),
];

fn image<'a>(triple: &'a TripleItem, what: &str, shown: &'a Shown) -> Cell<'a> {
    Cell::Many(vec![
        Cell::bytes(&shown.screenshot),
        Cell::owned(format!("{}-{what}.{}", triple.head.id, picture_extension(&shown.screenshot))),
    ])
}

const WORD: Field = Field::always("item", Kind::Word, "A name.");
const EDGE: Field = Field::always("item", Kind::Float, "CSS px.");

const CHANGE: &[Column<TripleItem>] = &[
    Column::always("patch", Kind::LongText, "From the code given to the code wanted, a unified diff.", |t| {
        Cell::text(&t.body.diff)
    }),
    Column::always("blocks", Kind::LongText, "The same as search/replace blocks; each search text is unique.", |t| {
        Cell::text(&t.body.blocks)
    }),
    Column::always(
        "operators",
        Kind::List(&WORD),
        "Operators that made the difference; empty for a model's work.",
        |t| Cell::Many(t.body.operators.iter().map(|operator| Cell::text(operator)).collect()),
    ),
    Column::always("kind", Kind::Word, "Kind of change: `restyle`, `text`, `add`, `remove`, `move`, …", |t| {
        Cell::text(&t.body.kind)
    }),
    Column::always("severity", Kind::Float, "How strong it is, 0 to 1.", |t| Cell::Float(t.body.severity)),
    Column::maybe(
        "region",
        Kind::List(&EDGE),
        "Left, top, width, height of the part of the page that may change; null for all of it.",
        |t| {
            Cell::opt(t.body.region, |rect| {
                let edges = [rect.x, rect.y, rect.width, rect.height];
                Cell::Many(edges.into_iter().map(|edge| Cell::Float(edge.into())).collect())
            })
        },
    ),
    Column::always("origin", Kind::Word, "Who made it: `program`, or a model.", |t| Cell::text(&t.body.origin)),
];

const MODEL: &[Column<TripleItem>] = &[
    Column::maybe("reasoning", Kind::LongText, "What the model thought before it answered, where it says so.", |t| {
        Cell::opt(t.body.reasoning.as_deref(), Cell::text)
    }),
    Column::maybe("prompt_tokens", Kind::Int, "Tokens that a model was asked for this row.", |t| {
        whole(t, "prompt_tokens")
    }),
    Column::maybe("completion_tokens", Kind::Int, "Tokens that it answered.", |t| whole(t, "completion_tokens")),
];

fn whole<'a>(triple: &'a TripleItem, name: &str) -> Cell<'a> {
    Cell::opt(triple.body.measures.get(name).copied(), |number| Cell::Int(number as i64))
}

const EDIT_MEASURES: &[Column<TripleItem>] = &[
    Column::maybe("changed", Kind::Float, "Share of pixels that change visibly.", |t| measure(t, "changed")),
    Column::maybe("changed_outside", Kind::Float, "Share of pixels that change visibly outside of `region`.", |t| {
        measure(t, "changed_outside")
    }),
    Column::maybe("line_jaccard", Kind::Float, "Share of lines of code that both documents have.", |t| {
        measure(t, "line_jaccard")
    }),
];

const POLISH_MEASURES: &[Column<TripleItem>] = &[
    Column::maybe("difference", Kind::Float, "1 less the SSIM of draft and target.", |t| measure(t, "difference")),
    Column::maybe("ssim_before", Kind::Float, "SSIM of draft and target (luma, half size).", |t| {
        measure(t, "ssim_before")
    }),
    Column::maybe("ssim_after", Kind::Float, "SSIM of answer and target.", |t| measure(t, "ssim_after")),
    Column::maybe("same_pixels_before", Kind::Float, "Share of pixels in which draft and target agree.", |t| {
        measure(t, "same_pixels_before")
    }),
    Column::maybe("same_pixels_after", Kind::Float, "Share of pixels in which answer and target agree.", |t| {
        measure(t, "same_pixels_after")
    }),
    Column::maybe("palette_before", Kind::Float, "Likeness of the main colours of draft and target.", |t| {
        measure(t, "palette_before")
    }),
    Column::maybe("palette_after", Kind::Float, "Likeness of the main colours of answer and target.", |t| {
        measure(t, "palette_after")
    }),
];

fn measure<'a>(triple: &'a TripleItem, name: &str) -> Cell<'a> {
    Cell::opt(triple.body.measures.get(name).copied(), Cell::Float)
}

const ORIGIN: &[Column<TripleItem>] = &[
    Column::always("url", Kind::Text, "Target URI of the page's capture.", |t| Cell::text(&t.head.provenance.url)),
    Column::always("domain", Kind::Word, "Registrable domain of the URI's host.", |t| {
        Cell::text(&t.head.provenance.domain)
    }),
    Column::always("crawl", Kind::Word, "Crawl that the archive belongs to; empty when not named.", |t| {
        Cell::text(&t.head.provenance.crawl)
    }),
    Column::always("viewport_width", Kind::Int, "Width of the viewport in CSS px.", |t| {
        Cell::Int(t.body.viewport.width.into())
    }),
    Column::always("viewport_height", Kind::Int, "Height of the viewport in CSS px.", |t| {
        Cell::Int(t.body.viewport.height.into())
    }),
    Column::always("device_scale_factor", Kind::Float, "Device pixels a CSS px.", |t| {
        Cell::Float(t.body.viewport.device_scale_factor)
    }),
    Column::always("split", Kind::Word, "Split that the row belongs to: its page's.", |t| Cell::text(split_of(t))),
    Column::maybe("lang", Kind::Word, "Language of the page, BCP 47 primary tag.", |t| {
        Cell::opt(t.head.attributes.text(name::LANG).filter(|tag| !tag.is_empty()), Cell::text)
    }),
    Column::maybe("color_scheme", Kind::Word, "Colour scheme that media queries saw.", |t| text(t, name::COLOR_SCHEME)),
    Column::maybe(
        "reduced_motion",
        Kind::Bool,
        "Media queries heard that the user prefers reduced motion.",
        |t| match t.head.attributes.get(name::REDUCED_MOTION) {
            Some(Value::Bool(flag)) => Cell::Bool(*flag),
            _ => Cell::Null,
        },
    ),
    Column::maybe("image_format", Kind::Word, "How screenshots are written, as in `pages`.", |t| {
        text(t, name::IMAGE_FORMAT)
    }),
    Column::always("databuild", Kind::Word, "What wrote the row.", |_| Cell::text(CREATED_BY)),
    Column::maybe("chrome", Kind::Word, "Version of the browser that rendered both documents.", |t| {
        text(t, name::CHROME)
    }),
    Column::maybe("fonts", Kind::Word, "Digest of the fonts that were installed.", |t| text(t, name::FONTS)),
];

fn text<'a>(triple: &'a TripleItem, name: &str) -> Cell<'a> {
    Cell::opt(triple.head.attributes.text(name), Cell::text)
}
