//! An entry stands there once more.

use super::kit::{below, siblings, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Change, Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "tree.duplicate", kind: Kind::Add, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| page.parent(node).is_some_and(|parent| siblings(page, parent).contains(&node)))
}

fn apply(page: &Page<'_>, site: &Site, _: f64, _: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let range = page.range(node)?;
    let say = Say {
        goal: format!("repeat {} once more right behind it", site.words),
        exact: format!("Add a copy of {} directly after it.", site.words),
    };
    let copy = page.html()[range.clone()].replace(" id=\"", " data-id=\"");
    Some(Mutation {
        changes: vec![Change::insert(range.end, copy)],
        touched: site.nodes.clone(),
        region: below(site),
        say,
    })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "Cash and card</li><li data-box=\"420 540 300 30\">Cash and card</li>");
    }
}
