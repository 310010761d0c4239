//! All buttons look different.

use super::kit::{COLORS, boxes, color, group};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "form.buttons", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    group(page, "button", "buttons", 2)
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let (name, hex) = color(rng, page.background(node), [255; 3], COLORS)?;
    let px = (4.0 + 16.0 * severity).round();
    let style =
        [("background", hex.to_owned()), ("color", "#ffffff".to_owned()), ("border-radius", format!("{px:.0}px"))];
    let changes = site.nodes.iter().map(|&button| page.declare_inline(button, &style)).collect::<Option<Vec<_>>>()?;
    let say = Say {
        goal: format!("make all buttons {name} with rounded corners"),
        exact: format!("Give every button a background of {hex}, white text and a corner radius of {px:.0} pixels."),
    };
    Some(Mutation { changes, touched: site.nodes.clone(), region: boxes(site, 3.0), say })
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
