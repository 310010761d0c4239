//! The marks before the entries of a list.

use super::kit::{below, siblings, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "list.markers", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| matches!(page.tag(node), "ul" | "ol") && siblings(page, node).len() >= 2)
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let (value, how) =
        [("square", "square bullets"), ("decimal", "numbers"), ("upper-alpha", "capital letters")][rng.below(3)];
    let say = Say {
        goal: format!("mark the entries of {} with {how}", site.words),
        exact: format!("Show {how} before each entry of {}, inside of the list.", site.words),
    };
    let node = *site.nodes.first()?;
    let style = [("list-style", format!("{value} inside"))];
    let mut changes = vec![page.declare_inline(node, &style)?];
    for entry in siblings(page, node) {
        changes.push(page.declare_inline(entry, &[("display", "list-item".to_owned()), style[0].clone()])?);
    }
    Some(Mutation { changes, touched: vec![node], region: below(site), say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "inside");
    }
}
