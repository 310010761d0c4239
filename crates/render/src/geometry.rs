//! Rules by geometry: which pages are refused after layout and before paint, where most of the cost lies.

use item::{Node, Rejection, Rule};

use crate::policy::RenderPolicy;

/// See [`RenderPolicy::page_height_max`].
pub const PAGE_TOO_TALL: Rule = Rule {
    name: "page-too-tall",
    meaning: "The page is taller than the limit: endless feeds, and layouts that broke without their style sheet.",
};
/// See [`RenderPolicy::page_width_ratio_max`].
pub const PAGE_TOO_WIDE: Rule = Rule {
    name: "page-too-wide",
    meaning: "The page is wider than its viewport by more than the limit: its layout overflows.",
};
/// See [`RenderPolicy::page_height_min`].
pub const NO_AREA: Rule = Rule {
    name: "no-area",
    meaning: "What can be seen of the page ends within a few pixels of its top: nothing was laid out.",
};
/// See [`RenderPolicy::visible_elements_min`].
pub const NO_VISIBLE_ELEMENTS: Rule =
    Rule { name: "no-visible-elements", meaning: "Fewer elements inside the body can be seen than the limit." };

/// Every rule of this crate.
pub const RULES: &[Rule] = &[PAGE_TOO_TALL, PAGE_TOO_WIDE, NO_AREA, NO_VISIBLE_ELEMENTS];

/// The first rule that refuses the page, if one does.
pub(crate) fn refuse(page_width: u32, page_height: u32, nodes: &[Node], policy: &RenderPolicy) -> Option<Rejection> {
    let reject = |rule, detail| Some(Rejection { rule, detail });
    let tallest = policy.page_height_max;
    if page_height > tallest {
        return reject(PAGE_TOO_TALL, format!("{page_height} px tall, the most is {tallest}"));
    }
    let widest = f64::from(policy.viewport.width) * policy.page_width_ratio_max;
    if f64::from(page_width) > widest {
        return reject(PAGE_TOO_WIDE, format!("{page_width} px wide, the most is {widest:.0}"));
    }
    let seen = || nodes.iter().filter(|node| node.visible && !matches!(node.tag.as_str(), "html" | "body"));
    let (count, fewest) = (seen().count(), policy.visible_elements_min);
    if count < fewest {
        return reject(NO_VISIBLE_ELEMENTS, format!("{count} visible elements, the least is {fewest}"));
    }
    let (bottom, least) = (seen().map(|n| n.rect.y + n.rect.height).fold(0.0, f32::max), policy.page_height_min);
    if bottom < least as f32 {
        return reject(NO_AREA, format!("visible elements end at {bottom:.0} px, the least is {least}"));
    }
    None
}

#[cfg(test)]
mod tests {
    use item::Rect;

    use super::*;

    #[test]
    fn each_rule_refuses_its_page() {
        let policy = RenderPolicy { visible_elements_min: 1, ..RenderPolicy::default() };
        let node = |height: f32, visible: bool| Node {
            tag: "p".to_owned(),
            rect: Rect { x: 0.0, y: 0.0, width: 100.0, height },
            visible,
            ..Node::default()
        };
        let check = |width: u32, height: u32, nodes: &[Node], expected: Option<Rule>| {
            assert_eq!(refuse(width, height, nodes, &policy).map(|r| r.rule), expected, "{width} x {height}");
        };
        check(1280, 720, &[node(100.0, true)], None);
        check(1280, 30_001, &[node(100.0, true)], Some(PAGE_TOO_TALL));
        check(1921, 720, &[node(100.0, true)], Some(PAGE_TOO_WIDE));
        check(1280, 720, &[node(100.0, false)], Some(NO_VISIBLE_ELEMENTS));
        check(1280, 720, &[node(10.0, true)], Some(NO_AREA));
    }
}
