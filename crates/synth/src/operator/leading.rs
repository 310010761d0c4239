//! The distance of lines in a text of several.

use super::kit::{below, declared, is_text, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "type.leading", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_text(page, node) && page.rect(node).height > page.node(node).font_size * 1.8)
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let value = if rng.chance(0.5) { 1.9 + 0.4 * severity } else { 1.15 };
    let how = if value > 1.5 { "more air between its lines" } else { "tighter lines" };
    let say = Say {
        goal: format!("give {} {how}", site.words),
        exact: format!("Set the line height of {} to {value:.2}.", site.words),
    };
    declared(page, site, &[("line-height", format!("{value:.2}"))], below(site), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "line-height: ");
    }
}
