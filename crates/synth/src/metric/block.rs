//! Design2Code's block match: which blocks of text two pages share, and how alike the matched ones are.
//!
//! Si et al., "Design2Code: Benchmarking Multimodal Code Generation for Automated Front-End Engineering", 2024. There the
//! blocks come from a render with one colour per text; here they come from the browser's own boxes. Four parts are theirs,
//! without CLIP: area of matched blocks over all area, text, position, colour.

use item::Node;

use super::color::{Lab, ciede2000, css_color};
use super::text::ratio;

/// A block of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What it says, white space collapsed.
    pub text: String,
    /// Left, top, width, height as shares of the page's width and height.
    pub place: [f64; 4],
    /// Colour of the text.
    pub rgb: [u8; 3],
}

/// How alike two pages are, block by block; each between 0 and 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BlockScore {
    /// Area of matched blocks over the area of all blocks of both pages.
    pub block: f64,
    /// Mean likeness of the texts of matched blocks.
    pub text: f64,
    /// Mean of 1 less the greater of the two distances between the centres, as shares of the page.
    pub position: f64,
    /// Mean of 1 less CIEDE2000 (as part of 100).
    pub color: f64,
}

impl BlockScore {
    /// Mean of the four.
    pub fn mean(&self) -> f64 {
        (self.block + self.text + self.position + self.color) / 4.0
    }
}

/// Neighbours are put together where the texts fit better by more than this, as published.
const GAIN_MIN: f64 = 0.05;
/// Neighbours that are put together on each page at most: each costs an assignment.
const MERGES_MAX: usize = 32;
/// Texts that are less alike are no pair.
const TEXT_MIN: f64 = 0.5;
/// Longer texts are compared by their beginning: comparing takes time with the product of their lengths.
const TEXT_CHARS: usize = 200;
/// Blocks that are assigned exactly; further ones only pair with their equals. Time grows with the cube.
const ASSIGNED_MAX: usize = 160;

/// The blocks of a page of that size in CSS px: visible elements with text of their own.
pub fn blocks(nodes: &[Node], width: f64, height: f64) -> Vec<Block> {
    let has_text = |node: &&Node| node.visible && !node.text.is_empty() && node.rect.width > 0.0;
    let block = |node: &Node| {
        let rect = node.rect;
        let place = [
            f64::from(rect.x) / width,
            f64::from(rect.y) / height,
            f64::from(rect.width) / width,
            f64::from(rect.height) / height,
        ];
        let rgb = css_color(&node.color).map_or([0; 3], |(rgb, _)| rgb);
        Block { text: node.text.chars().take(TEXT_CHARS).collect(), place, rgb }
    };
    nodes.iter().filter(has_text).map(block).collect()
}

/// Compares the blocks of two pages. Two pages without text are the same; with text on one side only they share nothing.
pub fn block_match(a: &[Block], b: &[Block]) -> BlockScore {
    if a.is_empty() && b.is_empty() {
        return BlockScore { block: 1.0, text: 1.0, position: 1.0, color: 1.0 };
    }
    let a = &merged(a, b)[..];
    let b = &merged(b, a)[..];
    let pairs = pairs(a, b);
    if pairs.is_empty() {
        return BlockScore::default();
    }
    let area = |block: &Block| block.place[2] * block.place[3];
    let total: f64 = a.iter().chain(b).map(area).sum();
    let matched: f64 = pairs.iter().map(|&(one, two, _)| area(&a[one]) + area(&b[two])).sum();
    let mean = |value: &dyn Fn(&(usize, usize, f64)) -> f64| pairs.iter().map(value).sum::<f64>() / pairs.len() as f64;
    let center = |block: &Block| (block.place[0] + block.place[2] / 2.0, block.place[1] + block.place[3] / 2.0);
    let gap = |one: &Block, two: &Block| {
        let ((x1, y1), (x2, y2)) = (center(one), center(two));
        (x1 - x2).abs().max((y1 - y2).abs()).min(1.0)
    };
    let hue = |one: &Block, two: &Block| (ciede2000(Lab::from_rgb(one.rgb), Lab::from_rgb(two.rgb)) / 100.0).min(1.0);
    BlockScore {
        block: if total > 0.0 { matched / total } else { 0.0 },
        text: mean(&|pair| pair.2),
        position: mean(&|pair| 1.0 - gap(&a[pair.0], &b[pair.1])),
        color: mean(&|pair| 1.0 - hue(&a[pair.0], &b[pair.1])),
    }
}

/// The blocks of one page, neighbours put together while that makes their texts fit those of the other page better: what one author
/// wrote as a paragraph, another split into spans.
fn merged(blocks: &[Block], others: &[Block]) -> Vec<Block> {
    let mut blocks = blocks.to_vec();
    for _ in 0..MERGES_MAX {
        let Some(at) = best_merge(&blocks, others) else { break };
        let next = blocks.remove(at + 1);
        blocks[at] = joined(&blocks[at], &next);
    }
    blocks
}

