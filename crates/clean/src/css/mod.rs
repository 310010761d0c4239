//! Style sheets: loaded, rewritten so that nothing in them is fetched, and joined into one.

mod font;
mod rewrite;
mod sheet;

pub(crate) use rewrite::{rewrite_attribute_value, rewrite_declarations};
pub(crate) use sheet::{Names, SheetCounts, Sheets, in_media};
