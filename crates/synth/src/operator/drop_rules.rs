//! Rules of the style sheet are gone.

use super::kit::{repair, whole};
use super::order::spaced;
use super::{Kind, Mutation, Operator, Principle, Region, Site};
use crate::edit::{Change, Page};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "css.drop", kind: Kind::Restyle, breaks: Some(Principle::Styling), sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    if page.rules().len() >= 3 { whole(page) } else { Vec::new() }
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let share = 0.15 + 0.6 * severity;
    let gone = page.rules().iter().filter(|_| rng.chance(share)).map(|rule| rule.selector.start..rule.block.end + 1);
    let end = page.sheet()?.end;
    let gone: Vec<_> = gone.filter(|range| range.end <= end).collect();
    let changes = spaced(gone.into_iter().map(Change::remove).collect());
    let say = repair("add the missing styles of the target");
    (!changes.is_empty()).then(|| Mutation { changes, touched: site.nodes.clone(), region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "<style>\nbody {");
    }
}
