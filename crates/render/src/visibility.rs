//! Whether an element can be seen: what CSS says, what clips it, where it lies, and what lies over it.
//!
//! Boxes are rectangles here: transforms, rounded corners and the shape of text inside a box are not looked at. An element
//! counts as covered only when one opaque box hides all of it, so the answer errs towards visible.

use item::{Rect, Visibility};

/// Opaque boxes that are looked at as covers, the largest first: those that can hide much are few, and every element is
/// compared with every one.
const COVERS_MAX: usize = 200;
/// Area in square px below which a clip leaves nothing: the usual recipe for hidden text is one pixel.
const CLIP_AREA_MIN: f32 = 1.0;

/// What is known of one element. The list is in document order, parents before their children.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts<'a> {
    pub(crate) parent: Option<u32>,
    pub(crate) rect: Rect,
    /// `visibility` lets it be seen.
    pub(crate) shown: bool,
    /// Its own opacity times that of every element around it.
    pub(crate) opacity: f32,
    /// It is not `html` or `body`, whose overflow is the viewport's, and its overflow is cut off.
    pub(crate) clips: bool,
    /// `position`.
    pub(crate) position: &'a str,
    /// `clip` and `clip-path`.
    pub(crate) clip: &'a str,
    pub(crate) clip_path: &'a str,
    /// Its background colour is opaque.
    pub(crate) opaque: bool,
    pub(crate) paint_order: u32,
}

