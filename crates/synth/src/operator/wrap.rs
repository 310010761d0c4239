//! A frame around an element that stands alone.

use super::kit::{TINTS, below, is_text, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Change, Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "tree.group", kind: Kind::Add, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_text(page, node) && matches!(page.noun(node), "paragraph" | "heading"))
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let range = page.range(node)?;
    let (name, hex, _) = rng.pick(TINTS)?;
    let open = format!("<div style=\"background: {hex}; padding: 16px; border-radius: 8px\">");
    let say = Say {
        goal: format!("put {} into a {name} card", site.words),
        exact: format!(
            "Wrap {} in a card with a background of {hex}, 16 pixels of padding and rounded corners.",
            site.words
        ),
    };
    let changes = vec![Change::insert(range.start, open), Change::insert(range.end, "</div>")];
    Some(Mutation { changes, touched: site.nodes.clone(), region: below(site), say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "border-radius: 8px\"><h1");
    }
}
