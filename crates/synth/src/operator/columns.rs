//! The number of columns in which entries stand.

use super::kit::{below, declared, share, siblings, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "layout.columns", kind: Kind::Layout, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| {
        siblings(page, node).len() >= 3
            && !matches!(page.tag(node), "tbody" | "table" | "thead")
            && share(page, node) > 0.01
    })
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let count = siblings(page, *site.nodes.first()?).len();
    let columns = 2 + rng.below(count.min(4) - 1);
    let say = Say {
        goal: format!("arrange the entries of {} in {columns} columns", site.words),
        exact: format!(
            "Lay out the {count} entries of {} as a grid of {columns} equal columns with gaps of 16 pixels.",
            site.words
        ),
    };
    let declarations = [
        ("display", "grid".to_owned()),
        ("grid-template-columns", format!("repeat({columns}, 1fr)")),
        ("gap", "16px".to_owned()),
    ];
    declared(page, site, &declarations, below(site), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "grid-template-columns: repeat(");
    }
}
