//! The walk over blocks, in memory.
//!
//! A node of the walk says in which blocks the pairs below it agree: it is the list of the *first* agreeing blocks of a
//! pair, so every pair has one path only, and is met at one node only, however early the walk stops there. Entries of a
//! node lie together, so that each step down works on what is in the cache already.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::layout::{Layout, SCATTER, nodes};
use super::{Capped, Pair, Policy, Report};
use crate::ImageHash;

/// Nodes with fewer entries are one task: below, sharing work costs more than the work.
const TASK_ENTRIES_MIN: usize = 1 << 14;
/// Comparisons between two looks at hits: the compiler makes vectors of them.
const LANES: usize = 16;

/// Hashes and their places in the input, apart, so that comparing reads hashes only.
#[derive(Debug, Default)]
pub(super) struct Entries<const WORDS: usize> {
    pub(super) hashes: Vec<ImageHash<WORDS>>,
    pub(super) places: Vec<u32>,
}

impl<const WORDS: usize> Entries<WORDS> {
    pub(super) fn with_len(len: usize) -> Self {
        Self { hashes: vec![ImageHash::new([0; WORDS]); len], places: vec![0; len] }
    }

    pub(super) fn all(&self) -> Slice<'_, WORDS> {
        Slice { hashes: &self.hashes, places: &self.places }
    }
}

/// A stretch of entries. Their places rise, so the fresh ones come first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice<'a, const WORDS: usize> {
    pub(super) hashes: &'a [ImageHash<WORDS>],
    pub(super) places: &'a [u32],
}

impl<const WORDS: usize> Slice<'_, WORDS> {
    fn len(&self) -> usize {
        self.hashes.len()
    }

    fn part(&self, range: std::ops::Range<usize>) -> Self {
        Self { hashes: &self.hashes[range.clone()], places: &self.places[range] }
    }
}

/// What the pairs at a node have in common: the first blocks in which they agree.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Node {
    /// The agreeing blocks, one bit each. A layout has at most 128 blocks.
    pub(super) agreed: u128,
    /// How many they are.
    pub(super) depth: usize,
    /// The first block that is not decided.
    pub(super) next: usize,
}

impl Node {
    /// The node below, where `block` is the next to agree.
    pub(super) fn below(self, block: usize) -> Self {
        Self { agreed: self.agreed | 1 << block, depth: self.depth + 1, next: block + 1 }
    }

    /// Blocks that may be the next to agree: every one that is passed over differs.
    pub(super) fn choices(self, radius: u32) -> std::ops::RangeInclusive<usize> {
        self.next..=radius as usize + self.depth
    }
}

/// Where the walk goes on and where it compares; no choice changes the answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuning {
    /// Moving one entry to its block's value, in comparisons.
    pub(super) scatter: f64,
    /// Where all agreeing blocks are chosen and still this many entries are together, bits that tell them apart are
    /// looked for anew.
    pub(super) crowd: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { scatter: SCATTER, crowd: 4096 }
    }
}

/// What all parts of one search share.
pub(super) struct Shared<'a, F> {
    pub(super) tuning: Tuning,
    pub(super) policy: &'a Policy,
    pub(super) visit: Mutex<F>,
    pub(super) comparisons: AtomicU64,
    pub(super) pairs: AtomicU64,
    pub(super) capped: Mutex<Vec<Capped>>,
}

