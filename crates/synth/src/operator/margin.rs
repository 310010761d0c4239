//! The room above a block.

use super::kit::{below, declared, is_block, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "space.margin", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_block(page, node) || page.noun(node) == "heading")
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, _: &mut Rng) -> Option<Mutation> {
    let px = 24.0 + 72.0 * severity;
    let say = Say {
        goal: format!("leave more space above {}", site.words),
        exact: format!("Set the top margin of {} to {px:.0} pixels.", site.words),
    };
    declared(page, site, &[("margin-top", format!("{px:.0}px"))], below(site), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "margin-top: ");
    }
}
