//! Dark mode: light and dark change places in every colour that the style sheet names.

use super::kit::whole;
use super::recolor::{inverted, recolor};
use super::{Kind, Mutation, Operator, Region, Site};
use crate::edit::{Change, Page, Say};
use crate::metric::contrast;
use crate::rng::Rng;

pub(super) const OPERATOR: Operator = Operator { name: "color.dark", kind: Kind::Theme, breaks: None, sites, apply };

fn sites(page: &Page<'_>) -> Vec<Site> {
    whole(page)
}

fn apply(page: &Page<'_>, site: &Site, _: f64, _: &mut Rng) -> Option<Mutation> {
    let body = *site.nodes.first()?;
    if contrast(page.background(body), [255; 3]) > 3.0 {
        return None; // It is dark already.
    }
    let mut changes = recolor(page, inverted);
    changes.push(Change::insert(page.sheet()?.start, "html, body { background: #121418; color: #e6e6e6; }"));
    let say = Say {
        goal: "switch the page to a dark theme".to_owned(),
        exact: "Make the page dark: a background near black, light text, and darkened surfaces.".to_owned(),
    };
    Some(Mutation { changes, touched: vec![body], region: Region::Page, say })
}

#[cfg(test)]
mod tests {
    use super::super::kit::tests::check;
    use super::OPERATOR;

    #[test]
    fn works_on_the_sample() {
        check(&OPERATOR, "background: #121418");
    }
}
