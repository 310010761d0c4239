//! The colour of a text.

use super::kit::{COLORS, boxes, color, declared, is_text, singles, text_color};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "color.text", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_text(page, node))
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let (name, hex) = color(rng, text_color(page, node), page.background(node), COLORS)?;
    let say = Say {
        goal: format!("make {} {name}", site.words),
        exact: format!("Set the text colour of {} to {hex}.", site.words),
    };
    declared(page, site, &[("color", hex.to_owned())], boxes(site, 2.0), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "color: #");
    }
}
