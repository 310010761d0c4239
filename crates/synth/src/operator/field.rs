//! Another field in a form.

use super::kit::{below, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Change, Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "form.field", kind: Kind::Add, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| page.tag(node) == "form")
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let label = ["Phone number", "Company", "How did you hear of us?", "Postal code"][rng.below(4)];
    let at = page.inner(node)?.start;
    let html = format!(
        "<p style=\"margin: 8px 0\"><label>{label} <input type=\"text\" style=\"padding: 6px; border: 1px solid #888\"></label></p>"
    );
    let say = Say {
        goal: format!("add a field for “{label}” at the beginning of {}", site.words),
        exact: format!("Insert a text field with the label “{label}” as the first part of {}.", site.words),
    };
    Some(Mutation { changes: vec![Change::insert(at, html)], touched: vec![node], region: below(site), say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "<label>");
    }
}
