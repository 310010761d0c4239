//! The size of a picture, in proportion.

use super::kit::{below, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "image.size", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| page.tag(node) == "img" && page.rect(node).width >= 48.0)
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let factor = if rng.chance(0.5) { 0.75 - 0.2 * severity } else { 1.2 + 0.3 * severity };
    let rect = page.rect(*site.nodes.first()?);
    let width = f64::from(rect.width) * factor;
    let how = if factor > 1.0 { "larger" } else { "smaller" };
    let say = Say {
        goal: format!("make {} {how}", site.words),
        exact: format!("Show {} {width:.0} pixels wide, with its height in proportion.", site.words),
    };
    let height = f64::from(rect.height) * factor;
    let declarations = [("width", format!("{width:.0}px")), ("height", format!("{height:.0}px"))];
    let change = page.declare_inline(*site.nodes.first()?, &declarations)?;
    Some(Mutation { changes: vec![change], touched: site.nodes.clone(), region: below(site), say })
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
