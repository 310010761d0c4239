//! The size of a text.

use super::kit::{below, declared, is_text, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "type.size", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_text(page, node))
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let old = f64::from(page.node(node).font_size);
    let factor = if rng.chance(0.7) { 1.25 + 0.6 * severity } else { 0.85 - 0.2 * severity };
    let size = (old * factor).round().max(10.0);
    if (size - old).abs() < 2.0 {
        return None;
    }
    let how = if size > old { "larger" } else { "smaller" };
    let say = Say {
        goal: format!("make {} {how}", site.words),
        exact: format!("Set the font size of {} to {size:.0} pixels.", site.words),
    };
    declared(page, site, &[("font-size", format!("{size:.0}px"))], below(site), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "font-size: 2");
    }
}
