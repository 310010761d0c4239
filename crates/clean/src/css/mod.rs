//! Style sheets: loaded, rewritten so that nothing in them is fetched, and joined into one.

mod font;
mod rewrite;
mod sheet;

pub(crate) use rewrite::{rewrite_attribute_value, rewrite_declarations};
pub(crate) use sheet::{Names, SheetCounts, Sheets, in_media};

/// Without white space at the ends; the space that ends an escape is part of a name.
fn trimmed(css: &str) -> &str {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
    let css = css.trim_start_matches(is_space);
    let short = css.trim_end_matches(is_space);
    let backslashes = short.len() - short.trim_end_matches('\\').len();
    if backslashes % 2 == 1 { &css[..css.len().min(short.len() + 1)] } else { short }
}
