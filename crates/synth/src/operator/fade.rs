//! Text fades into what is behind it.

use super::kit::{hex, is_text, repair, some, text_color, whole};
use super::{Kind, Mutation, Operator, Principle, Region, Site};
use crate::edit::{Change, Page};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator =
    Operator { name: "color.contrast-loss", kind: Kind::Restyle, breaks: Some(Principle::Contrast), sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    whole(page)
}

fn apply(page: &Page<'_>, _: &Site, severity: f64, rng: &mut Rng) -> Option<Mutation> {
    let part = 0.3 + 0.7 * severity;
    let nodes = some(page, rng, part, |node| is_text(page, node));
    let changes = nodes.iter().filter_map(|&node| {
        let (ink, paper) = (text_color(page, node), page.background(node));
        let mixed = std::array::from_fn(|channel| {
            let (ink, paper) = (f64::from(ink[channel]), f64::from(paper[channel]));
            (ink + (paper - ink) * (0.6 + 0.3 * severity)).round() as u8
        });
        page.declare_inline(node, &[("color", hex(mixed))])
    });
    let changes: Vec<Change> = changes.collect();
    let say = repair("give the faded texts the contrast of the target");
    (!changes.is_empty()).then_some(Mutation { changes, touched: nodes, region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "color: #");
    }
}
