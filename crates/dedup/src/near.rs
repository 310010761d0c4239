//! Screenshots that look the same.
//!
//! Two screenshots are near-duplicates when the hashes of the whole page and of the first viewport both lie within
//! their radius and the pages are about equally tall. Clusters are the connected components of such pairs. Flat
//! pictures have hashes that mean nothing and stay alone.

use std::collections::HashMap;

use item::ItemId;

use crate::cluster::{Assignment, Contender, Groups};
use crate::phash::VisualPrint;
use crate::{ImageHash, neighbours};

/// When two screenshots count as the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearPolicy {
    /// Bits of the whole page's hash that may differ.
    pub whole_bits_max: u32,
    /// Bits of the first viewport's hash that may differ.
    pub viewport_bits_max: u32,
    /// How much taller one page may be than the other, as a share of the taller one.
    pub height_share_max: f64,
}

impl Default for NearPolicy {
    fn default() -> Self {
        // Measured in docs/decisions/0005-perceptual-hash.md: the widest that kept all look-alikes apart.
        Self { whole_bits_max: 20, viewport_bits_max: 8, height_share_max: 0.05 }
    }
}

impl NearPolicy {
    /// Whether the two look the same.
    pub fn is_near(&self, a: &VisualPrint, b: &VisualPrint) -> bool {
        let (low, high) = (f64::from(a.height.min(b.height)), f64::from(a.height.max(b.height)));
        !a.flat
            && !b.flat
            && a.width == b.width
            && high - low <= high * self.height_share_max
            && a.whole.distance(&b.whole) <= self.whole_bits_max
            && a.viewport.distance(&b.viewport) <= self.viewport_bits_max
    }
}

/// What the decision needs of one item.
#[derive(Debug, Clone, Copy)]
pub struct NearNote {
    /// Identity.
    pub id: ItemId,
    /// What it looks like.
    pub print: VisualPrint,
    /// Which of a cluster to keep: the highest, then the smallest id.
    pub score: f64,
}

/// One assignment per note.
pub fn assign(notes: &[NearNote], policy: &NearPolicy) -> Vec<Assignment> {
    let mut groups = Groups::new(notes.len());
    // Equal prints are joined at once, so that a theme with ten thousand copies does not make fifty million pairs.
    let mut first_of: HashMap<VisualPrint, usize> = HashMap::new();
    let mut distinct: Vec<usize> = Vec::new();
    for (index, note) in notes.iter().enumerate().filter(|(_, note)| !note.print.flat) {
        let first = *first_of.entry(note.print).or_insert(index);
        if first == index {
            distinct.push(index);
        } else {
            groups.join(first, index);
        }
    }
    // Both radii have to hold, so the search may go by the hash with the smaller one: it meets fewer candidates.
    let by_viewport = policy.viewport_bits_max < policy.whole_bits_max;
    let key = |&index: &usize| if by_viewport { notes[index].print.viewport } else { notes[index].print.whole };
    let keys: Vec<ImageHash<4>> = distinct.iter().map(key).collect();
    let radius = policy.whole_bits_max.min(policy.viewport_bits_max);
    neighbours::for_each_pair(&keys, &neighbours::Policy::exact(radius), |pair| {
        let (a, b) = (distinct[pair.a], distinct[pair.b]);
        if policy.is_near(&notes[a].print, &notes[b].print) {
            groups.join(a, b);
        }
    });
    let contenders: Vec<_> = notes.iter().map(|note| Contender { id: note.id, score: note.score }).collect();
    groups.assign(&contenders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hash256;
    use crate::cluster::tests::id;

    fn print(whole: u64, viewport: u64, height: u32) -> VisualPrint {
        VisualPrint {
            whole: Hash256::new([whole, 0, 0, 0]),
            viewport: Hash256::new([viewport, 0, 0, 0]),
            flat: false,
            width: 1280,
            height,
        }
    }

    #[test]
    fn near_means_near_in_all_ways() {
        let base = print(0, 0, 1000);
        let check = |other: VisualPrint, expected: bool| {
            assert_eq!(NearPolicy::default().is_near(&base, &other), expected, "{other:?}");
            assert_eq!(NearPolicy::default().is_near(&other, &base), expected, "{other:?}");
        };
        check(base, true);
        check(print(0xf_ffff, 0xff, 1050), true);
        check(print(0x1f_ffff, 0, 1000), false);
        check(print(0, 0x1ff, 1000), false);
        check(print(0, 0, 1200), false);
        check(VisualPrint { width: 390, ..base }, false);
        check(VisualPrint { flat: true, ..base }, false);
    }

    #[test]
    fn clusters_chain_and_flat_pictures_stay_alone() {
        let flat = VisualPrint { flat: true, ..print(0, 0, 1000) };
        let prints = [print(0, 0, 1000), print(0xf_ffff, 0, 1000), print(0xff_ffff_ffff, 0, 1000), flat, flat];
        let notes: Vec<_> =
            prints.iter().zip(0..).map(|(&print, n)| NearNote { id: id(n), print, score: n as f64 }).collect();
        let sizes: Vec<_> = assign(&notes, &NearPolicy::default()).iter().map(|a| (a.size, a.kept)).collect();
        assert_eq!(sizes, [(3, false), (3, false), (3, true), (1, true), (1, true)]);
    }

    #[test]
    fn many_copies_are_one_cluster() {
        let notes: Vec<_> = (0..50_000).map(|n| NearNote { id: id(n), print: print(7, 7, 900), score: 0.5 }).collect();
        let assignments = assign(&notes, &NearPolicy::default());
        assert!(assignments.iter().all(|a| a.size == 50_000));
        assert_eq!(assignments.iter().filter(|a| a.kept).count(), 1);
    }
}
