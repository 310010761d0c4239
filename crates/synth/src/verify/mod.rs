//! The checks that every triple passes, whoever made it.
//!
//! All of them look at renders. The cheap ones come first; each answers with the rule that applied and what was measured.

mod looks;

use std::collections::BTreeMap;

use bytes::Bytes;
use item::{Node, Rect, Rejection, Rule, Shown, Viewport};

use crate::edit::Page;
use crate::metric::{Picture, change, change_outside, line_jaccard, palette, palette_similarity, ssim_half};
use crate::rule;

pub use looks::{Look, lost_looks};

/// What a renderer gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Shot {
    /// The screenshot, PNG.
    pub screenshot: Bytes,
    /// Width in device px.
    pub width: u32,
    /// Height in device px.
    pub height: u32,
    /// Elements in document order.
    pub nodes: Vec<Node>,
}

/// Whoever shows documents, always in the same way.
pub trait Renderer {
    /// Renders a document; `Err` says why it cannot be shown.
    fn render(&self, html: &str) -> Result<Shot, String>;
}

impl Shot {
    /// Code and picture together.
    pub fn shown(&self, html: String) -> Shown {
        Shown { html, screenshot: self.screenshot.clone(), width: self.width, height: self.height }
    }
}

/// When a triple is good. Shares are of pixels, differences between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gates {
    /// Least share of one screen's pixels that an edit changes visibly: a button is as visible on a long page as on a short one.
    pub change_min: f64,
    /// Greatest share of pixels that an edit of a part of the page changes.
    pub change_max: f64,
    /// Greatest share of pixels that change outside of the region.
    pub spill_max: f64,
    /// Least difference of draft and target: 1 less their SSIM.
    pub draft_difference_min: f64,
    /// Greatest difference of draft and target.
    pub draft_difference_max: f64,
    /// By how much the answer must be nearer to the target than the draft, in every metric.
    pub polish_margin: f64,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            change_min: 0.0005,
            change_max: 0.6,
            spill_max: 0.0001,
            draft_difference_min: 0.06,
            draft_difference_max: 0.55,
            polish_margin: 0.005,
        }
    }
}

/// Named measurements.
pub type Measures = BTreeMap<String, f64>;

fn refuse(rule: Rule, detail: String) -> Rejection {
    Rejection { rule, detail }
}

/// What an edit is checked against.
#[derive(Debug)]
pub struct EditClaim<'a> {
    /// The page before.
    pub page: &'a Page<'a>,
    /// Its screenshot.
    pub before: &'a Picture,
    /// What it was rendered in.
    pub viewport: Viewport,
    /// Where it may change, in CSS px; `None` for everywhere.
    pub region: Option<Rect>,
    /// Elements that may look different, with all that is in them.
    pub touched: &'a [usize],
}

/// Checks the render of an edited page: visible, within bounds, and only where it may be.
pub fn check_edit(claim: &EditClaim<'_>, html: &str, shot: &Shot, gates: &Gates) -> (Measures, Option<Rejection>) {
    let mut measures = Measures::new();
    let after = match Picture::from_encoded(&shot.screenshot) {
        Ok(after) => after,
        Err(error) => return (measures, Some(refuse(rule::DOES_NOT_RENDER, error.to_string()))),
    };
    let found = change(claim.before, &after);
    measures.insert("changed".to_owned(), found.share);
    measures.insert("line_jaccard".to_owned(), line_jaccard(claim.page.html(), html));
    let scale = claim.viewport.device_scale_factor;
    let screen = f64::from(claim.viewport.height) * scale / f64::from(after.height().max(claim.before.height()).max(1));
    let of_screen = found.share / screen.min(1.0);
    if of_screen < gates.change_min {
        let detail = format!("{of_screen:.5} of a screen's pixels change");
        return (measures, Some(refuse(rule::INVISIBLE_EDIT, detail)));
    }
    let Some(region) = claim.region else { return (measures, None) };
    if found.share > gates.change_max {
        return (measures, Some(refuse(rule::TOO_LARGE_EDIT, format!("{:.3} of the pixels change", found.share))));
    }
    let scale = scale as f32;
    let region =
        Rect { x: region.x * scale, y: region.y * scale, width: region.width * scale, height: region.height * scale };
    let outside = change_outside(claim.before, &after, &[region]);
    measures.insert("changed_outside".to_owned(), outside);
    if outside > gates.spill_max {
        return (measures, Some(refuse(rule::SPILLING_EDIT, format!("{outside:.5} of the pixels change elsewhere"))));
    }
    let lost = lost_looks(claim.page, claim.touched, &shot.nodes);
    let refusal = lost.map(|node| {
        let detail = format!("{} looks different and was not named", claim.page.noun(node));
        refuse(rule::SPILLING_EDIT, detail)
    });
    (measures, refusal)
}

