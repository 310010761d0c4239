//! An entry or a text is taken out.

use super::kit::{below, is_block, is_text, share, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Change, Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "tree.remove", kind: Kind::Remove, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| (is_block(page, node) || is_text(page, node)) && share(page, node) < 0.3)
}

fn apply(page: &Page<'_>, site: &Site, _: f64, _: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let say = Say {
        goal: format!("remove {}", site.words),
        exact: format!("Take {} out of the page, so that what follows moves up.", site.words),
    };
    Some(Mutation { changes: vec![Change::remove(page.range(node)?)], touched: vec![node], region: below(site), say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "</h1><button");
    }
}
