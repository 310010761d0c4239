//! The `meta` subset: `pages` without the pictures.
//!
//! Pictures are nine tenths of a dataset. What one filters by (scores, languages, domains, even the code) fits on a laptop;
//! `id` leads back to the row of `pages`, which stands in the same split.

use crate::column::{Kind, Layout};
use crate::pages::PAGES;

pub(crate) const NAME: &str = "meta";

/// Columns of `pages` that are taken.
pub(crate) fn takes() -> Vec<usize> {
    let fields = PAGES.layout().fields;
    let light = fields.iter().enumerate().filter(|(_, field)| !matches!(field.kind, Kind::Image));
    light.map(|(index, _)| index).collect()
}

/// The columns have the version of `pages`: they are the same ones.
pub(crate) fn layout() -> Layout {
    let fields = PAGES.layout().fields.into_iter().filter(|field| !matches!(field.kind, Kind::Image)).collect();
    Layout { name: NAME, version: PAGES.version, fields }
}
