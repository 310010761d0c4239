//! Numbers in the style sheet are off.

use super::kit::{repair, whole};
use super::{Kind, Mutation, Operator, Principle, Region, Site};
use crate::edit::declarations;
use crate::edit::{Change, Page};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "css.noise", kind: Kind::Restyle, breaks: Some(Principle::Spacing), sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    if page.rules().is_empty() { Vec::new() } else { whole(page) }
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let mut changes = Vec::new();
    for rule in page.rules() {
        for declaration in declarations(page.html(), rule.block.clone()) {
            let value = &page.html()[declaration.value.clone()];
            let number = value.strip_suffix("px").and_then(|number| number.parse::<f64>().ok());
            if let Some(number) = number.filter(|number| *number >= 2.0)
                && rng.chance(0.2 + 0.6 * severity)
            {
                let sign = if rng.chance(0.5) { 1.0 } else { -1.0 };
                let off = number * (1.0 + sign * (0.25 + 0.5 * severity));
                changes.push(Change::replace(declaration.value.clone(), format!("{off:.0}px")));
            }
        }
    }
    let say = repair("correct the sizes and distances to those of the target");
    (!changes.is_empty()).then(|| Mutation { changes, touched: site.nodes.clone(), region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "px");
    }
}
