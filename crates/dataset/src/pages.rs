//! The `pages` subset: a rendered page, the code that renders it, and everything known about both.
//!
//! The first eight columns have the names and the meaning of Vision2UI's, so that training code written for it reads
//! ours. The others are typed, stand alone, and are never dropped between versions without a note.

use std::borrow::Cow;

use item::{Item, ModelScore, Node, Snapshot, Value, name, picture_extension};

use crate::bbox::bbox_json;
use crate::cell::Cell;
use crate::column::{Column, Field, Kind, Table};
use crate::files::{CREATED_BY, sha256_hex};

type PageItem = Item<Snapshot>;

/// One row per page and viewport.
pub(crate) const PAGES: Table<PageItem> =
    Table { name: "pages", version: 2, columns: &[VISION2UI, PROVENANCE, GEOMETRY, DUPLICATES, CODE, ORIGIN] };

/// Split of a page that was given none.
pub(crate) const DEFAULT_SPLIT: &str = "train";

/// The split a page belongs to.
pub(crate) fn split_of(page: &PageItem) -> &str {
    page.head.attributes.text(name::SPLIT).unwrap_or(DEFAULT_SPLIT)
}

/// SHA-256 of the page's HTML, as cleaning said.
pub(crate) fn html_sha256(page: &PageItem) -> Cow<'_, str> {
    let said = page.head.attributes.text(name::HTML_SHA256);
    said.map_or_else(|| Cow::Owned(sha256_hex(page.body.html.as_bytes())), Cow::Borrowed)
}

/// SHA-256 of the screenshot, as rendering said.
pub(crate) fn screenshot_sha256(page: &PageItem) -> Cow<'_, str> {
    let said = page.head.attributes.text(name::SCREENSHOT_SHA256);
    said.map_or_else(|| Cow::Owned(sha256_hex(&page.body.screenshot)), Cow::Borrowed)
}

/// Scale of Vision2UI's score.
const SCORE_MAX: f64 = 5.0;

const VISION2UI: &[Column<PageItem>] = &[
    Column::always(
        "image",
        Kind::Image,
        "Screenshot of `text`; `path` is `<id>.png`, or as `image_format` says.",
        |p| {
            Cell::Many(vec![
                Cell::bytes(&p.body.screenshot),
                Cell::owned(format!("{}.{}", p.head.id, picture_extension(&p.body.screenshot))),
            ])
        },
    ),
    Column::always(
        "bbox",
        Kind::LongText,
        "Layout as a JSON tree from `body` down: type, content, style, bbox [x, y, w, h], children.",
        |p| Cell::owned(bbox_json(&p.body.nodes)),
    ),
    Column::always("text", Kind::LongText, "The HTML document: the very bytes that were rendered.", |p| {
        Cell::text(&p.body.html)
    }),
    Column::always("scale", Kind::List(&INT), "Width and height of the screenshot in pixels.", |p| {
        Cell::Many(vec![Cell::Int(p.body.width.into()), Cell::Int(p.body.height.into())])
    }),
    Column::maybe("lang", Kind::Word, "Language of the visible text, BCP 47 primary tag; null when unknown.", |p| {
        Cell::opt(p.head.attributes.text(name::LANG).filter(|tag| !tag.is_empty()), Cell::text)
    }),
    Column::maybe("tokens", Kind::List(&INT), "Tokens of the style sheet, and of the HTML without it.", |p| {
        let (css, html) = (p.head.attributes.int(name::CSS_TOKENS), p.head.attributes.int(name::HTML_TOKENS));
        Cell::opt(css.zip(html), |(css, html)| Cell::Many(vec![Cell::Int(css), Cell::Int(html)]))
    }),
    Column::maybe("score", Kind::Int, "`quality` on Vision2UI's scale: 0 to 5, rounded.", |p| {
        Cell::opt(p.head.attributes.float(name::SCORE), |score| {
            Cell::Int((score * SCORE_MAX).round().clamp(0.0, SCORE_MAX) as i64)
        })
    }),
    Column::always("hash", Kind::Text, "SHA-256 of the image's bytes, computed when the row is written.", |p| {
        Cell::owned(sha256_hex(&p.body.screenshot))
    }),
];