/// The block that fits better together with the next one than any other does, by more than [`GAIN_MIN`] of likeness. What is gained is
/// the likeness of the two together to the block that fits best, less that of the pairs that this breaks up.
fn best_merge(blocks: &[Block], others: &[Block]) -> Option<usize> {
    let (mut of_block, mut of_other) = (vec![0.0; blocks.len()], vec![(0.0, usize::MAX); others.len()]);
    for (one, two, alike) in assigned(blocks, others) {
        (of_block[one], of_other[two]) = (alike, (alike, one));
    }
    // A block that has its equal gains nothing by more text, unless that is a short part of the other's.
    let candidates = (0..blocks.len().saturating_sub(1)).filter(|&at| of_block[at] + of_block[at + 1] < 2.0 - GAIN_MIN);
    let letters: Vec<f64> = others.iter().map(|other| other.text.chars().count() as f64).collect();
    let gain = |at: usize| {
        let text = format!("{} {}", blocks[at].text, blocks[at + 1].text);
        let broken = of_block[at] + of_block[at + 1];
        let one = text.chars().count() as f64;
        let with = |((other, two), (alike, owner)): ((&Block, &f64), &(f64, usize))| {
            let lost = if (at..=at + 1).contains(owner) { 0.0 } else { *alike };
            // The most that the texts can have in common: their lengths alone often tell that it is not worth a look.
            let most = 2.0 * one.min(*two) / (one + two).max(1.0);
            if most - lost - broken <= GAIN_MIN { most - lost } else { ratio(&text, &other.text) - lost }
        };
        let best = others.iter().zip(&letters).zip(&of_other).map(with).fold(0.0, f64::max);
        (best - broken, at)
    };
    let best = candidates
        .map(gain)
        .fold((GAIN_MIN, None), |best, (gain, at)| if gain > best.0 { (gain, Some(at)) } else { best });
    best.1
}

/// Two neighbours as one block.
fn joined(one: &Block, two: &Block) -> Block {
    let ([x1, y1, w1, h1], [x2, y2, w2, h2]) = (one.place, two.place);
    let (left, top) = (x1.min(x2), y1.min(y2));
    let (right, bottom) = ((x1 + w1).max(x2 + w2), (y1 + h1).max(y2 + h2));
    Block {
        text: format!("{} {}", one.text, two.text),
        place: [left, top, right - left, bottom - top],
        rgb: std::array::from_fn(|channel| one.rgb[channel].midpoint(two.rgb[channel])),
    }
}

/// Pairs of blocks with the likeness of their texts, those that are too unlike left out.
fn pairs(a: &[Block], b: &[Block]) -> Vec<(usize, usize, f64)> {
    assigned(a, b).into_iter().filter(|pair| pair.2 >= TEXT_MIN).collect()
}

/// Pairs of blocks with the likeness of their texts. Equal texts in their order first, the others by the assignment of the
/// greatest total likeness.
fn assigned(a: &[Block], b: &[Block]) -> Vec<(usize, usize, f64)> {
    let mut pairs = Vec::new();
    let mut waiting: std::collections::HashMap<&str, std::collections::VecDeque<usize>> =
        std::collections::HashMap::new();
    for (index, block) in b.iter().enumerate() {
        waiting.entry(&block.text).or_default().push_back(index);
    }
    let (mut open_a, mut taken) = (Vec::new(), vec![false; b.len()]);
    for (one, block) in a.iter().enumerate() {
        match waiting.get_mut(block.text.as_str()).and_then(std::collections::VecDeque::pop_front) {
            Some(two) => {
                taken[two] = true;
                pairs.push((one, two, 1.0));
            }
            None => open_a.push(one),
        }
    }
    let mut open_b: Vec<usize> = (0..b.len()).filter(|&index| !taken[index]).collect();
    open_a.truncate(ASSIGNED_MAX);
    open_b.truncate(ASSIGNED_MAX);
    let likeness: Vec<Vec<f64>> =
        open_a.iter().map(|&one| open_b.iter().map(|&two| ratio(&a[one].text, &b[two].text)).collect()).collect();
    pairs.extend(
        assign(&likeness).into_iter().map(|(row, column)| (open_a[row], open_b[column], likeness[row][column])),
    );
    pairs
}

