//! Uneven distances.

use super::kit::{is_block, is_text, repair, some, whole};
use super::{Kind, Mutation, Operator, Principle, Region, Site};
use crate::edit::{Change, Page};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "space.chaos", kind: Kind::Restyle, breaks: Some(Principle::Spacing), sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    whole(page)
}

fn apply(page: &Page<'_>, _: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let nodes = some(page, rng, 0.2 + 0.5 * severity, |node| is_block(page, node) || is_text(page, node));
    let push = |&node: &usize| {
        let px = |rng: &mut Rng| (rng.unit() * (12.0 + 60.0 * severity)).round();
        let (above, inside) = (px(rng), px(rng) / 2.0);
        page.declare_inline(node, &[("margin-top", format!("{above:.0}px")), ("padding", format!("{inside:.0}px"))])
    };
    let changes: Vec<Change> = nodes.iter().filter_map(push).collect();
    let say = repair("restore the spacing of the target");
    (!changes.is_empty()).then_some(Mutation { changes, touched: nodes, region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "margin-top: ");
    }
}
