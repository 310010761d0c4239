//! Capital letters for a short text.

use super::kit::{below, declared, is_text, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "type.case", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| {
        is_text(page, node) && page.node(node).text.len() <= 60 && page.node(node).text.chars().any(char::is_lowercase)
    })
}

fn apply(page: &Page<'_>, site: &Site, _: f64, _: &mut Rng) -> Option<Mutation> {
    let say = Say {
        goal: format!("write {} in capital letters", site.words),
        exact: format!("Show {} in upper case.", site.words),
    };
    declared(page, site, &[("text-transform", "uppercase".to_owned())], below(site), say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "text-transform: uppercase");
    }
}
