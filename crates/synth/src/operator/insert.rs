//! A new component in the page's own colours.

use super::kit::{TINTS, below, is_block, share, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::{Change, Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "tree.insert", kind: Kind::Add, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| is_block(page, node) && share(page, node) > 0.02)
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let (what, words, html) = component(rng);
    let (name, hex, _) = rng.pick(TINTS)?;
    let html = html.replace("{tint}", hex);
    let say = Say {
        goal: format!("put a {name} {what} saying “{words}” above {}", site.words),
        exact: format!(
            "Insert a {what} with the text “{words}” on a background of {hex} directly above {}.",
            site.words
        ),
    };
    let at = page.range(node)?.start;
    Some(Mutation { changes: vec![Change::insert(at, html)], touched: Vec::new(), region: below(site), say })
}

/// Name, words and code of a component.
fn component(rng: &mut Rng) -> (&'static str, &'static str, String) {
    const WORDS: [&str; 6] = [
        "Free delivery on all orders this week",
        "New: now open on Sundays",
        "We are closed for the holidays until January 7",
        "Join more than 2,000 happy customers",
        "Last chance to book your place",
        "Read how we made this year's edition",
    ];
    let words = WORDS[rng.below(WORDS.len())];
    let (what, html) = match rng.below(4) {
        0 => (
            "banner",
            "<div style=\"background: {tint}; color: #222; padding: 12px 20px; text-align: center\">{words}</div>",
        ),
        1 => (
            "call-out box",
            "<div style=\"background: {tint}; color: #222; padding: 20px; margin: 16px; border-left: 6px solid #444\">{words}</div>",
        ),
        2 => (
            "quotation",
            "<div style=\"background: {tint}; color: #222; padding: 24px; font: italic 20px Georgia, serif\">“{words}”</div>",
        ),
        _ => (
            "badge",
            "<div style=\"background: {tint}; color: #222; padding: 6px 14px; margin: 8px; border-radius: 999px; display: inline-block\">{words}</div>",
        ),
    };
    (what, words, html.replace("{words}", words))
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "<div style=\"background: #");
    }
}
