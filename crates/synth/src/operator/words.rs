//! A heading, button or link says something else.

use super::kit::{below, singles};
use super::{Kind, Mutation, Operator, Site};
use crate::edit::escape;
use crate::edit::{Change, Page, Say};
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "text.replace", kind: Kind::Text, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    singles(page, |node| matches!(page.noun(node), "heading" | "button" | "link") && page.text_range(node).is_some())
}

fn apply(page: &Page<'_>, site: &Site, _: f64, rng: &mut Rng) -> Option<Mutation> {
    let node = *site.nodes.first()?;
    let old = page.text(node);
    let fits: Vec<&&str> = phrases(page.noun(node)).iter().filter(|new| fits(&old, new)).collect();
    let new = **rng.pick(&fits)?;
    let say = Say {
        goal: format!("let {} say “{new}” instead", site.words),
        exact: format!("Change the text of {} to “{new}”.", site.words),
    };
    let change = Change::replace(page.text_range(node)?, escape(new));
    Some(Mutation { changes: vec![change], touched: vec![node], region: below(site), say })
}

fn phrases(noun: &str) -> &'static [&'static str] {
    match noun {
        "heading" => &[
            "News",
            "Our story",
            "What we do",
            "Everything you need to know",
            "How it works",
            "Latest from the team",
            "Made with care, since 1987",
            "Questions and answers",
        ],
        "button" => &["Get started", "Learn more", "Try it free", "Send", "Continue", "Book now", "Sign in"],
        _ => &["About us", "Contact", "Read more", "Our services", "Help", "See all", "Visit the shop"],
    }
}

/// Not the same, and not so much longer or shorter that the layout is another.
fn fits(old: &str, new: &str) -> bool {
    let ratio = new.chars().count() as f64 / old.chars().count().max(1) as f64;
    old != new && (0.4..2.5).contains(&ratio)
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, ">Get started<");
    }
}
