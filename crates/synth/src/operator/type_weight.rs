//! The weight of a text.

use super::kit::{below, declared, is_text, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "type.weight", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_text(page, node))
}

fn apply(page: &Page<'_>, site: &Site, _: f64, _: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let (weight, how) =
        if page.node(node).font_weight >= 600 { ("400", "regular instead of bold") } else { ("800", "bold") };
    let say = Say {
        goal: format!("make {} {how}", site.words),
        exact: format!("Set the font weight of {} to {weight}.", site.words),
    };
    declared(page, site, &[("font-weight", weight.to_owned())], below(site), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "font-weight: 800");
    }
}
