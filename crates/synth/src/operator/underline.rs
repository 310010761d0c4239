//! A line under a text.

use super::kit::{boxes, declared, is_text, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "type.underline", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_text(page, node) && page.node(node).text.len() <= 80 && page.noun(node) != "link")
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, _: &mut Rng) -> Option<Mutation> {
    let width = if severity > 0.5 { 3 } else { 2 };
    let say = Say {
        goal: format!("underline {}", site.words),
        exact: format!("Underline {} with a line of {width} pixels.", site.words),
    };
    declared(page, site, &[("text-decoration", format!("underline {width}px"))], boxes(site, 6.0), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "text-decoration: underline");
    }
}
