//! A small mark behind a heading.

use super::kit::{COLORS, below, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Change, Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "text.badge", kind: Kind::Add, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| matches!(page.noun(node), "heading" | "list item") && page.text_range(node).is_some())
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let mark = ["New", "Sale", "Beta", "Popular"][rng.below(4)];
    let (name, hex, _) = rng.pick(COLORS)?;
    let html = format!(
        " <span style=\"background: {hex}; color: #fff; font-size: 12px; padding: 2px 8px; border-radius: 10px; vertical-align: middle\">{mark}</span>"
    );
    let say = Say {
        goal: format!("add a small {name} “{mark}” badge to {}", site.words),
        exact: format!("Add a badge “{mark}”, white on {hex} in 12 pixel type, behind the text of {}.", site.words),
    };
    let change = Change::insert(page.text_range(node)?.end, html);
    Some(Mutation { changes: vec![change], touched: vec![node], region: below(site), say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "vertical-align: middle");
    }
}
