//! The corners of a box.

use super::kit::{boxes, declared, is_block, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "box.radius", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| has_edge(page, node))
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, _: &mut Rng) -> Option<Mutation> {
    let px = 8.0 + 24.0 * severity;
    let say = Say {
        goal: format!("round the corners of {}", site.words),
        exact: format!("Set the corner radius of {} to {px:.0} pixels.", site.words),
    };
    declared(page, site, &[("border-radius", format!("{px:.0}px"))], boxes(site, 2.0), say)
}

/// Corners show where the background or a picture ends.
fn has_edge(page: &Page<'_>, node: usize) -> bool {
    let own = crate::metric::css_color(&page.node(node).background).is_some_and(|(_, alpha)| alpha > 0.5);
    let around = page.parent(node).map(|parent| page.background(parent));
    matches!(page.tag(node), "img" | "input" | "button")
        || own && around != Some(page.background(node)) && is_block(page, node)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "border-radius: ");
    }
}
