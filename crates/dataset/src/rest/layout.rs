//! Columns of rest files.

use item::{
    Attributes, Body, BodyKind, Capture, CharsetSource, Head, Item, ItemId, Node, Page, Provenance, Snapshot, Viewport,
};

use super::sample::{AFTER, DETAILS, SAMPLE, TARGET, WORSE, sample_from};
use crate::cell::Cell;
use crate::column::{Column, Field, Kind, Table};
use crate::node;
use crate::record::Record;

/// The table for items of that kind.
pub(super) const fn table(kind: BodyKind) -> Table<Item> {
    match kind {
        BodyKind::Capture => Table { name: "rest-capture", version: 1, columns: &[HEAD, CAPTURE] },
        BodyKind::Page => Table { name: "rest-page", version: 1, columns: &[HEAD, PAGE] },
        BodyKind::Snapshot => Table { name: "rest-snapshot", version: 2, columns: &[HEAD, SNAPSHOT] },
        BodyKind::Sample => {
            Table { name: "rest-sample", version: 2, columns: &[HEAD, SAMPLE, AFTER, TARGET, WORSE, DETAILS] }
        }
    }
}

/// Which body the items of a file have, by the name and version of its layout.
pub(super) fn kind_of(layout: &str) -> Option<BodyKind> {
    [BodyKind::Capture, BodyKind::Page, BodyKind::Snapshot, BodyKind::Sample].into_iter().find(|&kind| {
        let table = table(kind);
        layout == format!("{}/{}", table.name, table.version)
    })
}

/// Names of the head's columns, in their order.
pub(super) fn head_names() -> Vec<&'static str> {
    HEAD.iter().map(|column| column.field.name).collect()
}

const HEAD: &[Column<Item>] = &[
    Column::always("id", Kind::Text, "Identity of the item.", |i| Cell::owned(i.head.id.to_string())),
    Column::always("url", Kind::Text, "Target URI.", |i| Cell::text(&i.head.provenance.url)),
    Column::always("domain", Kind::Word, "Registrable domain.", |i| Cell::text(&i.head.provenance.domain)),
    Column::always("crawl", Kind::Word, "Crawl.", |i| Cell::text(&i.head.provenance.crawl)),
    Column::always("warc_filename", Kind::Word, "Name of the WARC file.", |i| {
        Cell::text(&i.head.provenance.warc_filename)
    }),
    Column::always("warc_record_offset", Kind::Int, "Start of the record.", |i| {
        Cell::count(i.head.provenance.warc_record_offset)
    }),
    Column::always("warc_record_length", Kind::Int, "Bytes of the record.", |i| {
        Cell::count(i.head.provenance.warc_record_length)
    }),
    Column::always("fetched_at", Kind::Text, "Capture date.", |i| Cell::text(&i.head.provenance.fetched_at)),
    Column::always("attributes", Kind::Text, "Attributes as a JSON object.", |i| attributes_cell(&i.head.attributes)),
];

const CAPTURE: &[Column<Item>] = &[
    Column::always("status", Kind::Int, "HTTP status.", |i| of_capture(i, |c| Cell::Int(c.status.into()))),
    Column::always("headers", Kind::List(&HEADER), "HTTP headers.", |i| of_capture(i, headers_cell)),
    Column::always("mime", Kind::Word, "MIME type.", |i| of_capture(i, |c| Cell::text(&c.mime))),
    Column::always("charset", Kind::Word, "Charset.", |i| of_capture(i, |c| Cell::text(&c.charset))),
    Column::always("charset_source", Kind::Word, "What named it.", |i| {
        of_capture(i, |c| Cell::text(c.charset_source.name()))
    }),
    Column::always("html", Kind::LongText, "The payload.", |i| of_capture(i, |c| Cell::text(&c.html))),
    Column::always("truncated", Kind::Bool, "Cut by the crawler.", |i| of_capture(i, |c| Cell::Bool(c.truncated))),
];

const HEADER: Field = Field::always(
    "item",
    Kind::Struct(&[
        Field::always("name", Kind::Word, "Name as sent."),
        Field::always("value", Kind::Text, "Value as sent."),
    ]),
    "One header.",
);

const PAGE: &[Column<Item>] = &[Column::always("html", Kind::LongText, "The document.", |i| match &i.body {
    Body::Page(page) => Cell::text(&page.html),
    _ => Cell::Null,
})];

const SNAPSHOT: &[Column<Item>] = &[
    Column::always("html", Kind::LongText, "The document.", |i| of_snapshot(i, |s| Cell::text(&s.html))),
    Column::always("viewport_width", Kind::Int, "CSS px.", |i| of_snapshot(i, |s| Cell::Int(s.viewport.width.into()))),
    Column::always("viewport_height", Kind::Int, "CSS px.", |i| {
        of_snapshot(i, |s| Cell::Int(s.viewport.height.into()))
    }),
    Column::always("device_scale_factor", Kind::Float, "Device px a CSS px.", |i| {
        of_snapshot(i, |s| Cell::Float(s.viewport.device_scale_factor))
    }),
    Column::always("screenshot", Kind::Bytes, "PNG.", |i| of_snapshot(i, |s| Cell::bytes(&s.screenshot))),
    Column::always("width", Kind::Int, "Device px.", |i| of_snapshot(i, |s| Cell::Int(s.width.into()))),
    Column::always("height", Kind::Int, "Device px.", |i| of_snapshot(i, |s| Cell::Int(s.height.into()))),
    Column::always("nodes", Kind::List(&NODE), "Elements in document order.", |i| {
        of_snapshot(i, |s| Cell::Many(s.nodes.iter().map(node_cell).collect()))
    }),
];

