//! Blocks stand beside their place.

use super::kit::{is_block, is_text, repair, some, whole};
use super::{Kind, Mutation, Operator, Principle, Region, Site};
use crate::edit::{Change, Page};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "pos.offset", kind: Kind::Restyle, breaks: Some(Principle::Alignment), sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    whole(page)
}

fn apply(page: &Page<'_>, _: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let nodes = some(page, rng, 0.12 + 0.4 * severity, |node| is_block(page, node) || is_text(page, node));
    let push = |&node: &usize| {
        let px = (20.0 + 120.0 * severity * rng.unit()) * if rng.chance(0.5) { 1.0 } else { -1.0 };
        page.declare_inline(node, &[("position", "relative".to_owned()), ("left", format!("{px:.0}px"))])
    };
    let changes: Vec<Change> = nodes.iter().filter_map(push).collect();
    let say = repair("bring the shifted blocks back into line with the target");
    (!changes.is_empty()).then_some(Mutation { changes, touched: nodes, region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "position: relative; left: ");
    }
}
