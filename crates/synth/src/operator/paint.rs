//! Blocks in colours that do not belong together.

use super::kit::{hex, is_block, repair, some, whole};
use super::{Kind, Mutation, Operator, Principle, Region, Site};
use crate::edit::{Change, Page};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "color.noise", kind: Kind::Restyle, breaks: Some(Principle::Color), sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    whole(page)
}

fn apply(page: &Page<'_>, _: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let nodes = some(page, rng, 0.15 + 0.5 * severity, |node| is_block(page, node));
    let paint = |&node: &usize| {
        let rgb = std::array::from_fn(|_| rng.below(256) as u8);
        page.declare_inline(node, &[("background", hex(rgb))])
    };
    let changes: Vec<Change> = nodes.iter().filter_map(paint).collect();
    let say = repair("give the blocks the colours of the target");
    (!changes.is_empty()).then_some(Mutation { changes, touched: nodes, region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "background: #");
    }
}
