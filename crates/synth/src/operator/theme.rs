//! Another accent for the whole page: every colour that the style sheet names is turned around the wheel.

use super::kit::whole;
use super::recolor::{recolor, turned};
use super::{Kind, Mutation, Operator, Region, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "color.theme", kind: Kind::Theme, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    whole(page)
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let degrees = [60.0, 120.0, 180.0, 240.0][rng.below(4)];
    let changes = recolor(page, |rgb| turned(rgb, degrees));
    let say = Say {
        goal: "give the whole page another colour theme, with the same light and dark parts".to_owned(),
        exact: format!("Turn every colour of the page's design by {degrees:.0} degrees around the colour wheel."),
    };
    (!changes.is_empty()).then(|| Mutation { changes, touched: site.nodes.clone(), region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "#");
    }
}
