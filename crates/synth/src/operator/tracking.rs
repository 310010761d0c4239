//! The distance of letters in a short text.

use super::kit::{below, declared, is_text, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "type.tracking", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_text(page, node) && page.node(node).text.len() <= 60)
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, _: &mut Rng) -> Option<Mutation> {
    let value = 0.08 + 0.14 * severity;
    let say = Say {
        goal: format!("space out the letters of {}", site.words),
        exact: format!("Set the letter spacing of {} to {value:.2} times the font size.", site.words),
    };
    declared(page, site, &[("letter-spacing", format!("{value:.2}em"))], below(site), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "letter-spacing: ");
    }
}
