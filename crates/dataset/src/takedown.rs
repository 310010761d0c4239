//! Rows that somebody wants out of the dataset: what a row is found by, in items and in shards.
//!
//! Both sides give the same marks: the sink leaves rows out as they come, and a command says beforehand which rows of the
//! committed shards these are.

use std::path::Path;

use item::{Item, ItemId, Rule, Sha256Hex, Snapshot, Triple, name};

use crate::batch::named_cell;
use crate::column::Layout;
use crate::error::{self, DatasetError};
use crate::files::{OpenFile, sha256_hex};
use crate::pages;
use crate::record::Record;
use crate::schema::Subset;
use crate::triples;

/// Somebody asked for the page to be removed.
pub const TAKEDOWN: Rule = Rule {
    name: "takedown",
    meaning: "Somebody asked for it to be taken out of the dataset: by its address, its domain, its id or its hash, or that of the page that it was made of.",
};

/// What a row of `pages`, `edit`, `polish` or `preference` is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowMark {
    /// Where the row stands; those of `meta` are those of `pages`.
    pub subset: Subset,
    /// Identity.
    pub id: ItemId,
    /// Target URI.
    pub url: String,
    /// Registrable domain.
    pub domain: String,
    /// SHA-256 of the page's HTML; of a triple, of the page that it was made of.
    pub html_sha256: Sha256Hex,
    /// SHA-256 of the page's screenshot; triples name none.
    pub screenshot_sha256: Option<Sha256Hex>,
    /// `screenshot_sha256` of the page that a component was cut from.
    pub part_of: Option<Sha256Hex>,
}

impl RowMark {
    /// The mark of a row of `pages`.
    pub fn of_page(page: &Item<Snapshot>) -> Self {
        let head = &page.head;
        Self {
            subset: Subset::Pages,
            id: head.id,
            url: head.provenance.url.clone(),
            domain: head.provenance.domain.clone(),
            html_sha256: pages::html_sha256(page).into_owned(),
            screenshot_sha256: Some(pages::screenshot_sha256(page).into_owned()),
            part_of: head.attributes.text(name::PART_OF).map(str::to_owned),
        }
    }

    /// The mark of a row of `edit`, `polish` or `preference`.
    pub fn of_triple(triple: &Item<Triple>) -> Self {
        let Item { head, body } = triple;
        Self {
            subset: triples::table(body.task).0,
            id: head.id,
            url: head.provenance.url.clone(),
            domain: head.provenance.domain.clone(),
            html_sha256: sha256_hex(body.page().html.as_bytes()),
            screenshot_sha256: None,
            part_of: None,
        }
    }
}

/// The columns of a mark, in the order in which [`mark`] takes them.
fn names(subset: Subset) -> &'static [&'static str] {
    match subset {
        Subset::Pages | Subset::Meta => &["id", "url", "domain", "html_sha256", "screenshot_sha256", "part_of"],
        Subset::Edit | Subset::Polish | Subset::Preference => &["id", "url", "domain", "page_html_sha256"],
        Subset::Rejects => &[],
    }
}

/// Visits the marks of a shard's rows in their order. Rows of `rejects` have no content, and so no marks.
pub fn each_mark(path: &Path, subset: Subset, visit: &mut dyn FnMut(RowMark)) -> Result<(), DatasetError> {
    let names = names(subset);
    if names.is_empty() {
        return Ok(());
    }
    let layout: Layout = subset.layout();
    let file = OpenFile::open(path)?;
    file.expect_fields(&layout, names)?;
    let fields = layout.named(names);
    for batch in file.batches(names, None)? {
        let batch = batch.map_err(|source| error::parquet("read", path)(source.into()))?;
        for row in 0..batch.num_rows() {
            let problem = || "a row lacks a value that every row has".to_owned();
            let cells = fields.iter().map(|field| named_cell(field, &batch, row)).collect();
            let mark = mark(subset, &mut Record::new(cells));
            visit(mark.ok_or_else(|| DatasetError::Unexpected { path: path.to_owned(), problem: problem() })?);
        }
    }
    Ok(())
}

fn mark(subset: Subset, record: &mut Record<'_>) -> Option<RowMark> {
    let is_page = matches!(subset, Subset::Pages | Subset::Meta);
    Some(RowMark {
        subset,
        id: record.text()?.parse().ok()?,
        url: record.text()?,
        domain: record.text()?,
        html_sha256: record.text()?,
        screenshot_sha256: if is_page { Some(record.text()?) } else { None },
        part_of: if is_page { record.maybe_text()? } else { None },
    })
}
