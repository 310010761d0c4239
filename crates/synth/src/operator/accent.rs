//! A coloured bar at the left of a block.

use super::kit::{COLORS, below, color, declared, is_block, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "box.accent", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_block(page, node) || matches!(page.noun(node), "paragraph" | "quotation"))
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let px = (4.0 + 6.0 * severity).round();
    let (name, hex) = color(rng, page.background(*site.nodes.first()?), [255; 3], COLORS)?;
    let say = Say {
        goal: format!("mark {} with a {name} bar on its left side", site.words),
        exact: format!(
            "Give {} a left border of {px:.0} pixels in {hex} and 12 pixels of padding beside it.",
            site.words
        ),
    };
    let declarations = [("border-left", format!("{px:.0}px solid {hex}")), ("padding-left", "12px".to_owned())];
    declared(page, site, &declarations, below(site), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "border-left: ");
    }
}
