//! Which bits make a block, and how many blocks have to agree.
//!
//! Bits of real hashes are not alike: pages are mostly white, so many bits are nearly always the same, and neighbouring
//! bits go together. The bits are therefore dealt out by how much they tell apart, so that every block splits about
//! equally well. A permutation of bits changes no distance, so each hash is permuted once and blocks are stretches.

use crate::ImageHash;

/// Largest block: 4,096 counters of one scatter stay in the first cache, and so do the ends of its streams.
const BLOCK_BITS_MAX: u32 = 12;
/// A walk keeps the agreeing ones in the bits of a `u128`.
const BLOCKS_MAX: usize = 128;
/// More agreeing blocks never paid off below 10^10 hashes.
const AGREEING_MAX: usize = 8;
/// Hashes that the choice looks at; the error of a bit's share is then below 1 %.
const SAMPLE: usize = 4096;
/// Moving one entry to its block's value, in comparisons of two hashes (measured; comparing is vectorised).
pub(super) const SCATTER: f64 = 8.0;

/// Bits `start .. start + count` of a permuted hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) start: u32,
    pub(super) count: u32,
}

impl Block {
    /// The value of the block.
    pub(super) fn of<const WORDS: usize>(self, hash: &ImageHash<WORDS>) -> usize {
        hash.bits(self.start, self.count) as usize
    }

    /// How many values it has.
    pub(super) fn values(self) -> usize {
        1 << self.count
    }
}

/// The blocks of one search, and where their bits come from.
#[derive(Debug)]
pub(super) struct Layout<const WORDS: usize> {
    /// The bit that each bit of a permuted hash was before.
    origin: Vec<u32>,
    /// What each value of each byte becomes.
    tables: Vec<[ImageHash<WORDS>; 256]>,
    /// More than the radius by `agreeing`; what they leave out can only make two hashes more distant.
    pub(super) blocks: Vec<Block>,
    /// Blocks in which two hashes within the radius agree at least.
    pub(super) agreeing: usize,
    /// Estimated work for each entry, in comparisons.
    pub(super) cost: f64,
}

impl<const WORDS: usize> Layout<WORDS> {
    /// No block at all: everything is compared.
    pub(super) fn none() -> Self {
        let origin: Vec<u32> = (0..ImageHash::<WORDS>::BITS).collect();
        Self { tables: tables(&origin), origin, blocks: Vec::new(), agreeing: 0, cost: f64::INFINITY }
    }

    /// The cheapest layout for a search among `len` hashes of which `hashes` are examples; `None` where there is none
    /// (the radius has nearly as many bits as the hash).
    pub(super) fn choose(hashes: &[ImageHash<WORDS>], len: usize, radius: u32) -> Option<Self> {
        let step = hashes.len().div_ceil(SAMPLE).max(1);
        let sample: Vec<&ImageHash<WORDS>> = hashes.iter().step_by(step).collect();
        let mut bits: Vec<(f64, u32)> =
            (0..ImageHash::<WORDS>::BITS).map(|bit| (information(&sample, bit), bit)).collect();
        bits.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        (1..=AGREEING_MAX)
            .filter_map(|agreeing| Deal::new(&bits, radius, agreeing))
            .map(|deal| (deal.cost(len, radius), deal))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(cost, deal)| deal.layout(cost))
    }

    /// The hash with its bits in the order of the blocks.
    pub(super) fn permute(&self, hash: &ImageHash<WORDS>) -> ImageHash<WORDS> {
        let mut words = [0; WORDS];
        let bytes = hash.words().iter().flat_map(|word| word.to_be_bytes());
        for (table, byte) in self.tables.iter().zip(bytes) {
            let part = table[usize::from(byte)].words();
            words.iter_mut().zip(part).for_each(|(word, part)| *word |= part);
        }
        ImageHash::new(words)
    }

    /// What differed before the permutation, given what differs after it.
    pub(super) fn restore(&self, difference: &ImageHash<WORDS>) -> ImageHash<WORDS> {
        let mut words = [0; WORDS];
        let differing = self.origin.iter().zip(0..).filter(|&(_, bit)| difference.bits(bit, 1) == 1);
        for (&bit, _) in differing {
            words[bit as usize / 64] |= 1 << (63 - bit % 64);
        }
        ImageHash::new(words)
    }
}

/// How well a bit tells two hashes apart: -log2 of the chance that they agree in it, 0 to 1.
fn information<const WORDS: usize>(sample: &[&ImageHash<WORDS>], bit: u32) -> f64 {
    let set = sample.iter().filter(|hash| hash.bits(bit, 1) == 1).count() as f64;
    let share = set / (sample.len() as f64).max(1.0);
    -(share * share + (1.0 - share) * (1.0 - share)).log2()
}

/// Bits in blocks, before anything is built.
struct Deal {
    blocks: Vec<Vec<u32>>,
    /// What a block tells on average, in bits.
    information: f64,
    agreeing: usize,
}

