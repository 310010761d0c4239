//! The last entry becomes the first.

use super::kit::{below, siblings, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Change, Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "tree.first", kind: Kind::Move, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| siblings(page, node).len() >= 3 && page.tag(node) != "tbody")
}

fn apply(page: &Page<'_>, site: &Site, _: f64, _: &mut Rng) -> Option<Mutation> {
    let entries = siblings(page, *site.nodes.first()?);
    let (first, last) = (*entries.first()?, *entries.last()?);
    let words = page.describe(last)?;
    let (to, from) = (page.range(first)?, page.range(last)?);
    let changes = vec![Change::insert(to.start, &page.html()[from.clone()]), Change::remove(from)];
    let say = Say {
        goal: format!("move {words} to the front"),
        exact: format!("Move {words} from the last to the first place among its neighbours."),
    };
    Some(Mutation { changes, touched: site.nodes.clone(), region: below(site), say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "120\"><li data-box=\"420 540 300 30\">Cash and card");
    }
}
