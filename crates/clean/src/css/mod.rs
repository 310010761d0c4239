//! Style sheets: loaded, rewritten so that nothing in them is fetched, and joined into one.

mod declaration;
mod font;
mod index;
mod matcher;
mod media;
mod purge;
mod rewrite;
mod scan;
mod selectors;
mod sheet;
mod sketch;
mod tree;
mod write;

pub(crate) use purge::{Declared, Placed, Purge, attributes_named, matches};
pub(crate) use rewrite::{rewrite_attribute_value, rewrite_declarations};
pub(crate) use selectors::selectors_of;
pub(crate) use sheet::{Names, Piece, SheetCounts, Sheets, decoded};
pub(crate) use write::Format;

use crate::resource::Resources;

/// The sheets as one text, nothing left out: only what a browser would fetch is replaced, and comments go.
pub(crate) fn joined(pieces: &[Piece], resources: Resources<'_>, names: &mut Names) -> String {
    let mut joined = String::new();
    for piece in pieces {
        let mut css = rewrite::rewrite_sheet(&piece.css, &piece.base, resources, names);
        for condition in piece.conditions.iter().rev() {
            // An empty layer still takes its place in the order of layers; other empty blocks say nothing.
            if !css.is_empty() || matches!(condition, sheet::Condition::Layer(_)) {
                css = format!("{}{{\n{css}\n}}", condition.head());
            }
        }
        if !css.is_empty() && !joined.is_empty() {
            joined.push('\n');
        }
        joined.push_str(&css);
    }
    joined
}

/// Without white space at the ends; the space that ends an escape is part of a name.
fn trimmed(css: &str) -> &str {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
    let css = css.trim_start_matches(is_space);
    let short = css.trim_end_matches(is_space);
    let backslashes = short.len() - short.trim_end_matches('\\').len();
    if backslashes % 2 == 1 { &css[..css.len().min(short.len() + 1)] } else { short }
}
