//! A line around a box.

use super::kit::{COLORS, below, color, declared, is_block, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "box.border", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_block(page, node) || page.tag(node) == "img")
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let px = (2.0 + 3.0 * severity).round();
    let (name, hex) = color(rng, page.background(*site.nodes.first()?), [255; 3], COLORS)?;
    let say = Say {
        goal: format!("put a {name} border around {}", site.words),
        exact: format!("Give {} a solid border of {px:.0} pixels in {hex}.", site.words),
    };
    declared(page, site, &[("border", format!("{px:.0}px solid {hex}"))], below(site), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "border: ");
    }
}