pub(super) const NODE: Field = Field::always(
    "item",
    Kind::Struct(&[
        Field::always("tag", Kind::Word, "Tag name."),
        Field::maybe("parent", Kind::Int, "Index of the parent."),
        Field::always("x", Kind::Float32, "Left edge."),
        Field::always("y", Kind::Float32, "Top edge."),
        Field::always("w", Kind::Float32, "Width."),
        Field::always("h", Kind::Float32, "Height."),
        Field::maybe("start", Kind::Int, "First byte in the HTML."),
        Field::maybe("end", Kind::Int, "Byte after the last."),
        Field::maybe("role", Kind::Word, "ARIA role."),
        Field::always("text", Kind::Text, "Text directly inside."),
        Field::maybe("style", Kind::Text, "Style attribute."),
        Field::always("visible", Kind::Bool, "Can be seen."),
        Field::always("font_size", Kind::Float32, "CSS px."),
        Field::always("color", Kind::Word, "Text colour."),
        Field::always("background", Kind::Word, "Background colour."),
        Field::always("name", Kind::Text, "Accessible name."),
        Field::always("visibility", Kind::Word, "Whether it can be seen, or why not."),
        Field::always("font_family", Kind::Word, "Font families."),
        Field::always("font_weight", Kind::Int, "1 to 1000."),
        Field::always("paint_order", Kind::Int, "Rank of painting."),
    ]),
    "One element.",
);

fn of_capture<'a>(item: &'a Item, get: fn(&'a Capture) -> Cell<'a>) -> Cell<'a> {
    match &item.body {
        Body::Capture(capture) => get(capture),
        _ => Cell::Null,
    }
}

fn of_snapshot<'a>(item: &'a Item, get: fn(&'a Snapshot) -> Cell<'a>) -> Cell<'a> {
    match &item.body {
        Body::Snapshot(snapshot) => get(snapshot),
        _ => Cell::Null,
    }
}

fn attributes_cell(attributes: &Attributes) -> Cell<'static> {
    // Plain data with text keys: serialising it cannot fail; a null would be refused by the writer.
    serde_json::to_string(attributes).map_or(Cell::Null, Cell::owned)
}

fn headers_cell(capture: &Capture) -> Cell<'_> {
    let header = |(name, value): &'_ (String, String)| -> Cell<'static> {
        Cell::Many(vec![Cell::owned(name.clone()), Cell::owned(value.clone())])
    };
    Cell::Many(capture.headers.iter().map(header).collect())
}

pub(super) fn node_cell(node: &Node) -> Cell<'_> {
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
        Cell::opt(node.style.as_deref(), Cell::text),
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

/// A head from the cells of its columns; `None` when they are not what the table wrote.
pub(super) fn head_from(record: &mut Record<'_>) -> Option<Head> {
    let id: ItemId = record.text()?.parse().ok()?;
    let provenance = Provenance {
        url: record.text()?,
        domain: record.text()?,
        crawl: record.text()?,
        warc_filename: record.text()?,
        warc_record_offset: record.count()?,
        warc_record_length: record.count()?,
        fetched_at: record.text()?,
    };
    let attributes = serde_json::from_str(&record.text()?).ok()?;
    Some(Head { id, provenance, attributes })
}

/// A body of that kind from the cells after the head's.
pub(super) fn body_from(kind: BodyKind, record: &mut Record<'_>) -> Option<Body> {
    Some(match kind {
        BodyKind::Capture => Body::Capture(capture_from(record)?),
        BodyKind::Page => Body::Page(Page { html: record.text()? }),
        BodyKind::Snapshot => Body::Snapshot(snapshot_from(record)?),
        BodyKind::Sample => Body::Sample(sample_from(record)?),
    })
}

fn capture_from(record: &mut Record<'_>) -> Option<Capture> {
    let status = record.int()?.try_into().ok()?;
    let header = |cell| match cell {
        Cell::Many(cells) => {
            let mut fields = Record::new(cells);
            Some((fields.text()?, fields.text()?))
        }
        _ => None,
    };
    Some(Capture {
        status,
        headers: record.many()?.into_iter().map(header).collect::<Option<_>>()?,
        mime: record.text()?,
        charset: record.text()?,
        charset_source: charset_source(&record.text()?)?,
        html: record.text()?,
        truncated: record.flag()?,
    })
}

fn charset_source(name: &str) -> Option<CharsetSource> {
    use CharsetSource::{Bom, Detected, Http, Meta};
    [Bom, Http, Meta, Detected].into_iter().find(|source| source.name() == name)
}

fn snapshot_from(record: &mut Record<'_>) -> Option<Snapshot> {
    Some(Snapshot {
        html: record.text()?,
        viewport: Viewport {
            width: record.count_u32()?,
            height: record.count_u32()?,
            device_scale_factor: record.float()?,
        },
        screenshot: record.bytes()?,
        width: record.count_u32()?,
        height: record.count_u32()?,
        nodes: record.many()?.into_iter().map(node_from).collect::<Option<_>>()?,
    })
}

pub(super) fn node_from(cell: Cell<'_>) -> Option<Node> {
    node::from_cell(cell, true)
}
