//! Rules by geometry: which pages are refused after layout and before paint, where most of the cost lies.

use item::{Node, Rejection, Rule};

use crate::policy::RenderPolicy;
use crate::snapshot::Layout;

/// See [`RenderPolicy::page_height_max`].
pub const PAGE_TOO_TALL: Rule = Rule {
    name: "page-too-tall",
    meaning: "The page is taller than the limit: endless feeds, and layouts that broke without their style sheet.",
};
/// See [`RenderPolicy::page_aspect_max`].
pub const PAGE_TOO_NARROW: Rule = Rule {
    name: "page-too-narrow",
    meaning: "The page is more times as tall as its viewport is wide than the limit: a ribbon, not a layout.",
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
/// See [`RenderPolicy::visible_elements_max`].
pub const TOO_MANY_VISIBLE_ELEMENTS: Rule =
    Rule { name: "too-many-visible-elements", meaning: "More elements inside the body can be seen than the limit." };
/// See [`RenderPolicy::blank_share_max`].
pub const MOSTLY_BLANK: Rule = Rule {
    name: "mostly-blank",
    meaning: "A greater share of the screenshot's height than the limit shows neither text nor picture nor control.",
};
/// See [`RenderPolicy::text_coverage_min`].
pub const TOO_LITTLE_TEXT_AREA: Rule =
    Rule { name: "too-little-text-area", meaning: "Text covers a smaller share of the screenshot than the limit." };
/// See [`RenderPolicy::text_coverage_max`].
pub const TOO_MUCH_TEXT_AREA: Rule =
    Rule { name: "too-much-text-area", meaning: "Text covers a greater share of the screenshot than the limit." };

/// Every rule of this crate.
pub const RULES: &[Rule] = &[
    PAGE_TOO_TALL,
    PAGE_TOO_NARROW,
    PAGE_TOO_WIDE,
    NO_AREA,
    NO_VISIBLE_ELEMENTS,
    TOO_MANY_VISIBLE_ELEMENTS,
    MOSTLY_BLANK,
    TOO_LITTLE_TEXT_AREA,
    TOO_MUCH_TEXT_AREA,
];

/// The first rule that refuses the page, if one does.
pub(crate) fn refuse(layout: &Layout, cover: Cover, policy: &RenderPolicy) -> Option<Rejection> {
    let reject = |rule, detail| Some(Rejection { rule, detail });
    let (page_width, page_height) = (layout.page_width, layout.page_height);
    let tallest = policy.page_height_max;
    if page_height > tallest {
        return reject(PAGE_TOO_TALL, format!("{page_height} px tall, the most is {tallest}"));
    }
    let (aspect, most) = (f64::from(page_height) / f64::from(policy.viewport.width), policy.page_aspect_max);
    if aspect > most {
        return reject(PAGE_TOO_NARROW, format!("{aspect:.1} times as tall as wide, the most is {most}"));
    }
    let widest = f64::from(policy.viewport.width) * policy.page_width_ratio_max;
    if f64::from(page_width) > widest {
        return reject(PAGE_TOO_WIDE, format!("{page_width} px wide, the most is {widest:.0}"));
    }
    let seen = || layout.nodes.iter().filter(|node| node.visible && !matches!(node.tag.as_str(), "html" | "body"));
    let (count, fewest, most) = (seen().count(), policy.visible_elements_min, policy.visible_elements_max);
    if count < fewest {
        return reject(NO_VISIBLE_ELEMENTS, format!("{count} visible elements, the least is {fewest}"));
    }
    if count > most {
        return reject(TOO_MANY_VISIBLE_ELEMENTS, format!("{count} visible elements, the most is {most}"));
    }
    let (bottom, least) = (seen().map(|n| n.rect.y + n.rect.height).fold(0.0, f32::max), policy.page_height_min);
    if bottom < least as f32 {
        return reject(NO_AREA, format!("visible elements end at {bottom:.0} px, the least is {least}"));
    }
    let Cover { blank_share, text_coverage } = cover;
    if blank_share > policy.blank_share_max {
        let most = policy.blank_share_max;
        return reject(MOSTLY_BLANK, format!("{blank_share:.3} of the height is blank, the most is {most}"));
    }
    if text_coverage < policy.text_coverage_min {
        let least = policy.text_coverage_min;
        return reject(TOO_LITTLE_TEXT_AREA, format!("text covers {text_coverage:.3}, the least is {least}"));
    }
    if text_coverage > policy.text_coverage_max {
        let most = policy.text_coverage_max;
        return reject(TOO_MUCH_TEXT_AREA, format!("text covers {text_coverage:.3}, the most is {most}"));
    }
    None
}

/// How much of a screenshot shows something.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cover {
    pub(crate) blank_share: f64,
    pub(crate) text_coverage: f64,
}

