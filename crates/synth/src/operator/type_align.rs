//! The alignment of the lines of a text.

use super::kit::{boxes, declared, is_text, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "type.align", kind: Kind::Layout, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_text(page, node) && page.rect(node).width > 240.0)
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let to = ["center", "right"][rng.below(2)];
    let how = if to == "center" { "center" } else { "right-align" };
    let say = Say {
        goal: format!("{how} {}", site.words),
        exact: format!("Set the text alignment of {} to {to}.", site.words),
    };
    declared(page, site, &[("text-align", to.to_owned())], boxes(site, 2.0), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "text-align: ");
    }
}
