//! The density of the whole page.

use super::kit::whole;
use super::{Kind, Mutation, Operator, Region, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "page.density", kind: Kind::Theme, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    whole(page)
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let is_loose = rng.chance(0.5);
    let (leading, gap) = if is_loose { (1.9, 14.0 + 10.0 * severity) } else { (1.15, 2.0) };
    let css = format!(
        "body p, body li, body td, body th {{ line-height: {leading} !important; padding-top: {gap:.0}px !important; padding-bottom: {gap:.0}px !important; }}"
    );
    let (how, more) = if is_loose { ("airier", "more") } else { ("more compact", "less") };
    let say = Say {
        goal: format!("make the whole page {how}"),
        exact: format!(
            "Give paragraphs, list items and table cells a line height of {leading} and {gap:.0} pixels of padding above and below, so that the page has {more} white space."
        ),
    };
    let change = page.add_css(&css)?;
    Some(Mutation { changes: vec![change], touched: site.nodes.clone(), region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "line-height: ");
    }
}
