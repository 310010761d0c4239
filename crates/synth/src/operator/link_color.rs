//! The colour of all links.

use super::kit::{COLORS, TINTS, color, group, text_color};
use super::{Kind, Mutation, Operator, Region, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "color.links", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    group(page, "link", "links", 2)
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let (ink, paper) = (text_color(page, node), page.background(node));
    let (name, hex) = color(rng, ink, paper, COLORS).or_else(|| color(rng, ink, paper, TINTS))?;
    let change = page.add_css(&format!("a, a:visited {{ color: {hex} !important; }}"))?;
    let say = Say {
        goal: format!("make all links {name}"),
        exact: format!("Set the colour of all links on the page to {hex}."),
    };
    let touched = page.all().filter(|&node| page.tag(node) == "a").collect();
    Some(Mutation { changes: vec![change], touched, region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "a, a:visited { color: #");
    }
}
