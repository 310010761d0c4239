//! The table of losses: what rests of them between phases, and the `rejects` subset, are the same columns.

use item::{ItemId, Loss, LossKind, Provenance};

use crate::cell::Cell;
use crate::column::{Column, Kind, Table};
use crate::record::Record;

/// Every item that did not reach the dataset, and why.
pub(crate) const REJECTS: Table<Loss> = Table { name: "rejects", version: 1, columns: &[COLUMNS] };

const COLUMNS: &[Column<Loss>] = &[
    Column::always("id", Kind::Text, "Identity of the item: 32 hex digits.", |l| Cell::owned(l.id.to_string())),
    Column::always("url", Kind::Text, "Target URI of the capture.", |l| Cell::text(&l.provenance.url)),
    Column::always("domain", Kind::Word, "Registrable domain of the URI's host.", |l| Cell::text(&l.provenance.domain)),
    Column::always("crawl", Kind::Word, "Crawl that the archive belongs to; empty when not named.", |l| {
        Cell::text(&l.provenance.crawl)
    }),
    Column::always("warc_filename", Kind::Word, "Name of the WARC file.", |l| Cell::text(&l.provenance.warc_filename)),
    Column::always("warc_record_offset", Kind::Int, "Byte at which the record starts in the file.", |l| {
        Cell::count(l.provenance.warc_record_offset)
    }),
    Column::always("warc_record_length", Kind::Int, "Bytes of the record in the file; 0 when unknown.", |l| {
        Cell::count(l.provenance.warc_record_length)
    }),
    Column::always("fetched_at", Kind::Text, "When the capture was made, RFC 3339.", |l| {
        Cell::text(&l.provenance.fetched_at)
    }),
    Column::always("stage", Kind::Word, "Stage or barrier that lost the item.", |l| Cell::text(&l.stage)),
    Column::always("kind", Kind::Word, "`rejected` (we do not want it) or `failed` (we could not).", |l| {
        Cell::text(l.kind.name())
    }),
    Column::always("rule", Kind::Word, "Name of the rule, or of the class of failure.", |l| Cell::text(&l.rule)),
    Column::always("detail", Kind::Text, "What was measured, or the error.", |l| Cell::text(&l.detail)),
];

/// A loss from the cells of its row; `None` when they are not what [`REJECTS`] wrote.
pub(crate) fn from_record(record: &mut Record<'_>) -> Option<Loss> {
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
    let stage = record.text()?;
    let kind = match record.text()?.as_str() {
        "rejected" => LossKind::Rejected,
        "failed" => LossKind::Failed,
        _ => return None,
    };
    Some(Loss { id, provenance, stage, kind, rule: record.text()?, detail: record.text()? })
}
