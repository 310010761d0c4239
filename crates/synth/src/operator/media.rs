//! A rule for a range of widths of the viewport, in which this one lies.

use super::kit::{below, is_block, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "media.rule", kind: Kind::Responsive, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| {
        is_block(page, node) && page.attribute(node, "class").is_some_and(|list| !list.trim().is_empty())
    })
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let list = page.attribute(node, "class")?;
    let fits = |class: &&str| class.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    let fits_start = |class: &&str| class.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let class = list.split_ascii_whitespace().filter(fits).find(fits_start)?;
    let alike = page.all().filter(|&other| {
        page.attribute(other, "class").is_some_and(|list| list.split_ascii_whitespace().any(|known| known == class))
    });
    let touched: Vec<usize> = alike.collect();
    if touched.len() != 1 {
        return None;
    }
    let width = [1_440, 1_600, 1_920][rng.below(3)];
    let px = 24.0 + 48.0 * severity;
    let css = format!("@media (max-width: {width}px) {{ .{class} {{ padding: {px:.0}px !important; }} }}");
    let say = Say {
        goal: format!("give {} more room inside on screens narrower than {width} pixels", site.words),
        exact: format!("On viewports up to {width} pixels wide, set the padding of {} to {px:.0} pixels.", site.words),
    };
    Some(Mutation { changes: vec![page.add_css(&css)?], touched, region: below(site), say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "@media (max-width: ");
    }
}