const INT: Field = Field::always("item", Kind::Int, "A number.");

const PROVENANCE: &[Column<PageItem>] = &[
    Column::always("id", Kind::Text, "Identity of the row: 32 hex digits, the same in every run.", |p| {
        Cell::owned(p.head.id.to_string())
    }),
    Column::always("url", Kind::Text, "Target URI of the capture.", |p| Cell::text(&p.head.provenance.url)),
    Column::always("domain", Kind::Word, "Registrable domain of the URI's host, by the public-suffix list.", |p| {
        Cell::text(&p.head.provenance.domain)
    }),
    Column::always("crawl", Kind::Word, "Crawl that the archive belongs to; empty when not named.", |p| {
        Cell::text(&p.head.provenance.crawl)
    }),
    Column::always("warc_filename", Kind::Word, "Name of the WARC file.", |p| {
        Cell::text(&p.head.provenance.warc_filename)
    }),
    Column::always("warc_record_offset", Kind::Int, "Byte at which the record starts in the file.", |p| {
        Cell::count(p.head.provenance.warc_record_offset)
    }),
    Column::always("warc_record_length", Kind::Int, "Bytes of the record in the file; 0 when unknown.", |p| {
        Cell::count(p.head.provenance.warc_record_length)
    }),
    Column::always("fetched_at", Kind::Text, "When the capture was made, RFC 3339.", |p| {
        Cell::text(&p.head.provenance.fetched_at)
    }),
    text_column("charset", "Charset that the payload was decoded with (WHATWG name).", |p| text(p, name::CHARSET)),
    text_column("charset_source", "What named the charset: `bom`, `http`, `meta` or `detected`.", |p| {
        text(p, name::CHARSET_SOURCE)
    }),
    Column::maybe("title", Kind::Text, "Title of the document.", |p| text(p, name::TITLE)),
];

const GEOMETRY: &[Column<PageItem>] = &[
    Column::always("viewport_width", Kind::Int, "Width of the viewport in CSS px.", |p| {
        Cell::Int(p.body.viewport.width.into())
    }),
    Column::always("viewport_height", Kind::Int, "Height of the viewport in CSS px.", |p| {
        Cell::Int(p.body.viewport.height.into())
    }),
    Column::always("device_scale_factor", Kind::Float, "Device pixels a CSS px.", |p| {
        Cell::Float(p.body.viewport.device_scale_factor)
    }),
    text_column("view", "Name of the view: `main` for the first, `component`; null where there is only one.", |p| {
        text(p, name::VIEW)
    }),
    Column::maybe(
        "part_of",
        Kind::Text,
        "`screenshot_sha256` of the page that the component was cut from; null for pages.",
        |p| text(p, name::PART_OF),
    ),
    Column::maybe(
        "part_box",
        Kind::List(&INT),
        "Where it stands in that page's screenshot: left, top, width, height in CSS px.",
        |p| counts(p, name::PART_BOX),
    ),
    text_column("color_scheme", "Colour scheme that media queries saw: `light` or `dark`.", |p| {
        text(p, name::COLOR_SCHEME)
    }),
    Column::maybe("reduced_motion", Kind::Bool, "Media queries heard that the user prefers reduced motion.", |p| {
        flag(p, name::REDUCED_MOTION)
    }),
    text_column(
        "image_format",
        "`png`, `png-small`, `webp-lossless`, or `webp` or `jpeg` with its quality: `webp-85`.",
        |p| text(p, name::IMAGE_FORMAT),
    ),
    Column::maybe("stable", Kind::Bool, "A second render gave the same; null where there was none.", |p| {
        flag(p, name::STABLE)
    }),
    Column::maybe("blank_share", Kind::Float, "Share of the screenshot's height without content, 0 to 1.", |p| {
        float(p, name::BLANK_SHARE)
    }),
    Column::maybe("text_coverage", Kind::Float, "Share of the screenshot's area that text covers, 0 to 1.", |p| {
        float(p, name::TEXT_COVERAGE)
    }),
    int_column("page_width", "Width of the whole document in CSS px.", |p| int(p, name::PAGE_WIDTH)),
    int_column("page_height", "Height of the whole document in CSS px.", |p| int(p, name::PAGE_HEIGHT)),
    Column::always("nodes", Kind::List(&NODE), "Every element in document order.", |p| {
        Cell::Many(p.body.nodes.iter().map(node_cell).collect())
    }),
];

