//! Font sizes that a renderer has drawn.
//!
//! Chrome keeps a font by its size in steps of 1/64 px, and draws all sizes of a step as the first one that came. Tag clouds
//! have such sizes: 19.205 px on one page, 19.2179 px on the next. A page must not show what was rendered before it.

use std::collections::HashMap;

/// Steps that Chrome tells apart in one px.
const STEPS_PER_PX: f32 = 64.0;

/// What one renderer has drawn.
#[derive(Debug, Default)]
pub(crate) struct FontSizes {
    /// The size that a step stands for; `None` where a page had several, and which came first is Chrome's to know.
    steps: HashMap<u32, Option<f32>>,
}

impl FontSizes {
    /// Whether those sizes, in px, are drawn as a fresh renderer would draw them. If so, they are taken in.
    pub(crate) fn admit(&mut self, sizes: impl Iterator<Item = f32>) -> bool {
        let mut page: HashMap<u32, Option<f32>> = HashMap::new();
        for size in sizes {
            let known = page.entry((size * STEPS_PER_PX) as u32).or_insert(Some(size));
            if *known != Some(size) {
                *known = None;
            }
        }
        let clashes = |(step, size): (&u32, &Option<f32>)| match self.steps.get(step) {
            None => false,
            Some(known) => known.is_none() || known != size,
        };
        if page.iter().any(clashes) {
            return false;
        }
        self.steps.extend(page);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_one_step_clash_across_pages() {
        let check = |pages: &[&[f32]], expected: &[bool]| {
            let mut sizes = FontSizes::default();
            let admitted: Vec<bool> = pages.iter().map(|page| sizes.admit(page.iter().copied())).collect();
            assert_eq!(admitted, expected, "{pages:?}");
        };
        check(&[&[16.0, 13.3333], &[16.0], &[13.3333]], &[true, true, true]);
        check(&[&[19.205], &[19.2179], &[19.2201]], &[true, false, true]);
        // Within a page the order is the page's own; what comes after it cannot know.
        check(&[&[19.205, 19.2179], &[19.205], &[12.0]], &[true, false, true]);
        check(&[&[19.205], &[19.205, 19.2179]], &[true, false]);
    }
}