/// Metrics by name.
pub type Nearness = [(&'static str, f64); 3];

/// How near two pictures are, in three metrics that see different things.
pub fn nearness(target: &Picture, other: &Picture) -> Nearness {
    if target == other {
        return [("ssim", 1.0), ("same_pixels", 1.0), ("palette", 1.0)];
    }
    let (a, b) = Picture::on_one_canvas(target, other);
    [
        ("ssim", ssim_half(&a, &b).unwrap_or(0.0).max(0.0)),
        ("same_pixels", 1.0 - change(&a, &b).share),
        ("palette", palette_similarity(&palette(&a), &palette(&b))),
    ]
}

fn insert(measures: &mut Measures, nearness: &Nearness, when: &str) {
    measures.extend(nearness.iter().map(|(name, value)| (format!("{name}_{when}"), *value)));
}

/// Checks a draft against the target: neither too near to be worth polishing, nor too far to be one of it.
pub fn check_draft(target: &Picture, draft: &Picture, gates: &Gates) -> (Measures, Option<Rejection>) {
    measure_draft(&nearness(target, draft), gates)
}

fn measure_draft(before: &Nearness, gates: &Gates) -> (Measures, Option<Rejection>) {
    let mut measures = Measures::new();
    insert(&mut measures, before, "before");
    let difference = 1.0 - before[0].1;
    measures.insert("difference".to_owned(), difference);
    let detail = || format!("the draft differs by {difference:.3}");
    let refusal = if difference < gates.draft_difference_min {
        Some(refuse(rule::DRAFT_TOO_NEAR, detail()))
    } else if difference > gates.draft_difference_max {
        Some(refuse(rule::DRAFT_TOO_FAR, detail()))
    } else {
        None
    };
    (measures, refusal)
}

/// Checks an answer to a draft: nearer to the target than the draft by the margin, in every metric.
///
/// A palette that does not differ at all cannot come nearer; that metric then only must not get worse.
pub fn check_nearer(
    target: &Picture,
    draft: &Picture,
    answer: &Picture,
    gates: &Gates,
) -> (Measures, Option<Rejection>) {
    measure_answer(&nearness(target, draft), &nearness(target, answer), gates)
}

fn measure_answer(before: &Nearness, after: &Nearness, gates: &Gates) -> (Measures, Option<Rejection>) {
    let mut measures = Measures::new();
    insert(&mut measures, before, "before");
    insert(&mut measures, after, "after");
    measures.insert("difference".to_owned(), 1.0 - before[0].1);
    let not_nearer = before.iter().zip(after).find(|((name, before), (_, after))| {
        let margin = if *name == "palette" { 0.0 } else { gates.polish_margin };
        after - before < margin
    });
    let refusal = not_nearer.map(|((name, before), (_, after))| {
        refuse(rule::ANSWER_NOT_NEARER, format!("{name} goes from {before:.3} to {after:.3}"))
    });
    (measures, refusal)
}

/// Checks a draft and an answer against the target: the draft inside of the gates, the answer nearer by the margin.
pub fn check_polish(
    target: &Picture,
    draft: &Picture,
    answer: &Picture,
    gates: &Gates,
) -> (Measures, Option<Rejection>) {
    let before = nearness(target, draft);
    let (measures, refusal) = measure_draft(&before, gates);
    if refusal.is_some() {
        return (measures, refusal);
    }
    measure_answer(&before, &nearness(target, answer), gates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ink: [u8; 3], size: u32) -> Picture {
        Picture::from_fn(160, 160, |x, y| if x % 40 < size && y % 20 < 10 && (x + y) % 3 > 0 { ink } else { [255; 3] })
    }

    fn check(draft: &Picture, answer: &Picture, expected: Option<Rule>) {
        let (measures, refusal) = check_polish(&page([0; 3], 20), draft, answer, &Gates::default());
        assert_eq!(refusal.map(|refusal| refusal.rule), expected, "{measures:?}");
    }

    #[test]
    fn drafts_inside_the_gates_with_a_nearer_answer() {
        let target = page([0; 3], 20);
        check(&page([0; 3], 15), &target, None);
        check(&target, &target, Some(rule::DRAFT_TOO_NEAR));
        check(&page([0; 3], 15), &page([0; 3], 15), Some(rule::ANSWER_NOT_NEARER));
        check(&Picture::from_fn(160, 160, |_, _| [200, 0, 0]), &target, Some(rule::DRAFT_TOO_FAR));
    }
}
