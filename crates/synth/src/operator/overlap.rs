//! Blocks lie upon each other.

use super::kit::{is_block, is_text, repair, some, whole};
use super::{Kind, Mutation, Operator, Principle, Region, Site};
use crate::edit::{Change, Page};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "pos.overlap", kind: Kind::Restyle, breaks: Some(Principle::Overlap), sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    whole(page)
}

fn apply(page: &Page<'_>, _: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let nodes = some(page, rng, 0.1 + 0.25 * severity, |node| is_block(page, node) || is_text(page, node));
    let pull = |&node: &usize| {
        let px = 16.0 + 60.0 * severity * rng.unit();
        page.declare_inline(node, &[("margin-top", format!("-{px:.0}px"))])
    };
    let changes: Vec<Change> = nodes.iter().filter_map(pull).collect();
    let say = repair("separate what lies upon each other, as in the target");
    (!changes.is_empty()).then_some(Mutation { changes, touched: nodes, region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "margin-top: -");
    }
}
