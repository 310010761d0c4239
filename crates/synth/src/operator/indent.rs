//! The room to the left of a block.

use super::kit::{below, declared, is_text, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "space.indent", kind: Kind::Layout, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_text(page, node) && page.rect(node).width > 200.0)
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, _: &mut Rng) -> Option<Mutation> {
    let px = 32.0 + 64.0 * severity;
    let say = Say {
        goal: format!("indent {}", site.words),
        exact: format!("Move {} in from the left by a padding of {px:.0} pixels.", site.words),
    };
    declared(page, site, &[("padding-left", format!("{px:.0}px"))], below(site), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "padding-left: ");
    }
}
