//! Two neighbours change places.

use super::kit::{below, siblings, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Change, Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "tree.swap", kind: Kind::Move, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| siblings(page, node).len() >= 2)
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let entries = siblings(page, *site.nodes.first()?);
    let first = rng.below(entries.len() - 1);
    let (one, two) = (entries[first], entries[first + 1]);
    let (from, to) = (page.range(one)?, page.range(two)?);
    let (one_words, two_words) = (page.describe(one)?, page.describe(two)?);
    let changes =
        spaced(vec![Change::replace(from.clone(), &page.html()[to.clone()]), Change::replace(to, &page.html()[from])]);
    let say = Say {
        goal: format!("swap {one_words} and {two_words}"),
        exact: format!("Let {one_words} and {two_words} change places."),
    };
    Some(Mutation { changes, touched: site.nodes.clone(), region: below(site), say })
}

/// Changes of neighbours without anything between them become one.
pub(super) fn spaced(changes: Vec<Change>) -> Vec<Change> {
    let mut joined: Vec<Change> = Vec::new();
    for change in changes {
        match joined.last_mut() {
            Some(last) if last.range.end == change.range.start => {
                last.range.end = change.range.end;
                last.text.push_str(&change.text);
            }
            _ => joined.push(change),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "data-box=\"420 510 300 30\">Closed on Monday</li><li data-box=\"420 480");
    }
}