impl<'a, F: FnMut(Pair) + Send> Shared<'a, F> {
    pub(super) fn new(policy: &'a Policy, visit: F) -> Self {
        Self {
            tuning: Tuning::default(),
            policy,
            visit: Mutex::new(visit),
            comparisons: AtomicU64::new(0),
            pairs: AtomicU64::new(0),
            capped: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn report(self) -> Report {
        let mut capped = self.capped.into_inner().unwrap_or_default();
        capped.sort_unstable();
        Report { comparisons: self.comparisons.into_inner(), pairs: self.pairs.into_inner(), capped }
    }

    fn deliver(&self, found: &[Pair]) {
        if found.is_empty() {
            return;
        }
        self.pairs.fetch_add(found.len() as u64, Ordering::Relaxed);
        // A visitor that panicked has ended the search anyway.
        let mut visit = self.visit.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for &pair in found {
            visit(pair);
        }
    }
}

/// The walk by one layout; inside a crowd another one begins, which answers to the one around it.
pub(super) struct Walk<'a, F, const WORDS: usize> {
    pub(super) shared: &'a Shared<'a, F>,
    pub(super) layout: &'a Layout<WORDS>,
    /// The node of the walk around this one.
    pub(super) outer: Option<(&'a Walk<'a, F, WORDS>, Node)>,
    /// Entries that it began with.
    pub(super) size: usize,
}

impl<F: FnMut(Pair) + Send, const WORDS: usize> Walk<'_, F, WORDS> {
    /// Visits the pairs of `slice` that belong to `node` or below.
    pub(super) fn walk(&self, slice: Slice<'_, WORDS>, node: Node) {
        let radius = self.shared.policy.radius;
        let skipped = node.next - node.depth;
        let steps = nodes(radius - skipped as u32, self.layout.agreeing - node.depth);
        let is_small = slice.len() as f64 / 2.0 <= steps * self.shared.tuning.scatter;
        if slice.len() < 2 || slice.places[0] as usize >= self.shared.policy.fresh {
            return;
        }
        if is_small {
            return self.compare(slice, node);
        }
        if skipped > 0 && self.is_barren(slice, node) {
            return;
        }
        if node.depth == self.layout.agreeing {
            return self.crowd(slice, node);
        }
        let mut sorted = Entries::with_len(slice.len());
        for block in node.choices(radius) {
            let ends = self.scatter(slice, block, &mut sorted);
            self.walk_values(sorted.all(), &ends, node.below(block));
        }
    }

    /// Whether all entries agree in a block that was passed over: then every pair of them is met elsewhere.
    fn is_barren(&self, slice: Slice<'_, WORDS>, node: Node) -> bool {
        let first = slice.hashes[0];
        let differing = slice.hashes.iter().fold([0; WORDS], |mut all, hash| {
            all.iter_mut().zip(hash.difference(&first).words()).for_each(|(all, word)| *all |= word);
            all
        });
        let differing = ImageHash::new(differing);
        let mut passed = (0..node.next).filter(|&at| node.agreed >> at & 1 == 0);
        passed.any(|at| self.layout.blocks[at].of(&differing) == 0)
    }

    /// Walks each stretch of equal values.
    pub(super) fn walk_values(&self, sorted: Slice<'_, WORDS>, ends: &[u32], node: Node) {
        let range = |value: usize| {
            let start = value.checked_sub(1).map_or(0, |before| ends[before]);
            start as usize..ends[value] as usize
        };
        if sorted.len() < TASK_ENTRIES_MIN {
            return (0..ends.len()).for_each(|value| self.walk(sorted.part(range(value)), node));
        }
        (0..ends.len()).into_par_iter().for_each(|value| self.walk(sorted.part(range(value)), node));
    }

    /// Sorts by the value of a block, keeping the order of equal ones; gives the end of each value's stretch.
    pub(super) fn scatter(&self, from: Slice<'_, WORDS>, block: usize, to: &mut Entries<WORDS>) -> Vec<u32> {
        let block = self.layout.blocks[block];
        let mut next = vec![0u32; block.values()];
        for hash in from.hashes {
            next[block.of(hash)] += 1;
        }
        let mut start = 0;
        for slot in &mut next {
            start += std::mem::replace(slot, start);
        }
        for (hash, &place) in from.hashes.iter().zip(from.places) {
            let slot = &mut next[block.of(hash)];
            let at = *slot as usize;
            *slot += 1;
            to.hashes[at] = *hash;
            to.places[at] = place;
        }
        next
    }

    /// Too many for comparing them all: looks for bits that tell these very entries apart.
    fn crowd(&self, slice: Slice<'_, WORDS>, node: Node) {
        let brute_force = slice.len() as f64 / 2.0;
        // A walk that took little away would begin again and again.
        let is_new = self.outer.is_none() || slice.len() * 2 <= self.size;
        let layout = (is_new && slice.len() >= self.shared.tuning.crowd)
            .then(|| Layout::choose(slice.hashes, slice.len(), self.shared.policy.radius))
            .flatten()
            .filter(|layout| layout.cost * 2.0 < brute_force);
        let Some(layout) = layout else { return self.compare(slice, node) };
        let hashes: Vec<_> = slice.hashes.iter().map(|hash| layout.permute(hash)).collect();
        let inner = Walk { shared: self.shared, layout: &layout, outer: Some((self, node)), size: slice.len() };
        inner.walk(Slice { hashes: &hashes, places: slice.places }, Node::default());
    }