const NODE: Field = Field::always(
    "item",
    Kind::Struct(&[
        Field::always("tag", Kind::Word, "Tag name, lower case."),
        Field::maybe("parent", Kind::Int, "Index of the parent element in the list; null for the root."),
        Field::always("x", Kind::Float32, "Left edge of the border box in CSS px of the page."),
        Field::always("y", Kind::Float32, "Top edge."),
        Field::always("w", Kind::Float32, "Width."),
        Field::always("h", Kind::Float32, "Height."),
        Field::maybe("start", Kind::Int, "First byte of the element in `text` (UTF-8); null where the parser made it."),
        Field::maybe("end", Kind::Int, "Byte after the last one of the element in `text`."),
        Field::maybe("role", Kind::Word, "ARIA role; null for generic elements."),
        Field::always("text", Kind::Text, "Text directly inside the element, white space collapsed."),
        Field::always("visible", Kind::Bool, "Has a box with area and can be seen."),
        Field::always("font_size", Kind::Float32, "Computed font size in CSS px."),
        Field::always("color", Kind::Word, "Computed text colour, as CSS."),
        Field::always("background", Kind::Word, "Computed background colour, as CSS."),
        Field::always("name", Kind::Text, "Accessible name; empty when it has none."),
        Field::always(
            "visibility",
            Kind::Word,
            "`visible`, or why not: `no-box`, `hidden`, `transparent`, `clipped`, `off-screen`, `covered`.",
        ),
        Field::always("font_family", Kind::Word, "Computed font families, as CSS."),
        Field::always("font_weight", Kind::Int, "Computed font weight; 0 without a box."),
        Field::always("paint_order", Kind::Int, "Rank of painting: greater is in front."),
    ]),
    "One element.",
);

fn node_cell(node: &Node) -> Cell<'_> {
    Cell::Many(vec![
        Cell::text(&node.tag),
        Cell::opt(node.parent, |parent| Cell::Int(parent.into())),
        Cell::Float(node.rect.x.into()),
        Cell::Float(node.rect.y.into()),
        Cell::Float(node.rect.width.into()),
        Cell::Float(node.rect.height.into()),
        Cell::opt(node.range, |(start, _)| Cell::Int(start.into())),
        Cell::opt(node.range, |(_, end)| Cell::Int(end.into())),
        Cell::opt(node.role.as_deref(), Cell::text),
        Cell::text(&node.text),
        Cell::Bool(node.visible),
        Cell::Float(node.font_size.into()),
        Cell::text(&node.color),
        Cell::text(&node.background),
        Cell::text(&node.name),
        Cell::text(node.visibility.name()),
        Cell::text(&node.font_family),
        Cell::Int(node.font_weight.into()),
        Cell::Int(node.paint_order.into()),
    ])
}

