//! Lines between the cells of a table.

use super::kit::{below, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "table.lines", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| page.tag(node) == "table")
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, _: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let px = if severity > 0.5 { 2 } else { 1 };
    let cells = page.shown().filter(|&cell| matches!(page.tag(cell), "td" | "th") && page.contains(node, cell));
    let line = [("border", format!("{px}px solid #6b7280"))];
    let changes = cells.map(|cell| page.declare_inline(cell, &line)).collect::<Option<Vec<_>>>()?;
    let say = Say {
        goal: format!("draw lines between the cells of {}", site.words),
        exact: format!("Give every cell of {} a solid border of {px} pixels in #6b7280.", site.words),
    };
    (!changes.is_empty()).then(|| Mutation { changes, touched: site.nodes.clone(), region: below(site), say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "border: 1px solid #6b7280");
    }
}
