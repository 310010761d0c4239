//! The order of all entries, turned around.

use super::kit::{below, siblings, singles};
use super::order::spaced;
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Change, Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "layout.reverse", kind: Kind::Move, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| siblings(page, node).len() >= 3)
}

fn apply(page: &Page<'_>, site: &Site, _: f64, _: &mut Rng) -> Option<Mutation> {
    let entries = siblings(page, *site.nodes.first()?);
    let ranges = entries.iter().map(|&entry| page.range(entry)).collect::<Option<Vec<_>>>()?;
    let pairs = ranges.iter().zip(ranges.iter().rev());
    let moved = pairs.filter(|(to, from)| to != from && page.html()[(*to).clone()] != page.html()[(*from).clone()]);
    let changes = moved.map(|(to, from)| Change::replace(to.clone(), &page.html()[from.clone()]));
    let changes: Vec<Change> = spaced(changes.collect());
    let say = Say {
        goal: format!("turn the order of the entries in {} around", site.words),
        exact: format!("Reverse the order of the {} entries in {}: the last comes first.", entries.len(), site.words),
    };
    (!changes.is_empty()).then(|| Mutation { changes, touched: site.nodes.clone(), region: below(site), say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "<li data-box=\"420 540 300 30\">Cash and card</li><li");
    }
}
