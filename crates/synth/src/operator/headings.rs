//! The size of all headings of one level of meaning: all of them, in proportion.

use super::kit::group;
use super::{Kind, Mutation, Operator, Region, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "type.headings", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    group(page, "heading", "headings", 2)
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let factor = if rng.chance(0.6) { 1.2 + 0.3 * severity } else { 0.8 - 0.15 * severity };
    let changes = site.nodes.iter().map(|&node| {
        let size = (f64::from(page.node(node).font_size) * factor).round();
        page.declare_inline(node, &[("font-size", format!("{size:.0}px"))])
    });
    let changes = changes.collect::<Option<Vec<_>>>()?;
    let (how, percent) = (if factor > 1.0 { "larger" } else { "smaller" }, factor * 100.0);
    let say = Say {
        goal: format!("make all headings {how}"),
        exact: format!("Scale the font size of every heading to {percent:.0} percent."),
    };
    Some(Mutation { changes, touched: site.nodes.clone(), region: Region::Below(*site.nodes.first()?), say })
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
