//! The width of a box.

use super::kit::{below, declared, is_block, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "box.width", kind: Kind::Layout, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_block(page, node) && page.rect(node).width > 300.0)
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, _: &mut Rng) -> Option<Mutation> {
    let percent = 85.0 - 30.0 * severity;
    let px = f64::from(page.rect(*site.nodes.first()?).width) * percent / 100.0;
    let say = Say {
        goal: format!("make {} narrower", site.words),
        exact: format!(
            "Set the width of {} to {px:.0} pixels, which is {percent:.0} percent of what it is.",
            site.words
        ),
    };
    declared(page, site, &[("width", format!("{px:.0}px"))], below(site), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "width: ");
    }
}
