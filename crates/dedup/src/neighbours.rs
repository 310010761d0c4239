//! Every pair of hashes within a Hamming radius: all of them, none twice, none invented.
//!
//! The bits are cut into more blocks than the radius has bits, so two hashes within the radius agree in some blocks and
//! differ in at most `radius` of them. The search walks the blocks one by one and asks of each: do the two agree in it
//! (sort by the block, go on within each run of equal values), or do they differ (go on with all of them, one
//! difference spent)? Each pair answers each question one way only and so is met exactly once. A set that is small
//! enough is compared pair by pair.
//!
//! Why this form of multi-index hashing: it goes on splitting exactly where hashes crowd (a million pages that begin
//! with the same white band), and all it needs in memory is one copy of the hashes, permuted in place. A bucket that no
//! block takes apart is compared pair by pair while it stands: slow where it is large, never large in memory.

use crate::ImageHash;

/// Moving one entry to its place in a round of sorting, in comparisons of two hashes.
const SORTING: f64 = 25.0;

/// Two hashes within the radius, by their places in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// The smaller place.
    pub a: usize,
    /// The larger place.
    pub b: usize,
    /// Bits in which they differ.
    pub distance: u32,
}

/// All pairs within `radius`, sorted by their places.
///
/// Where thousands of hashes are the same, the answer itself is quadratic: collapse equal ones first, as
/// [`crate::near`] does, or use [`for_each_pair`].
pub fn pairs<const WORDS: usize>(hashes: &[ImageHash<WORDS>], radius: u32) -> Vec<Pair> {
    let mut found = Vec::new();
    for_each_pair(hashes, radius, |pair| found.push(pair));
    found.sort_unstable();
    found
}

/// Calls `visit` once for each pair within `radius`, in an order that is the same for the same input. Holds one copy of
/// the hashes and no pairs.
pub fn for_each_pair<const WORDS: usize>(hashes: &[ImageHash<WORDS>], radius: u32, visit: impl FnMut(Pair)) {
    search(hashes, radius, SORTING, visit);
}

fn search<const WORDS: usize>(hashes: &[ImageHash<WORDS>], radius: u32, sorting: f64, visit: impl FnMut(Pair)) {
    let mut entries: Vec<Entry<WORDS>> = hashes.iter().zip(0..).map(|(&hash, place)| Entry { hash, place }).collect();
    let blocks = blocks(ImageHash::<WORDS>::BITS, radius, entries.len());
    // A radius beyond the bits asks no more than one of all bits.
    let radius = radius.min(ImageHash::<WORDS>::BITS);
    let mut search = Search { blocks: &blocks, radius, sorting, differing: Vec::new(), visit };
    search.walk(&mut entries, 0);
}

#[derive(Clone, Copy)]
struct Entry<const WORDS: usize> {
    hash: ImageHash<WORDS>,
    place: u32,
}

/// Bits `start .. start + count` of a hash; `count` is at most 64.
#[derive(Debug, Clone, Copy)]
struct Block {
    start: u32,
    count: u32,
}

impl Block {
    fn of<const WORDS: usize>(self, hash: &ImageHash<WORDS>) -> u64 {
        hash.bits(self.start, self.count)
    }
}

struct Search<'a, F> {
    blocks: &'a [Block],
    radius: u32,
    sorting: f64,
    /// Blocks decided so far in which the pairs sought differ.
    differing: Vec<Block>,
    visit: F,
}

