//! The typeface of the page or of a text.

use super::kit::{below, declared, is_text, singles, whole};
use super::{Kind, Mutation, Operator, Region, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "type.family", kind: Kind::Restyle, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    let mut sites = whole(page);
    sites.extend(singles(page, |node| matches!(page.noun(node), "heading" | "paragraph") && is_text(page, node)));
    sites
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let old = page.node(node).font_family.to_lowercase();
    let stacks = [
        ("a serif typeface", "Georgia, 'Times New Roman', serif", "georgia"),
        ("a monospaced typeface", "'Courier New', monospace", "mono"),
        ("a sans-serif typeface", "Arial, Helvetica, sans-serif", "arial"),
    ];
    let fits: Vec<_> = stacks.iter().filter(|(_, _, mark)| !old.contains(mark)).collect();
    let (name, stack, _) = **rng.pick(&fits)?;
    let say = Say {
        goal: format!("set {} in {name}", site.words),
        exact: format!("Use the font family {stack} for {}.", site.words),
    };
    let region = if page.tag(node) == "body" { Region::Page } else { below(site) };
    declared(page, site, &[("font-family", stack.to_owned())], region, say)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "font-family: ");
    }
}