const DUPLICATES: &[Column<PageItem>] = &[
    Column::always("html_sha256", Kind::Text, "SHA-256 of `text`'s bytes, as cleaning said.", |p| {
        Cell::Text(html_sha256(p))
    }),
    Column::always("screenshot_sha256", Kind::Text, "SHA-256 of the image's bytes, as rendering said.", |p| {
        Cell::Text(screenshot_sha256(p))
    }),
    Column::maybe("phash", Kind::Text, "Perceptual hash of the screenshot, hex.", |p| text(p, name::PHASH)),
    Column::maybe("dom_simhash", Kind::Text, "SimHash of the DOM's tag paths, 16 hex digits.", |p| {
        text(p, name::DOM_SIMHASH)
    }),
    Column::maybe("cluster", Kind::Text, "Near-duplicate cluster: the id of its representative.", |p| {
        text(p, name::CLUSTER)
    }),
    int_column(
        "cluster_size",
        "Pages in the near-duplicate cluster, this one and those refused before rendering included.",
        |p| int(p, name::CLUSTER_SIZE),
    ),
    Column::maybe("quality", Kind::Float, "Calibrated score, 0 to 1, higher is better.", |p| float(p, name::SCORE)),
    text_column("scorer", "Name and version of the scorer.", |p| text(p, name::SCORER)),
    Column::maybe("scores", Kind::List(&MODEL_SCORE), "All numbers of all scorers.", |p| {
        let scores = ModelScore::of(&p.head.attributes);
        let cell = |ModelScore { model, name, score }| {
            Cell::Many(vec![Cell::owned(model), Cell::owned(name), Cell::Float(score)])
        };
        if scores.is_empty() { Cell::Null } else { Cell::Many(scores.into_iter().map(cell).collect()) }
    }),
];

const MODEL_SCORE: Field = Field::always("item", Kind::Struct(MODEL_SCORE_FIELDS), "One number of one scorer.");

const MODEL_SCORE_FIELDS: &[Field] = &[
    Field::always("model", Kind::Text, "Name and version of the scorer."),
    Field::always("name", Kind::Text, "`score`, or the label of a sub-score."),
    Field::always("score", Kind::Float, "The number; of a score 0 to 1, higher is better."),
];

const CODE: &[Column<PageItem>] = &[
    int_column("html_bytes", "Bytes of the HTML without its style sheet.", |p| int(p, name::HTML_BYTES)),
    int_column("css_bytes", "Bytes of the style sheet.", |p| int(p, name::CSS_BYTES)),
    int_column("dom_elements", "Number of elements.", |p| int(p, name::DOM_ELEMENTS)),
    int_column("dom_depth", "Depth of the deepest element, `html` being 1.", |p| int(p, name::DOM_DEPTH)),
    int_column("dom_tags", "Number of different tag names.", |p| int(p, name::DOM_TAGS)),
    int_column("text_chars", "Characters of visible text.", |p| int(p, name::TEXT_CHARS)),
    int_column("n_images", "Number of images in the page.", |p| int(p, name::IMAGES)),
    text_column("image_policy", "What stands for the page's images: `placeholder`, `inline` or `original`.", |p| {
        text(p, name::IMAGE_POLICY)
    }),
    text_column("level", "How much the code was simplified: `gentle`, `default` or `compact`.", |p| {
        text(p, name::LEVEL)
    }),
    text_column(
        "proof",
        "The page as captured and the cleaned one, rendered: `equal`, `differs` or `no-original`; null where not compared.",
        |p| text(p, name::PROOF),
    ),
    Column::maybe("proof_difference", Kind::Float, "Share of the pixels in which those two differ, 0 to 1.", |p| {
        float(p, name::PROOF_DIFFERENCE)
    }),
    Column::maybe("tokens_cl100k", Kind::List(&INT), "Tokens of style sheet and HTML by `cl100k_base`.", |p| {
        counts(p, name::TOKENS_CL100K)
    }),
    Column::maybe("tokens_o200k", Kind::List(&INT), "Tokens of style sheet and HTML by `o200k_base`.", |p| {
        counts(p, name::TOKENS_O200K)
    }),
    Column::maybe(
        "scripts_ran",
        Kind::Bool,
        "The page was a shell that its scripts have filled; null for others.",
        |p| flag(p, name::SCRIPTS_RAN),
    ),
    int_column("masked", "Places with personal data that were masked; null where none is looked for.", |p| {
        int(p, name::MASKED)
    }),
    int_column("truncated_items", "Items that were cut off long lists; null without a budget.", |p| {
        int(p, name::TRUNCATED_ITEMS)
    }),
    int_column("truncated_texts", "Texts that were cut short; null without a budget.", |p| {
        int(p, name::TRUNCATED_TEXTS)
    }),
    Column::maybe("over_budget", Kind::Bool, "The page is longer than its budget even so.", |p| {
        flag(p, name::OVER_BUDGET)
    }),
    text_column("page_kind", "What the page is that is no content, such as `login-wall`; null for content.", |p| {
        text(p, name::PAGE_KIND)
    }),
    text_column("text_lang", "Language that the text is written in, found by its letters.", |p| {
        text(p, name::TEXT_LANG)
    }),
    Column::maybe("text_lang_confidence", Kind::Float, "How sure that is, 0 to 1.", |p| {
        float(p, name::TEXT_LANG_CONFIDENCE)
    }),
    int_column("explicit_words", "Different explicit words in address, title and text.", |p| {
        int(p, name::EXPLICIT_WORDS)
    }),
    Column::maybe("bad_word_share", Kind::Float, "Share of the words on the run's lists of bad words.", |p| {
        float(p, name::BAD_WORD_SHARE)
    }),
    Column::maybe(
        "css_coverage",
        Kind::Float,
        "Share of the page's classes that some rule of its style sheet names, 0 to 1.",
        |p| float(p, name::CSS_COVERAGE),
    ),
    int_column("css_found", "Linked style sheets that were found.", |p| int(p, name::CSS_FOUND)),
    int_column("css_missing", "Linked style sheets that were missing.", |p| int(p, name::CSS_MISSING)),
    text_column("robots", "Robots directives of the page and its headers.", |p| text(p, name::ROBOTS)),
    text_column("license", "Licence link of the page, if it names one.", |p| text(p, name::LICENSE)),
];

