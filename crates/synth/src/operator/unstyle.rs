//! A page with the wrong typeface and centred text throughout.

use super::kit::{repair, whole};
use super::{Kind, Mutation, Operator, Principle, Region, Site};
use crate::edit::Page;
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "type.wrong", kind: Kind::Restyle, breaks: Some(Principle::Styling), sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    whole(page)
}

fn apply(page: &Page<'_>, site: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let family = ["'Courier New', monospace", "Georgia, serif", "Impact, sans-serif"][rng.below(3)];
    let align = if severity > 0.5 { " text-align: center !important;" } else { "" };
    let css = format!("body, body * {{ font-family: {family} !important;{align} }}");
    let say = repair("use the typeface and alignment of the target");
    Some(Mutation { changes: vec![page.add_css(&css)?], touched: site.nodes.clone(), region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "body, body * { font-family: ");
    }
}
