//! A row of a table is taken out.

use super::kit::{below, shown_children, singles};
use super::stripes::rows;
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Change, Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "table.row", kind: Kind::Remove, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| page.tag(node) == "table" && rows(page, node).len() >= 3)
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let rows = rows(page, *site.nodes.first()?);
    let row = rows[1 + rng.below(rows.len() - 1)];
    let first = page.text(*shown_children(page, row).first()?);
    if first.is_empty() || first.chars().count() > 60 {
        return None;
    }
    let say = Say {
        goal: format!("delete the row “{first}” from {}", site.words),
        exact: format!("Remove the row that begins with “{first}” from {}.", site.words),
    };
    Some(Mutation {
        changes: vec![Change::remove(page.range(row)?)],
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
        check(&OPERATOR, "</th></tr><tr data-box=\"760 5");
    }
}
