//! Pictures out of proportion.

use super::kit::{below, repair, singles};
use super::{Kind, Mutation, Operator, Principle, Site};
use crate::edit::Page;
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "image.distort", kind: Kind::Restyle, breaks: Some(Principle::Proportion), sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| page.tag(node) == "img" && page.rect(node).width >= 48.0)
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let rect = page.rect(node);
    let factor = if rng.chance(0.5) { 1.4 + severity } else { 0.7 - 0.4 * severity };
    let height = f64::from(rect.height) * factor;
    let size = [("width", format!("{:.0}px", rect.width)), ("height", format!("{height:.0}px"))];
    let change = page.declare_inline(node, &size)?;
    let say = repair("give the picture the proportions of the target");
    Some(Mutation { changes: vec![change], touched: vec![node], region: below(site), say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "height: ");
    }
}
