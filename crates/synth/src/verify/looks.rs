//! Elements that an edit does not name must look as before, wherever they have moved to.

use std::collections::HashMap;

use item::Node;

use crate::edit::Page;

/// What makes an element look as it does, its place and size aside.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Look<'a> {
    tag: &'a str,
    text: &'a str,
    color: &'a str,
    background: &'a str,
    font_size: u32,
    font_weight: u16,
    font_family: &'a str,
}

impl<'a> Look<'a> {
    /// The look of a node.
    pub fn of(node: &'a Node) -> Self {
        Self {
            tag: &node.tag,
            text: &node.text,
            color: &node.color,
            background: &node.background,
            font_size: node.font_size.to_bits(),
            font_weight: node.font_weight,
            font_family: &node.font_family,
        }
    }
}

/// The first visible element outside of what is touched whose look is not there afterwards, each as often as before.
pub fn lost_looks(page: &Page<'_>, touched: &[usize], after: &[Node]) -> Option<usize> {
    let mut there: HashMap<Look<'_>, usize> = HashMap::new();
    for node in after {
        *there.entry(Look::of(node)).or_default() += 1;
    }
    let is_touched = |node: usize| touched.iter().any(|&root| page.contains(root, node));
    page.shown().filter(|&node| !is_touched(node)).find(|&node| match there.get_mut(&Look::of(page.node(node))) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    fn check(before: &str, touched: &[&str], after: &str, expected: Option<&str>) {
        let (one, two) = (Fixture::new(before), Fixture::new(after));
        let touched: Vec<usize> = touched.iter().map(|text| one.with_text(text)).collect();
        let page = one.page();
        let lost = lost_looks(&page, &touched, two.nodes());
        assert_eq!(lost.map(|node| page.text(node)).as_deref(), expected, "{before} {after}");
    }

    #[test]
    fn what_is_not_named_must_stay() {
        let page = "<p>a</p><p data-bg=\"red\">b</p>";
        check(page, &[], page, None);
        check(page, &["b"], "<p>a</p><p data-bg=\"blue\">b</p>", None);
        check(page, &["a"], "<p>a</p><p data-bg=\"blue\">b</p>", Some("b"));
        check(page, &[], "<p data-bg=\"red\">b</p><p>a</p>", None);
        check("<p>a</p><p>a</p>", &[], "<p>a</p>", Some("a"));
    }
}
