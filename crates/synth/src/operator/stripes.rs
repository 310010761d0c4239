//! Every second row of a table has a background.

use super::kit::{TINTS, boxes, shown_children, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "table.stripes", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| page.tag(node) == "table" && rows(page, node).len() >= 2)
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let (name, hex, _) = rng.pick(TINTS)?;
    let striped = rows(page, node).into_iter().skip(1).step_by(2);
    let cells = striped.flat_map(|row| shown_children(page, row)).collect::<Vec<_>>();
    let changes = cells.iter().map(|&cell| page.declare_inline(cell, &[("background", (*hex).to_owned())]));
    let changes = changes.collect::<Option<Vec<_>>>()?;
    let say = Say {
        goal: format!("stripe the rows of {} in {name}", site.words),
        exact: format!("Give every second row of {} a background of {hex}.", site.words),
    };
    (!changes.is_empty()).then(|| Mutation { changes, touched: site.nodes.clone(), region: boxes(site, 2.0), say })
}

/// The rows of a table that are shown.
pub(super) fn rows(page: &Page<'_>, table: usize) -> Vec<usize> {
    page.shown().filter(|&node| page.tag(node) == "tr" && page.contains(table, node)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "<td data-box=\"760 520 200 40\" style=\"background: #");
    }
}
