//! Every pair of hashes within a Hamming radius: all of them, none twice, none invented.
//!
//! With `radius + k` disjoint blocks of bits, two hashes within the radius agree in at least `k` blocks. The search walks
//! over the choices of the *first* `k` agreeing blocks: sort by one block, go on within each run of equal values with
//! the next. Each pair has one such choice and is met exactly once. Where few entries are left, all are compared.
//!
//! - [`layout`]: which bits make a block, chosen by what they tell apart, and which `k` is the cheapest for so many hashes.
//! - [`walk`]: the search in memory, in parallel in the rayon pool of the caller.
//! - [`disk`]: the same with partitions in files, within a limit of memory.
//!
//! **Exactness.** The answer is complete for any input unless [`Policy::bucket_comparisons_max`] is set: crowds that no bits
//! take apart are then compared in part, and [`Report::capped`] says each of them. The order in which pairs are
//! visited depends on threads; the set of pairs does not.

mod disk;
mod layout;
mod walk;

use layout::Layout;
use walk::{Entries, Node, Shared, Walk};

pub use disk::{DiskError, Files};

use crate::ImageHash;

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

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Bits in which two hashes may differ.
    pub radius: u32,
    /// Only pairs with one of the first so many hashes: what is new, before what is published.
    pub fresh: usize,
    /// Comparisons spent on one crowd of hashes that agree in all blocks that they have to; beyond, each is compared with as
    /// many as that allows, and the report says so. `u64::MAX` is exact.
    pub bucket_comparisons_max: u64,
}

impl Policy {
    /// Every pair within the radius.
    pub const fn exact(radius: u32) -> Self {
        Self { radius, fresh: usize::MAX, bucket_comparisons_max: u64::MAX }
    }
}

/// What a search did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Pairs that were compared bit by bit.
    pub comparisons: u64,
    /// Pairs that were found.
    pub pairs: u64,
    /// Crowds that were not compared whole; empty when the answer is exact.
    pub capped: Vec<Capped>,
}

/// A crowd of hashes that was not compared whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Capped {
    /// How many hashes.
    pub entries: usize,
    /// Comparisons that were not made.
    pub comparisons_left_out: u64,
}

/// All pairs within `radius`, sorted by their places.
///
/// Where thousands of hashes are the same, the answer itself is quadratic: collapse equal ones first, as
/// [`crate::near`] does, or use [`for_each_pair`].
pub fn pairs<const WORDS: usize>(hashes: &[ImageHash<WORDS>], radius: u32) -> Vec<Pair> {
    let mut found = Vec::new();
    for_each_pair(hashes, &Policy::exact(radius), |pair| found.push(pair));
    found.sort_unstable();
    found
}

/// Calls `visit` once for each pair, one call at a time, in no fixed order. Holds two copies of the hashes (where most of
/// them crowd together, one more for each agreeing block) and no pairs.
pub fn for_each_pair<const WORDS: usize>(
    hashes: &[ImageHash<WORDS>],
    policy: &Policy,
    visit: impl FnMut(Pair) + Send,
) -> Report {
    let len = u32::try_from(hashes.len()).expect("fewer than 2^32 hashes are searched at once");
    search(hashes, len, Shared::new(policy, visit))
}

fn search<F: FnMut(Pair) + Send, const WORDS: usize>(
    hashes: &[ImageHash<WORDS>],
    len: u32,
    shared: Shared<'_, F>,
) -> Report {
    let policy = shared.policy;
    // A radius with as many bits as the hash leaves nothing to agree in.
    let layout = Layout::choose(hashes, hashes.len(), policy.radius).unwrap_or_else(Layout::none);
    let entries =
        Entries { hashes: hashes.iter().map(|hash| layout.permute(hash)).collect(), places: (0..len).collect() };
    Walk { shared: &shared, layout: &layout, outer: None, size: hashes.len() }.walk(entries.all(), Node::default());
    shared.report()
}

#[cfg(test)]
pub(crate) mod tests {
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
        let policy = Policy::exact(radius);
        let mut shared = Shared::new(&policy, |pair| found.push(pair));
        // A wide radius has thousands of paths, which take their time without optimisation.
        shared.tuning = walk::Tuning { scatter: if radius <= 8 { 0.1 } else { 0.2 }, crowd: 2 };
        let report = search(hashes, hashes.len() as u32, shared);
        assert_eq!((report.pairs as usize, report.capped.len()), (expected.len(), 0));
        found.sort_unstable();
        assert_eq!(found, expected);
        check_fresh(hashes, radius, &expected);
    }

    /// Pairs among what is published already are left out, all others found.
    fn check_fresh<const WORDS: usize>(hashes: &[ImageHash<WORDS>], radius: u32, expected: &[Pair]) {
        let policy = Policy { fresh: hashes.len() / 3, ..Policy::exact(radius) };
        let mut found = Vec::new();
        for_each_pair(hashes, &policy, |pair| found.push(pair));
        found.sort_unstable();
        let expected: Vec<Pair> = expected.iter().copied().filter(|pair| pair.a < policy.fresh).collect();
        assert_eq!(found, expected);
    }

    /// Hashes around a few centres: each a centre with some bits flipped, and some hashes from nowhere.
    pub(crate) fn crowd<const WORDS: usize>(seed: u64, len: usize, centres: u64, flips: u64) -> Vec<ImageHash<WORDS>> {
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
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn equal_to_brute_force_64(seed in any::<u64>(), len in 0usize..300, centres in 0u64..6, flips in 0u64..12, radius in 0u32..=8) {
            let hashes = crowd::<1>(seed, len, centres, flips);
            check(&hashes, radius);
        }

        #[test]
        fn equal_to_brute_force_256(seed in any::<u64>(), len in 0usize..160, centres in 0u64..6, flips in 0u64..30, radius in 0u32..=24) {
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
    fn the_order_and_the_number_of_threads_do_not_matter() {
        let hashes = crowd::<1>(9, 30_000, 2_000, 9);
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one");
        let together = rayon::ThreadPoolBuilder::new().num_threads(4).build().expect("a pool of four");
        let expected = alone.install(|| pairs(&hashes, 6));
        assert_eq!(together.install(|| pairs(&hashes, 6)), expected);
        let mut back = hashes.clone();
        back.reverse();
        let last = hashes.len() - 1;
        let turn = |pair: Pair| Pair { a: last - pair.b, b: last - pair.a, distance: pair.distance };
        let mut turned: Vec<Pair> = pairs(&back, 6).into_iter().map(turn).collect();
        turned.sort_unstable();
        assert_eq!(turned, expected);
    }

    #[test]
    fn a_capped_crowd_is_reported() {
        let hashes = vec![ImageHash::<1>::new([7]); 10_000];
        let policy = Policy { bucket_comparisons_max: 100_000, ..Policy::exact(4) };
        let report = for_each_pair(&hashes, &policy, |_| {});
        assert_eq!(report.capped.len(), 1, "{report:?}");
        assert_eq!(report.capped[0].entries, 10_000);
        assert_eq!(report.comparisons + report.capped[0].comparisons_left_out, 10_000 * 9_999 / 2);
        let exact = for_each_pair(&hashes, &Policy::exact(4), |_| {});
        assert_eq!((exact.pairs, exact.capped.len()), (10_000 * 9_999 / 2, 0));
    }
}
