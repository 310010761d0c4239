//! Sizes of text that say nothing of what matters.

use super::kit::{is_text, repair, some, whole};
use super::{Kind, Mutation, Operator, Principle, Region, Site};
use crate::edit::{Change, Page};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "type.chaos", kind: Kind::Restyle, breaks: Some(Principle::Hierarchy), sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    whole(page)
}

fn apply(page: &Page<'_>, _: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let nodes = some(page, rng, 0.2 + 0.6 * severity, |node| is_text(page, node));
    let resize = |&node: &usize| {
        let factor = if rng.chance(0.5) { 0.85 - 0.35 * severity } else { 1.3 + 0.9 * severity };
        let size = f64::from(page.node(node).font_size) * factor;
        page.declare_inline(node, &[("font-size", format!("{size:.0}px"))])
    };
    let changes: Vec<Change> = nodes.iter().filter_map(resize).collect();
    let say = repair("give the texts the sizes of the target");
    (!changes.is_empty()).then_some(Mutation { changes, touched: nodes, region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "font-size: ");
    }
}