/// Side of the cells that cover is counted in, CSS px: about a line of text.
const CELL_PX: f32 = 16.0;
/// Elements that show something without text of their own.
const REPLACED: &[&str] = &[
    "img", "svg", "video", "canvas", "object", "embed", "iframe", "input", "button", "select", "textarea", "meter",
    "progress", "hr",
];

impl Cover {
    /// Counts in the part of the page that is painted.
    pub(crate) fn of(layout: &Layout, painted_width: u32, painted_height: u32) -> Self {
        let cells = |length: u32| (length as f32 / CELL_PX).ceil().max(1.0) as usize;
        let (columns, rows) = (cells(painted_width), cells(painted_height));
        let mut full_rows = vec![false; rows];
        let mut text_cells = vec![false; columns * rows];
        // From the first cell that a stretch touches to the one after the last; empty when it lies outside.
        let touched = |start: f32, length: f32, count: usize| {
            let first = (start / CELL_PX).floor().clamp(0.0, count as f32) as usize;
            let end = ((start + length) / CELL_PX).ceil().clamp(0.0, count as f32) as usize;
            first..end.max(first)
        };
        for rect in &layout.texts {
            for row in touched(rect.y, rect.height, rows) {
                let across = touched(rect.x, rect.width, columns);
                full_rows[row] |= !across.is_empty();
                text_cells[row * columns..][across].fill(true);
            }
        }
        let shows = |node: &&Node| node.visible && REPLACED.contains(&node.tag.as_str());
        for node in layout.nodes.iter().filter(shows) {
            if !touched(node.rect.x, node.rect.width, columns).is_empty() {
                full_rows[touched(node.rect.y, node.rect.height, rows)].fill(true);
            }
        }
        let share = |cells: &[bool], wanted: bool| {
            cells.iter().filter(|cell| **cell == wanted).count() as f64 / cells.len() as f64
        };
        Self { blank_share: share(&full_rows, false), text_coverage: share(&text_cells, true) }
    }
}

#[cfg(test)]
mod tests {
    use item::Rect;

    use super::*;

    fn node(height: f32, visible: bool) -> Node {
        let rect = Rect { x: 0.0, y: 0.0, width: 100.0, height };
        Node { tag: "p".to_owned(), rect, visible, ..Node::default() }
    }

    #[test]
    fn each_rule_refuses_its_page() {
        let policy = RenderPolicy {
            visible_elements_min: 1,
            visible_elements_max: 2,
            page_aspect_max: 10.0,
            text_coverage_min: 0.1,
            text_coverage_max: 0.8,
            ..RenderPolicy::default()
        };
        let good = Cover { blank_share: 0.5, text_coverage: 0.5 };
        let check = |page_width: u32, page_height: u32, nodes: &[Node], cover: Cover, expected: Option<Rule>| {
            let layout =
                Layout { page_width, page_height, nodes: nodes.to_vec(), texts: Vec::new(), font_sizes: Vec::new() };
            assert_eq!(refuse(&layout, cover, &policy).map(|r| r.rule), expected, "{page_width} x {page_height}");
        };
        let one = [node(100.0, true)];
        check(1280, 720, &one, good, None);
        check(1280, 30_001, &one, good, Some(PAGE_TOO_TALL));
        check(1280, 12_801, &one, good, Some(PAGE_TOO_NARROW));
        check(1921, 720, &one, good, Some(PAGE_TOO_WIDE));
        check(1280, 720, &[node(100.0, false)], good, Some(NO_VISIBLE_ELEMENTS));
        check(1280, 720, &[node(9.0, true), node(9.0, true), node(9.0, true)], good, Some(TOO_MANY_VISIBLE_ELEMENTS));
        check(1280, 720, &[node(10.0, true)], good, Some(NO_AREA));
        check(1280, 720, &one, Cover { blank_share: 0.96, ..good }, Some(MOSTLY_BLANK));
        check(1280, 720, &one, Cover { text_coverage: 0.05, ..good }, Some(TOO_LITTLE_TEXT_AREA));
        check(1280, 720, &one, Cover { text_coverage: 0.9, ..good }, Some(TOO_MUCH_TEXT_AREA));
    }

    #[test]
    fn cover_is_counted_in_the_painted_part() {
        let image = Node { tag: "img".to_owned(), ..node(32.0, true) };
        let texts = vec![
            Rect { x: 0.0, y: 48.0, width: 80.0, height: 16.0 },
            Rect { x: 0.0, y: 900.0, width: 160.0, height: 16.0 },
            Rect { x: -500.0, y: 0.0, width: 40.0, height: 16.0 },
        ];
        let layout = Layout { page_width: 160, page_height: 1_000, nodes: vec![image], texts, font_sizes: Vec::new() };
        // Ten rows of ten cells: the image fills two rows, the first text one row and five cells.
        assert_eq!(Cover::of(&layout, 160, 160), Cover { blank_share: 0.7, text_coverage: 0.05 });
    }
}
