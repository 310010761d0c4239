//! The header or the footer in another colour.

use super::kit::{COLORS, boxes, color, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "bar.color", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| matches!(page.tag(node), "header" | "footer" | "nav") && page.rect(node).width > 600.0)
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let (name, hex) = color(rng, page.background(node), [255; 3], COLORS)?;
    let say = Say {
        goal: format!("make {} {name} with white text", site.words),
        exact: format!("Set the background of {} to {hex} and its text and links to white.", site.words),
    };
    let below = page.all().filter(|&other| other != node && page.contains(node, other) && page.tag(other) == "a");
    let white = [("color", "#ffffff".to_owned())];
    let mut changes = vec![page.declare_inline(node, &[("background", hex.to_owned()), white[0].clone()])?];
    changes.extend(below.filter_map(|link| page.declare_inline(link, &white)));
    Some(Mutation { changes, touched: vec![node], region: boxes(site, 2.0), say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "color: #ffffff");
    }
}
