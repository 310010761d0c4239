//! Where in their row things stand.

use super::kit::{below, declared, is_row, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "layout.justify", kind: Kind::Layout, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_row(page, node))
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let (value, how) =
        [("center", "in the middle"), ("space-between", "spread over the whole width"), ("flex-end", "at the right")]
            [rng.below(3)];
    let say = Say {
        goal: format!("let the parts of {} stand {how}", site.words),
        exact: format!("Align the row of parts in {} so that they stand {how}.", site.words),
    };
    let declarations = [("display", "flex".to_owned()), ("justify-content", value.to_owned())];
    declared(page, site, &declarations, below(site), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "justify-content: ");
    }
}