impl Deal {
    /// Deals the most telling bits out to `radius + agreeing` blocks, each to the block that tells least so far.
    fn new(bits: &[(f64, u32)], radius: u32, agreeing: usize) -> Option<Self> {
        let count = (radius as usize).checked_add(agreeing).filter(|&count| count <= bits.len().min(BLOCKS_MAX))?;
        let mut blocks: Vec<(f64, Vec<u32>)> = vec![(0.0, Vec::new()); count];
        for &(information, bit) in bits {
            let open = blocks.iter_mut().filter(|(_, bits)| bits.len() < BLOCK_BITS_MAX as usize);
            let poorest = open.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.len().cmp(&b.1.len())));
            let Some((sum, bits)) = poorest else { break };
            *sum += information;
            bits.push(bit);
        }
        let information = blocks.iter().map(|(sum, _)| sum).sum::<f64>() / count as f64;
        Some(Self { blocks: blocks.into_iter().map(|(_, bits)| bits).collect(), information, agreeing })
    }

    /// Estimated work for each entry, in comparisons, if bits were independent.
    fn cost(&self, len: usize, radius: u32) -> f64 {
        let scatters: f64 = (1..=self.agreeing).map(|depth| nodes(radius, depth)).sum();
        let strangers = len as f64 / 2.0 * (-self.information * self.agreeing as f64).exp2();
        scatters * SCATTER + nodes(radius, self.agreeing) * strangers
    }

    fn layout<const WORDS: usize>(self, cost: f64) -> Layout<WORDS> {
        let mut start = 0;
        let blocks: Vec<Block> = self
            .blocks
            .iter()
            .map(|bits| {
                let block = Block { start, count: bits.len() as u32 };
                start += block.count;
                block
            })
            .collect();
        let mut origin: Vec<u32> = self.blocks.into_iter().flatten().collect();
        let dealt: std::collections::HashSet<u32> = origin.iter().copied().collect();
        origin.extend((0..ImageHash::<WORDS>::BITS).filter(|bit| !dealt.contains(bit)));
        Layout { tables: tables(&origin), origin, blocks, agreeing: self.agreeing, cost }
    }
}

fn tables<const WORDS: usize>(origin: &[u32]) -> Vec<[ImageHash<WORDS>; 256]> {
    let mut destination = vec![0; origin.len()];
    for (&from, to) in origin.iter().zip(0u32..) {
        destination[from as usize] = to;
    }
    let entry = |byte: usize, value: usize| {
        let mut words = [0; WORDS];
        for bit in (0..8).filter(|bit| value >> (7 - bit) & 1 == 1) {
            let to = destination[byte * 8 + bit];
            words[to as usize / 64] |= 1 << (63 - to % 64);
        }
        ImageHash::new(words)
    };
    (0..origin.len() / 8).map(|byte| std::array::from_fn(|value| entry(byte, value))).collect()
}

/// Ways to choose the first `agreed` agreeing blocks when at most `radius` differ before the last of them.
pub(super) fn nodes(radius: u32, agreed: usize) -> f64 {
    (1..=agreed).map(|chosen| 1.0 + f64::from(radius) / chosen as f64).product()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::tests::crowd;

    #[test]
    fn a_permutation_changes_no_distance_and_can_be_undone() {
        let hashes = crowd::<4>(3, 50, 2, 20);
        let layout = Layout::choose(&hashes, 1_000_000, 16).expect("16 is far below 256");
        for (a, b) in hashes.iter().zip(&hashes[1..]) {
            let (c, d) = (layout.permute(a), layout.permute(b));
            assert_eq!(a.distance(b), c.distance(&d));
            assert_eq!(layout.restore(&c.difference(&d)), a.difference(b));
        }
    }

    #[test]
    fn blocks_are_disjoint_and_more_than_the_radius() {
        for radius in [0, 1, 4, 8, 24, 56] {
            for len in [10, 1_000_000, 1_000_000_000] {
                let layout = Layout::<1>::choose(&crowd(1, 100, 0, 0), len, radius).expect("there is a layout");
                let ends: Vec<u32> = layout.blocks.iter().map(|block| block.start + block.count).collect();
                let starts: Vec<u32> = layout.blocks.iter().map(|block| block.start).collect();
                assert_eq!(starts[1..], ends[..ends.len() - 1]);
                assert!(ends.last() <= Some(&64));
                assert_eq!(layout.blocks.len(), radius as usize + layout.agreeing);
            }
        }
        assert!(Layout::<1>::choose(&crowd(1, 100, 0, 0), 100, 64).is_none());
    }

    #[test]
    fn bits_that_tell_nothing_do_not_fill_a_block() {
        // Half of the bits are always 0: every block must get its share of the others.
        let hashes: Vec<_> =
            crowd::<1>(5, 500, 0, 0).iter().map(|h| ImageHash::new([h.words()[0] & 0xffff_ffff])).collect();
        let layout = Layout::choose(&hashes, 100_000, 4).expect("4 is far below 64");
        for block in &layout.blocks {
            let values: std::collections::BTreeSet<_> =
                hashes.iter().map(|hash| block.of(&layout.permute(hash))).collect();
            assert!(values.len() > 4, "{block:?} has {} values", values.len());
        }
    }
}
