//! The background of a block, in a light colour that its text reads well on.

use super::kit::{TINTS, boxes, color, declared, is_block, singles, text_color};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "color.background", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_block(page, node) || page.looks_like_button(node))
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let (name, hex) = color(rng, page.background(node), text_color(page, node), TINTS)?;
    let say = Say {
        goal: format!("give {} a {name} background", site.words),
        exact: format!("Set the background colour of {} to {hex}.", site.words),
    };
    declared(page, site, &[("background", hex.to_owned())], boxes(site, 2.0), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "background: #");
    }
}
