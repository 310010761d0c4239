//! A section changes places with the one behind it.

use super::kit::{is_block, shown_children, singles};
use super::{Kind, Mutation, Operator, Region, Site};
use crate::edit::{Change, Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "tree.move", kind: Kind::Move, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| next(page, node).is_some())
}

fn apply(page: &Page<'_>, site: &Site, _: f64, _: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let below = next(page, node)?;
    let words = page.describe(below)?;
    let (from, to) = (page.range(node)?, page.range(below)?);
    let section = &page.html()[from.clone()];
    let changes = vec![Change::remove(from), Change::insert(to.end, section)];
    let say = Say {
        goal: format!("move {} below {words}", site.words),
        exact: format!("Let {} follow directly after {words} instead of standing before it.", site.words),
    };
    Some(Mutation { changes, touched: vec![node, below], region: Region::Below(node), say })
}

/// The block that follows below it in the same container.
fn next(page: &Page<'_>, node: usize) -> Option<usize> {
    let children = shown_children(page, page.parent(node)?);
    let at = children.iter().position(|&child| child == node)?;
    let next = *children.get(at + 1)?;
    let is_below = page.rect(next).y >= page.rect(node).y + page.rect(node).height - 1.0;
    (is_block(page, node) && is_block(page, next) && is_below).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "</section><section class=\"hero\"");
    }
}