/// One answer per element, for a page of that size.
pub(crate) fn judge(facts: &[Facts<'_>], page_width: f32, page_height: f32) -> Vec<Visibility> {
    let page = Rect { x: 0.0, y: 0.0, width: page_width, height: page_height };
    let clips = clips(facts);
    let seen = |index: usize| {
        let one = &facts[index];
        if area(&one.rect) <= 0.0 {
            Visibility::NoBox
        } else if !one.shown {
            Visibility::Hidden
        } else if one.opacity <= 0.0 {
            Visibility::Transparent
        } else if clips[index].own.is_some_and(|clip| area(&overlap(&clip, &one.rect)) <= 0.0) {
            Visibility::Clipped
        } else if area(&overlap(&page, &one.rect)) <= 0.0 {
            Visibility::OffScreen
        } else {
            Visibility::Visible
        }
    };
    let mut answers: Vec<Visibility> = (0..facts.len()).map(seen).collect();
    let covers = covers(facts, &clips, &answers);
    let ends = subtree_ends(facts);
    for (index, answer) in answers.iter_mut().enumerate().filter(|(_, answer)| **answer == Visibility::Visible) {
        let one = &facts[index];
        let rest = clips[index].own.map_or(one.rect, |clip| overlap(&clip, &one.rect));
        let hides = |(cover, rect): &&(usize, Rect)| {
            facts[*cover].paint_order > one.paint_order && !(index..ends[index]).contains(cover) && holds(rect, &rest)
        };
        if covers.iter().any(|cover| hides(&cover)) {
            *answer = Visibility::Covered;
        }
    }
    answers
}

/// What cuts an element off, and what it hands down.
#[derive(Debug, Clone, Copy, Default)]
struct Clips {
    /// For the element itself.
    own: Option<Rect>,
    /// For children in the flow.
    flow: Option<Rect>,
    /// For children that are positioned absolutely: only what surrounds their containing block cuts them.
    absolute: Option<Rect>,
    /// For fixed children: nothing but a clip that takes the whole subtree.
    fixed: Option<Rect>,
}

fn clips(facts: &[Facts<'_>]) -> Vec<Clips> {
    let mut all: Vec<Clips> = Vec::with_capacity(facts.len());
    for one in facts {
        let around = one.parent.map(|parent| all[parent as usize]).unwrap_or_default();
        let own = match one.position {
            "fixed" => around.fixed,
            "absolute" => around.absolute,
            _ => around.flow,
        };
        let cut = |clip: Option<Rect>| Some(clip.map_or(one.rect, |clip| overlap(&clip, &one.rect)));
        let flow = if one.clips { cut(own) } else { own };
        let positioned = !matches!(one.position, "" | "static");
        let absolute = if positioned { flow } else { around.absolute };
        let mut clips = Clips { own, flow, absolute, fixed: around.fixed };
        if clipped_away(one) {
            let nothing = Some(Rect { width: 0.0, height: 0.0, ..one.rect });
            clips = Clips { own: nothing, flow: nothing, absolute: nothing, fixed: nothing };
        }
        all.push(clips);
    }
    all
}

/// `clip` or `clip-path` leaves nothing of the element: the recipes for text that only screen readers find.
fn clipped_away(one: &Facts<'_>) -> bool {
    let path = one.clip_path;
    if path.starts_with("inset(50%") || path.starts_with("inset(100%") || path.starts_with("circle(0") {
        return true;
    }
    let Some(edges) = one.clip.strip_prefix("rect(") else { return false };
    let number = |text: &str| text.trim().trim_end_matches(')').trim_end_matches("px").parse::<f32>().ok();
    let edges: Vec<Option<f32>> = edges.split(',').map(number).collect();
    // `auto` edges are no numbers and cut nothing.
    let &[Some(top), Some(right), Some(bottom), Some(left)] = edges.as_slice() else { return false };
    let positioned = matches!(one.position, "absolute" | "fixed");
    positioned && (right - left).max(0.0) * (bottom - top).max(0.0) <= CLIP_AREA_MIN
}

/// The opaque boxes that can hide others, as far as they are not cut off themselves.
fn covers(facts: &[Facts<'_>], clips: &[Clips], answers: &[Visibility]) -> Vec<(usize, Rect)> {
    let opaque = |index: &usize| {
        let one = &facts[*index];
        answers[*index] == Visibility::Visible && one.opaque && one.opacity >= 1.0
    };
    let rect = |index: usize| {
        let rect = facts[index].rect;
        (index, clips[index].own.map_or(rect, |clip| overlap(&clip, &rect)))
    };
    let mut covers: Vec<(usize, Rect)> = (0..facts.len()).filter(opaque).map(rect).collect();
    covers.sort_by(|(i, a), (j, b)| area(b).total_cmp(&area(a)).then(i.cmp(j)));
    covers.truncate(COVERS_MAX);
    covers
}

/// For each element the index after its last descendant.
pub(crate) fn subtree_ends(facts: &[Facts<'_>]) -> Vec<usize> {
    let mut ends: Vec<usize> = (1..=facts.len()).collect();
    for index in (0..facts.len()).rev() {
        if let Some(parent) = facts[index].parent {
            ends[parent as usize] = ends[parent as usize].max(ends[index]);
        }
    }
    ends
}

fn area(rect: &Rect) -> f32 {
    rect.width.max(0.0) * rect.height.max(0.0)
}

fn overlap(a: &Rect, b: &Rect) -> Rect {
    let (x, y) = (a.x.max(b.x), a.y.max(b.y));
    let (right, bottom) = ((a.x + a.width).min(b.x + b.width), (a.y + a.height).min(b.y + b.height));
    Rect { x, y, width: (right - x).max(0.0), height: (bottom - y).max(0.0) }
}

fn holds(outer: &Rect, inner: &Rect) -> bool {
    overlap(outer, inner) == *inner
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(parent: Option<u32>, edges: [f32; 4]) -> Facts<'static> {
        let [x, y, width, height] = edges;
        let rect = Rect { x, y, width, height };
        Facts { parent, rect, shown: true, opacity: 1.0, position: "static", clip: "auto", ..Facts::default() }
    }

    #[test]
    fn the_first_reason_counts() {
        let check = |one: Facts<'_>, expected: Visibility| {
            let page = element(None, [0.0, 0.0, 100.0, 100.0]);
            assert_eq!(judge(&[page, one.clone()], 100.0, 100.0)[1], expected, "{one:?}");
        };
        let inside = || element(Some(0), [10.0, 10.0, 10.0, 10.0]);
        check(inside(), Visibility::Visible);
        check(element(Some(0), [10.0, 10.0, 0.0, 10.0]), Visibility::NoBox);
        check(Facts { shown: false, ..inside() }, Visibility::Hidden);
        check(Facts { opacity: 0.0, ..inside() }, Visibility::Transparent);
        check(element(Some(0), [-50.0, 10.0, 10.0, 10.0]), Visibility::OffScreen);
        check(Facts { clip_path: "inset(50%)", ..inside() }, Visibility::Clipped);
        let recipe = Facts { clip: "rect(0px, 0px, 0px, 0px)", ..inside() };
        check(Facts { position: "absolute", ..recipe.clone() }, Visibility::Clipped);
        check(recipe, Visibility::Visible); // `clip` needs a positioned element.
    }

    #[test]
    fn overflow_cuts_by_containing_block() {
        let check = |position: &'static str, expected: Visibility| {
            let cutter = Facts { clips: true, ..element(Some(0), [0.0, 0.0, 10.0, 10.0]) };
            let child = Facts { position, ..element(Some(1), [50.0, 0.0, 10.0, 10.0]) };
            let page = element(None, [0.0, 0.0, 100.0, 100.0]);
            assert_eq!(judge(&[page, cutter, child], 100.0, 100.0)[2], expected, "{position}");
        };
        check("static", Visibility::Clipped);
        check("relative", Visibility::Clipped);
        check("absolute", Visibility::Visible);
        check("fixed", Visibility::Visible);
    }

    #[test]
    fn an_opaque_box_in_front_covers_but_not_its_own_parent() {
        let page = element(None, [0.0, 0.0, 100.0, 100.0]);
        let below = Facts { paint_order: 1, ..element(Some(0), [10.0, 10.0, 10.0, 10.0]) };
        let cover = Facts { paint_order: 2, opaque: true, ..element(Some(0), [0.0, 0.0, 100.0, 50.0]) };
        let check = |cover: Facts<'_>, expected: Visibility| {
            assert_eq!(judge(&[page.clone(), below.clone(), cover], 100.0, 100.0)[1], expected);
        };
        check(cover.clone(), Visibility::Covered);
        check(Facts { paint_order: 0, ..cover.clone() }, Visibility::Visible);
        check(Facts { opacity: 0.5, ..cover.clone() }, Visibility::Visible);
        check(Facts { parent: Some(1), ..cover.clone() }, Visibility::Visible);
    }
}
