//! A shadow behind a box.

use super::kit::{boxes, declared, is_block, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "box.shadow", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_block(page, node) || page.tag(node) == "img" || page.looks_like_button(node))
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, _: &mut Rng) -> Option<Mutation> {
    let px = (8.0 + 16.0 * severity).round();
    let say = Say {
        goal: format!("let {} stand out with a shadow", site.words),
        exact: format!("Add a soft shadow of {px:.0} pixels below {}.", site.words),
    };
    let value = format!("0 {:.0}px {px:.0}px rgba(0, 0, 0, 0.45)", px / 2.0);
    declared(page, site, &[("box-shadow", value)], boxes(site, 2.0 * px as f32), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "box-shadow: ");
    }
}