/// The assignment of rows to columns of the greatest total value: the Hungarian method with potentials, O(n^3) (Kuhn 1955,
/// in the shortest-path form of Jonker and Volgenant).
fn assign(values: &[Vec<f64>]) -> Vec<(usize, usize)> {
    let rows = values.len();
    let columns = values.first().map_or(0, Vec::len);
    let size = rows.max(columns);
    if rows == 0 || columns == 0 {
        return Vec::new();
    }
    let cost = |row: usize, column: usize| {
        if row < rows && column < columns { 1.0 - values[row][column] } else { 1.0 }
    };
    // Row and column 0 are the method's own; `owner[column]` is the row that has it.
    let (mut u, mut v) = (vec![0.0; size + 1], vec![0.0; size + 1]);
    let (mut owner, mut way) = (vec![0; size + 1], vec![0; size + 1]);
    for row in 1..=size {
        owner[0] = row;
        let mut column = 0;
        let (mut least, mut used) = (vec![f64::INFINITY; size + 1], vec![false; size + 1]);
        loop {
            used[column] = true;
            let (current, mut delta, mut next) = (owner[column], f64::INFINITY, 0);
            for other in 1..=size {
                if used[other] {
                    continue;
                }
                let reduced = cost(current - 1, other - 1) - u[current] - v[other];
                if reduced < least[other] {
                    (least[other], way[other]) = (reduced, column);
                }
                if least[other] < delta {
                    (delta, next) = (least[other], other);
                }
            }
            for other in 0..=size {
                if used[other] {
                    u[owner[other]] += delta;
                    v[other] -= delta;
                } else {
                    least[other] -= delta;
                }
            }
            column = next;
            if owner[column] == 0 {
                break;
            }
        }
        while column != 0 {
            let before = way[column];
            owner[column] = owner[before];
            column = before;
        }
    }
    let pair = |column: usize| (owner[column] - 1, column - 1);
    (1..=size).map(pair).filter(|&(row, column)| row < rows && column < columns).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str, x: f64, y: f64, rgb: [u8; 3]) -> Block {
        Block { text: text.to_owned(), place: [x, y, 0.2, 0.1], rgb }
    }

    fn check(a: &[Block], b: &[Block], expected: [f64; 4]) {
        let found = block_match(a, b);
        for (found, expected) in [found.block, found.text, found.position, found.color].into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found}, expected is {expected}");
        }
    }

    #[test]
    fn parts_by_hand() {
        let page = [block("Welcome", 0.1, 0.0, [0; 3]), block("Contact us", 0.1, 0.5, [0; 3])];
        check(&page, &page, [1.0; 4]);
        check(&[], &[], [1.0; 4]);
        check(&page, &[], [0.0; 4]);
        // One block is missing: two of three areas are matched.
        check(&page, &page[..1], [2.0 / 3.0, 1.0, 1.0, 1.0]);
        // Moved by a tenth to the right and a fifth down: the greater counts, for one of two blocks.
        let moved = [block("Welcome", 0.2, 0.2, [0; 3]), page[1].clone()];
        check(&page, &moved, [1.0, 1.0, 0.9, 1.0]);
        // White instead of black is the greatest difference.
        let white = [block("Welcome", 0.1, 0.0, [255; 3]), page[1].clone()];
        check(&page, &white, [1.0, 1.0, 1.0, 0.5]);
        // "Contact us" against "Contact": 14 of 17 letters.
        let short = [page[0].clone(), block("Contact", 0.1, 0.5, [0; 3])];
        check(&page, &short, [1.0, f64::midpoint(1.0, 14.0 / 17.0), 1.0, 1.0]);
        // Too different to be a pair.
        let other = [page[0].clone(), block("Qwxyz", 0.1, 0.5, [0; 3])];
        check(&page, &other, [0.5, 1.0, 1.0, 1.0]);
    }

    /// Against `tests/python/block_match.py`, which tries everything.
    #[test]
    fn agrees_with_the_definition() {
        #[derive(serde::Deserialize)]
        struct Written {
            text: String,
            place: [f64; 4],
            rgb: [u8; 3],
        }
        #[derive(serde::Deserialize)]
        struct Case {
            name: String,
            a: Vec<Written>,
            b: Vec<Written>,
            expected: [f64; 4],
        }
        let blocks = |written: Vec<Written>| -> Vec<Block> {
            written.into_iter().map(|Written { text, place, rgb }| Block { text, place, rgb }).collect()
        };
        let cases: Vec<Case> = serde_json::from_str(include_str!("data/blocks.json")).expect("cases");
        assert!(cases.len() >= 12);
        for Case { name, a, b, expected } in cases {
            let found = block_match(&blocks(a), &blocks(b));
            for (found, expected) in [found.block, found.text, found.position, found.color].into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-3, "{name}: {found}, expected is {expected}");
            }
        }
    }

    fn best(values: &[Vec<f64>], row: usize, used: [bool; 4]) -> f64 {
        let Some(line) = values.get(row) else { return 0.0 };
        let free = (0..4).filter(|&column| !used[column]);
        let value = |column: usize| {
            let mut used = used;
            used[column] = true;
            line[column] + best(values, row + 1, used)
        };
        free.map(value).fold(0.0, f64::max)
    }

    proptest::proptest! {
        /// Against trying every assignment.
        #[test]
        fn the_assignment_is_the_best(values in proptest::collection::vec(proptest::collection::vec(0.0..1.0_f64, 4), 1..5)) {
            let total: f64 = assign(&values).iter().map(|&(row, column)| values[row][column]).sum();
            let most = best(&values, 0, [false; 4]);
            proptest::prop_assert!((total - most).abs() < 1e-9, "{total} {most}");
        }
    }
}
