//! Another picture in the place of one: a drawn one, of the same size.

use super::kit::{COLORS, boxes, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "image.swap", kind: Kind::Swap, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| page.tag(node) == "img" && page.rect(node).width >= 32.0)
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let (name, _, [r, g, b]) = rng.pick(COLORS)?;
    let svg = format!(
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 30'%3E%3Crect width='40' height='30' fill='rgb({r},{g},{b})'/%3E%3Cpath d='M0 30 14 10 24 22 30 16 40 30Z' fill='%23fff' fill-opacity='.5'/%3E%3Ccircle cx='31' cy='8' r='4' fill='%23fff' fill-opacity='.8'/%3E%3C/svg%3E"
    );
    let say = Say {
        goal: format!("replace {} with a {name} drawing of mountains", site.words),
        exact: format!(
            "Put a simple drawing of white mountains on {name} in the place of {}, at the same size.",
            site.words
        ),
    };
    let rect = page.rect(node);
    let mut changes = vec![page.set_attribute(node, "src", &svg)?];
    let size = [("width", format!("{:.0}px", rect.width)), ("height", format!("{:.0}px", rect.height))];
    changes.push(page.declare_inline(node, &size)?);
    changes.extend(page.drop_attribute(node, "srcset"));
    Some(Mutation { changes, touched: site.nodes.clone(), region: boxes(site, 2.0), say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "data:image/svg+xml");
    }
}