const ORIGIN: &[Column<PageItem>] = &[
    Column::always("split", Kind::Word, "Split that the row belongs to.", |p| Cell::text(split_of(p))),
    Column::always("databuild", Kind::Word, "What wrote the row.", |_| Cell::text(CREATED_BY)),
    text_column("chrome", "Version of the browser that rendered the page.", |p| text(p, name::CHROME)),
    text_column("fonts", "Digest of the fonts that were installed.", |p| text(p, name::FONTS)),
];

type Get = for<'a> fn(&'a PageItem) -> Cell<'a>;

const fn text_column(name: &'static str, doc: &'static str, get: Get) -> Column<PageItem> {
    Column::maybe(name, Kind::Word, doc, get)
}

const fn int_column(name: &'static str, doc: &'static str, get: Get) -> Column<PageItem> {
    Column::maybe(name, Kind::Int, doc, get)
}

fn text<'a>(page: &'a PageItem, name: &str) -> Cell<'a> {
    Cell::opt(page.head.attributes.text(name), Cell::text)
}

fn counts<'a>(page: &'a PageItem, name: &str) -> Cell<'a> {
    match page.head.attributes.get(name) {
        Some(Value::Floats(counts)) => Cell::Many(counts.iter().map(|count| Cell::Int(*count as i64)).collect()),
        _ => Cell::Null,
    }
}

fn flag<'a>(page: &'a PageItem, name: &str) -> Cell<'a> {
    match page.head.attributes.get(name) {
        Some(Value::Bool(flag)) => Cell::Bool(*flag),
        _ => Cell::Null,
    }
}

fn int<'a>(page: &'a PageItem, name: &str) -> Cell<'a> {
    Cell::opt(page.head.attributes.int(name), Cell::Int)
}

fn float<'a>(page: &'a PageItem, name: &str) -> Cell<'a> {
    Cell::opt(page.head.attributes.float(name), Cell::Float)
}
