//! The width of the column that holds the page.

use super::kit::{declared, whole};
use super::{Kind, Mutation, Operator, Region, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "page.width", kind: Kind::Layout, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    whole(page)
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, _: &mut Rng) -> Option<Mutation> {
    let px = 1_080.0 - 240.0 * severity;
    let say = Say {
        goal: "put the page's content into a narrower column in the middle".to_owned(),
        exact: format!("Limit the page's body to a width of {px:.0} pixels and center it."),
    };
    let declarations = [("max-width", format!("{px:.0}px")), ("margin", "0 auto".to_owned())];
    declared(page, site, &declarations, Region::Page, say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "max-width: ");
    }
}
