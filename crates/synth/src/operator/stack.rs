//! What stands side by side, below each other.

use super::kit::{below, declared, is_row, shown_children, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "layout.direction", kind: Kind::Layout, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_row(page, node))
}

fn apply(page: &Page<'_>, site: &Site, _: f64, _: &mut Rng) -> Option<Mutation> {
    let count = shown_children(page, *site.nodes.first()?).len();
    let say = Say {
        goal: format!("stack the {count} parts of {} on top of each other", site.words),
        exact: format!("Arrange the {count} parts of {} in one column instead of a row.", site.words),
    };
    let declarations =
        [("display", "flex".to_owned()), ("flex-direction", "column".to_owned()), ("gap", "8px".to_owned())];
    declared(page, site, &declarations, below(site), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "flex-direction: column");
    }
}