impl<F: FnMut(Pair)> Search<'_, F> {
    /// Visits the pairs of `entries` that agree and differ in the blocks before `depth` as decided.
    fn walk<const WORDS: usize>(&mut self, entries: &mut [Entry<WORDS>], depth: usize) {
        let may_differ = self.radius - self.differing.len() as u32;
        let blocks_left = (self.blocks.len() - depth) as u32;
        // Going on sorts the whole set once more for each difference that is still allowed.
        let is_small = entries.len() as f64 / 2.0 <= f64::from(may_differ + 1) * self.sorting;
        if is_small || blocks_left == 0 {
            return self.compare_all(entries);
        }
        let block = self.blocks[depth];
        entries.sort_unstable_by_key(|entry| block.of(&entry.hash));
        let agreeing_pairs: f64 = runs(entries, block).map(|run| (run.len() as f64).powi(2)).sum();
        let agreeing = agreeing_pairs / (entries.len() as f64).powi(2);
        if meetings(blocks_left, may_differ, agreeing) >= 1.0 {
            return self.compare_all(entries);
        }
        for run in runs(entries, block) {
            self.walk(run, depth + 1);
        }
        if may_differ > 0 {
            self.differing.push(block);
            self.walk(entries, depth + 1);
            self.differing.pop();
        }
    }

    fn compare_all<const WORDS: usize>(&mut self, entries: &[Entry<WORDS>]) {
        for (index, a) in entries.iter().enumerate() {
            for b in &entries[index + 1..] {
                let distance = a.hash.distance(&b.hash);
                if distance <= self.radius && self.differing.iter().all(|block| block.of(&a.hash) != block.of(&b.hash))
                {
                    let (first, second) = (a.place.min(b.place), a.place.max(b.place));
                    (self.visit)(Pair { a: first as usize, b: second as usize, distance });
                }
            }
        }
    }
}

/// The stretches of equal values in `block`, of entries sorted by it.
fn runs<const WORDS: usize>(entries: &mut [Entry<WORDS>], block: Block) -> impl Iterator<Item = &mut [Entry<WORDS>]> {
    entries.chunk_by_mut(move |a, b| block.of(&a.hash) == block.of(&b.hash))
}

/// How often going on through `blocks_left` blocks would compare a pair on average, when a share of `agreeing` pairs
/// agree in each block: from 1 on, comparing all pairs at once is cheaper.
fn meetings(blocks_left: u32, may_differ: u32, agreeing: f64) -> f64 {
    let must_agree = blocks_left.saturating_sub(may_differ);
    ways_to_differ(may_differ, must_agree) * agreeing.powi(must_agree as i32)
}

/// In how many ways `differing` of `differing + agreeing` blocks can be chosen.
fn ways_to_differ(differing: u32, agreeing: u32) -> f64 {
    (1..=differing).map(|chosen| 1.0 + f64::from(agreeing) / f64::from(chosen)).product()
}

/// Cuts `bits` into blocks of nearly equal size for `len` hashes.
///
/// With `radius + k` blocks a pair agrees in at least `k`. A larger `k` leaves fewer strangers to compare but has more
/// ways to choose the `k` agreeing blocks, each a round of sorting; the cheapest is taken.
fn blocks(bits: u32, radius: u32, len: usize) -> Vec<Block> {
    /// More never paid off below 10^9 hashes.
    const AGREEING_MAX: u32 = 8;
    let least = bits.div_ceil(64).max(radius.saturating_add(1)).min(bits);
    let most = radius.saturating_add(AGREEING_MAX).clamp(least, bits);
    let count = (least..=most)
        .min_by(|&a, &b| cost(bits, radius, len, a).total_cmp(&cost(bits, radius, len, b)))
        .unwrap_or(least);
    (0..count)
        .map(|index| {
            let (start, end) = (bits * index / count, bits * (index + 1) / count);
            Block { start, count: end - start }
        })
        .collect()
}