    /// Compares each fresh entry with all behind it.
    pub(super) fn compare(&self, slice: Slice<'_, WORDS>, node: Node) {
        let fresh = slice.places.partition_point(|&place| (place as usize) < self.shared.policy.fresh);
        let mut found = Vec::new();
        let all = (0..fresh).map(|first| slice.len() - 1 - first).sum::<usize>() as u64;
        let each = if all > self.shared.policy.bucket_comparisons_max {
            self.cap(slice.len(), all)
        } else {
            self.shared.comparisons.fetch_add(all, Ordering::Relaxed);
            slice.len()
        };
        for first in 0..fresh {
            let (hash, behind) = (slice.hashes[first], first + 1);
            let behind_end = slice.len().min(behind + each);
            near(&hash, &slice.hashes[behind..behind_end], self.shared.policy.radius, |index, distance| {
                let second = behind + index;
                if self.is_first_met_at(node, hash.difference(&slice.hashes[second])) {
                    let (a, b) = (slice.places[first] as usize, slice.places[second] as usize);
                    found.push(Pair { a: a.min(b), b: a.max(b), distance });
                }
            });
        }
        self.shared.deliver(&found);
    }

    /// Compares each fresh entry of one stretch with all of another, which lies behind it.
    pub(super) fn compare_across(&self, ahead: Slice<'_, WORDS>, behind: Slice<'_, WORDS>, node: Node) {
        let fresh = ahead.places.partition_point(|&place| (place as usize) < self.shared.policy.fresh);
        self.shared.comparisons.fetch_add((fresh * behind.len()) as u64, Ordering::Relaxed);
        let mut found = Vec::new();
        for (hash, &a) in ahead.hashes[..fresh].iter().zip(ahead.places) {
            near(hash, behind.hashes, self.shared.policy.radius, |index, distance| {
                if self.is_first_met_at(node, hash.difference(&behind.hashes[index])) {
                    found.push(Pair { a: a as usize, b: behind.places[index] as usize, distance });
                }
            });
        }
        self.shared.deliver(&found);
    }

    /// Notes that a bucket is not compared whole; how many entries behind it each one is compared with.
    fn cap(&self, entries: usize, all: u64) -> usize {
        let each = (self.shared.policy.bucket_comparisons_max / entries as u64) as usize;
        let done = (all).min(each as u64 * entries as u64);
        self.shared.comparisons.fetch_add(done, Ordering::Relaxed);
        let mut capped = self.shared.capped.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        capped.push(Capped { entries, comparisons_left_out: all - done });
        each
    }

    /// Whether the blocks in which the two agree begin with those of the node, in this walk and in those around it.
    pub(super) fn is_first_met_at(&self, node: Node, difference: ImageHash<WORDS>) -> bool {
        let decided = self.layout.blocks[..node.next].iter().enumerate();
        let agreed = decided.filter(|(_, block)| block.of(&difference) == 0).fold(0u128, |all, (at, _)| all | 1 << at);
        let fits = agreed == node.agreed;
        let outer_fits = || {
            let Some((outer, outer_node)) = self.outer else { return true };
            outer.is_first_met_at(outer_node, self.layout.restore(&difference))
        };
        fits && outer_fits()
    }
}

/// Calls `hit` with place and distance of each of `others` within the radius.
fn near<const WORDS: usize>(
    hash: &ImageHash<WORDS>,
    others: &[ImageHash<WORDS>],
    radius: u32,
    mut hit: impl FnMut(usize, u32),
) {
    let mut look = |start: usize, chunk: &[ImageHash<WORDS>]| {
        for (index, other) in chunk.iter().enumerate() {
            let distance = hash.distance(other);
            if distance <= radius {
                hit(start + index, distance);
            }
        }
    };
    let (chunks, rest) = others.as_chunks::<LANES>();
    for (number, chunk) in chunks.iter().enumerate() {
        let any = chunk.iter().fold(false, |any, other| any | (hash.distance(other) <= radius));
        if any {
            look(number * LANES, chunk);
        }
    }
    look(chunks.len() * LANES, rest);
}
