//! Text that does not fit into its box.

use super::kit::{is_text, repair, some, whole};
use super::{Kind, Mutation, Operator, Principle, Region, Site};
use crate::edit::{Change, Page};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "box.overflow", kind: Kind::Restyle, breaks: Some(Principle::Overflow), sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    whole(page)
}

fn apply(page: &Page<'_>, _: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let fits = |node: usize| is_text(page, node) && page.rect(node).width > 160.0 && page.node(node).text.len() > 20;
    let nodes = some(page, rng, 0.15 + 0.5 * severity, fits);
    let squeeze = |&node: &usize| {
        let px = f64::from(page.rect(node).width) * (0.6 - 0.35 * severity);
        page.declare_inline(node, &[("width", format!("{px:.0}px")), ("white-space", "nowrap".to_owned())])
    };
    let changes: Vec<Change> = nodes.iter().filter_map(squeeze).collect();
    let say = repair("let the texts wrap inside of their boxes as in the target");
    (!changes.is_empty()).then_some(Mutation { changes, touched: nodes, region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "white-space: nowrap");
    }
}