/// Estimated work with `count` blocks on evenly spread hashes, in comparisons.
fn cost(bits: u32, radius: u32, len: usize, count: u32) -> f64 {
    let agreeing = count.saturating_sub(radius).max(1);
    let agreeing_bits = f64::from(bits) / f64::from(count) * f64::from(agreeing);
    let strangers = len as f64 / 2.0 / agreeing_bits.exp2();
    ways_to_differ(radius, agreeing) * len as f64 * (SORTING + strangers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn brute_force<const WORDS: usize>(hashes: &[ImageHash<WORDS>], radius: u32) -> Vec<Pair> {
        let mut found = Vec::new();
        for a in 0..hashes.len() {
            for b in a + 1..hashes.len() {
                let distance = hashes[a].distance(&hashes[b]);
                if distance <= radius {
                    found.push(Pair { a, b, distance });
                }
            }
        }
        found
    }

    /// Compares with brute force, also with a search that sorts down to the last pair.
    fn check<const WORDS: usize>(hashes: &[ImageHash<WORDS>], radius: u32) {
        let expected = brute_force(hashes, radius);
        assert_eq!(pairs(hashes, radius), expected);
        let mut found = Vec::new();
        search(hashes, radius, 0.1, |pair| found.push(pair));
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    /// Hashes around a few centres: each a centre with some bits flipped, and some hashes from nowhere.
    fn crowd<const WORDS: usize>(seed: u64, len: usize, centres: u64, flips: u64) -> Vec<ImageHash<WORDS>> {
        let mut state = seed;
        let mut next = move || {
            // SplitMix64: enough of a generator for test data.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        let centres: Vec<[u64; WORDS]> = (0..centres).map(|_| std::array::from_fn(|_| next())).collect();
        (0..len)
            .map(|_| {
                let choice = next() as usize % (centres.len() + 1);
                let mut words = centres.get(choice).copied().unwrap_or_else(|| std::array::from_fn(|_| next()));
                for _ in 0..next() % (flips + 1) {
                    let bit = next() as usize % (WORDS * 64);
                    words[bit / 64] ^= 1 << (bit % 64);
                }
                ImageHash::new(words)
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn equal_to_brute_force_64(seed in any::<u64>(), len in 0usize..300, centres in 0u64..6, flips in 0u64..12, radius in 0u32..=8) {
            let hashes = crowd::<1>(seed, len, centres, flips);
            check(&hashes, radius);
        }

        #[test]
        fn equal_to_brute_force_256(seed in any::<u64>(), len in 0usize..300, centres in 0u64..6, flips in 0u64..30, radius in 0u32..=24) {
            let hashes = crowd::<4>(seed, len, centres, flips);
            check(&hashes, radius);
        }

        #[test]
        fn sparse_hashes_share_nearly_all_blocks(seed in any::<u64>(), radius in 0u32..=12) {
            // One centre of zeros: what mostly white pages give.
            let hashes: Vec<_> = crowd::<4>(seed, 200, 1, 20)
                .iter()
                .map(|hash| ImageHash::new(hash.words().map(|word| word & 0x0101_0000_0000_8001)))
                .collect();
            check(&hashes, radius);
        }
    }

    #[test]
    fn a_radius_as_wide_as_the_hash_pairs_all() {
        let hashes = crowd::<1>(1, 100, 0, 0);
        assert_eq!(pairs(&hashes, 64).len(), 100 * 99 / 2);
        assert_eq!(pairs(&hashes, 1000).len(), 100 * 99 / 2);
    }

    #[test]
    fn blocks_cover_all_bits_once() {
        for bits in [64, 256] {
            for radius in 0..=bits + 1 {
                for len in [0, 1, 1000, 1_000_000, 100_000_000] {
                    let blocks = blocks(bits, radius, len);
                    assert!(blocks.iter().all(|block| (1..=64).contains(&block.count)));
                    let ends: Vec<_> = blocks.iter().map(|block| block.start + block.count).collect();
                    let starts: Vec<_> = blocks.iter().skip(1).map(|block| block.start).collect();
                    assert_eq!((blocks[0].start, ends.last()), (0, Some(&bits)));
                    assert_eq!(starts, ends[..ends.len() - 1]);
                    assert!(blocks.len() as u32 > radius.min(bits - 1), "{bits} {radius}");
                }
            }
        }
    }
}
