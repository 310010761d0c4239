//! Font sizes that a renderer has drawn.
//!
//! Chrome draws fonts in steps of 0.01 px, and now and then takes the font of one step for the one beside it, if that was
//! drawn before: 19.21 px after a page with 19.20 px, as tag clouds have them, or `19.8px` after `1.35em` of 11 pt, which is two
//! millionths more and in the next step. A page must not show what was rendered before it. Which pairs those are was measured
//! (docs/decisions/0024) and is not written anywhere, so all neighbours count.

use std::collections::BTreeSet;

/// Steps that Chrome draws in one px.
const STEPS_PER_PX: f64 = 100.0;
/// What arithmetic may have taken from a size that is a whole number of steps: less than two sizes of Chrome's can differ by.
const SLACK: f64 = 1e-6;

/// The steps that one renderer has drawn.
#[derive(Debug, Default)]
pub(crate) struct FontSizes(BTreeSet<u32>);

impl FontSizes {
    /// Whether those sizes, in device px, are drawn as a fresh renderer would draw them. If so, they are taken in.
    pub(crate) fn admit(&mut self, sizes: impl Iterator<Item = f64>) -> bool {
        let page: BTreeSet<u32> = sizes.map(|size| (size * STEPS_PER_PX + SLACK) as u32).collect();
        // A step that was drawn by itself is drawn so again; one whose neighbour was drawn, too, may have been taken for it.
        let beside =
            |step: &u32| self.0.contains(&(step + 1)) || step.checked_sub(1).is_some_and(|s| self.0.contains(&s));
        if page.iter().any(beside) {
            return false;
        }
        self.0.extend(page);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_clash_across_pages() {
        let check = |pages: &[&[f64]], expected: &[bool]| {
            let mut sizes = FontSizes::default();
            let admitted: Vec<bool> = pages.iter().map(|page| sizes.admit(page.iter().copied())).collect();
            assert_eq!(admitted, expected, "{pages:?}");
        };
        check(&[&[16.0, 13.3333], &[16.0], &[13.3333]], &[true, true, true]);
        check(&[&[19.205], &[19.2179], &[19.1999], &[19.2201]], &[true, false, false, true]);
        check(&[&[19.2009], &[19.2091]], &[true, true]);
        check(&[&[19.799_999_24], &[19.800_001], &[19.799_999_24]], &[true, false, true]);
        // Within a page the order is the page's own; what comes after it cannot know.
        check(&[&[19.205, 19.2179], &[19.205], &[12.0]], &[true, false, true]);
        check(&[&[19.205], &[19.205, 19.2179]], &[true, false]);
        check(&[&[0.0], &[0.0, 0.01]], &[true, false]);
    }
}
