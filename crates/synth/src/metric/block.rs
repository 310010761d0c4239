//! Design2Code's block match: which blocks of text two pages share, and how alike the matched ones are.
//!
//! Si et al., "Design2Code: Benchmarking Multimodal Code Generation for Automated Front-End Engineering", 2024, in the form of
//! its published evaluation. There the blocks come from a render with one colour per text; here they come from the browser's own
//! boxes. Four parts are theirs, without CLIP: area of matched blocks over all area, text, position, colour.

use std::collections::{HashMap, VecDeque};

use item::Node;

use super::assign::Assignment;
use super::color::{Lab, ciede2000, css_color};
use super::merge::{Likeness, merge};

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

/// Texts that are less alike are no pair.
const TEXT_MIN: f64 = 0.5;
/// Pairs that are more alike count for more the more alike their neighbours are.
const CONTEXT_MIN: f64 = 0.5;
/// By how much, of the two neighbours that are most alike.
const CONTEXT: f64 = 0.1;
/// Longer texts are compared by their beginning: comparing takes time with the product of their lengths.
const TEXT_CHARS: usize = 1_000;
/// Blocks up to which a page is matched as published. Of larger pages equal texts go together first, and so many of the others are looked
/// at: time grows with the cube.
const BLOCKS_MAX: usize = 256;

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
pub fn block_match(reference: &[Block], candidate: &[Block]) -> BlockScore {
    if reference.is_empty() && candidate.is_empty() {
        return BlockScore { block: 1.0, text: 1.0, position: 1.0, color: 1.0 };
    }
    let Matched { pairs, rest } = matched(reference, candidate);
    if pairs.is_empty() {
        return BlockScore::default();
    }
    let area = |block: &Block| block.place[2] * block.place[3];
    let matched: f64 = pairs.iter().map(|pair| area(&pair.one) + area(&pair.two)).sum();
    let total = matched + rest.iter().map(area).sum::<f64>();
    let mean = |value: &dyn Fn(&Pair) -> f64| pairs.iter().map(value).sum::<f64>() / pairs.len() as f64;
    BlockScore {
        block: if total > 0.0 { matched / total } else { 0.0 },
        text: mean(&|pair| pair.alike),
        position: mean(&|pair| 1.0 - gap(&pair.one, &pair.two)),
        color: mean(&|pair| 1.0 - hue(&pair.one, &pair.two)),
    }
}

/// How far the centres are apart, along the axis where that is more; at most 1.
fn gap(one: &Block, two: &Block) -> f64 {
    let center = |block: &Block, axis: usize| block.place[axis] + block.place[axis + 2] / 2.0;
    let along = |axis: usize| (center(one, axis) - center(two, axis)).abs();
    along(0).max(along(1)).min(1.0)
}

/// How different the colours look, 0 to 1.
fn hue(one: &Block, two: &Block) -> f64 {
    (ciede2000(Lab::from_rgb(one.rgb), Lab::from_rgb(two.rgb)) / 100.0).min(1.0)
}

/// Two blocks that say the same, and how alike their texts are.
struct Pair {
    one: Block,
    two: Block,
    alike: f64,
}

/// What two pages share, and the blocks that the other page has not.
struct Matched {
    pairs: Vec<Pair>,
    rest: Vec<Block>,
}

/// Pairs the blocks of two pages.
fn matched(reference: &[Block], candidate: &[Block]) -> Matched {
    let (mut one, mut two) = (candidate.to_vec(), reference.to_vec());
    let is_large = one.len().max(two.len()) > BLOCKS_MAX;
    let mut pairs = if is_large { take_equal(&mut one, &mut two) } else { Vec::new() };
    let mut rest = one.split_off(one.len().min(BLOCKS_MAX));
    rest.extend(two.split_off(two.len().min(BLOCKS_MAX)));
    let mut likeness = Likeness::default();
    merge(&mut one, &mut two, &mut likeness);
    let table = likeness.table(&one, &two);
    let (mut one, mut two): (Vec<_>, Vec<_>) =
        (one.into_iter().map(Some).collect(), two.into_iter().map(Some).collect());
    for (row, column, alike) in assigned(&table) {
        if let (Some(one), Some(two)) = (one[row].take(), two[column].take()) {
            pairs.push(Pair { one, two, alike });
        }
    }
    rest.extend(one.into_iter().chain(two).flatten());
    Matched { pairs, rest }
}

/// Takes blocks of equal texts out of both pages, in their order.
fn take_equal(one: &mut Vec<Block>, two: &mut Vec<Block>) -> Vec<Pair> {
    let mut waiting: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (index, block) in two.iter().enumerate() {
        waiting.entry(block.text.clone()).or_default().push_back(index);
    }
    let mut others: Vec<Option<Block>> = std::mem::take(two).into_iter().map(Some).collect();
    let mut pairs = Vec::new();
    for block in std::mem::take(one) {
        let equal = waiting.get_mut(&block.text).and_then(VecDeque::pop_front).and_then(|index| others[index].take());
        match equal {
            Some(two) => pairs.push(Pair { one: block, two, alike: 1.0 }),
            None => one.push(block),
        }
    }
    two.extend(others.into_iter().flatten());
    pairs
}

/// Row, column and likeness of the pairs of the greatest total likeness, that of their neighbours included; without those that are too
/// unlike.
fn assigned(table: &[Vec<f64>]) -> Vec<(usize, usize, f64)> {
    let known = |row: usize, column: usize| table.get(row).and_then(|line| line.get(column)).copied();
    let size = table.len().max(table.first().map_or(0, Vec::len));
    let weighed: Vec<Vec<f64>> = (0..table.len())
        .map(|row| (0..table[row].len()).map(|column| with_context(table, row, column)).collect())
        .collect();
    let value = |row: usize, column: usize| if known(row, column).is_some() { weighed[row][column] } else { 0.0 };
    let pairs = Assignment::new(size, &value);
    let pair = |(row, column)| known(row, column).map(|alike| (row, column, alike));
    pairs.pairs().filter_map(pair).filter(|pair| pair.2 >= TEXT_MIN).collect()
}

/// A likeness, and a part of the two greatest right around it: of equal texts those belong together whose neighbours do, too.
fn with_context(table: &[Vec<f64>], row: usize, column: usize) -> f64 {
    let alike = table[row][column];
    if alike <= CONTEXT_MIN {
        return alike;
    }
    let near = |center: usize, end: usize| center.saturating_sub(1)..(center + 2).min(end);
    let around = near(row, table.len()).flat_map(|one| near(column, table[row].len()).map(move |two| (one, two)));
    let (mut first, mut second) = (0.0, 0.0);
    for (one, two) in around.filter(|&around| around != (row, column)) {
        let other = table[one][two];
        if other > first {
            (first, second) = (other, first);
        } else if other > second {
            second = other;
        }
    }
    alike + CONTEXT * (first + second)
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

    /// Against what `tests/python/block_match.py` wrote, which assigns everything anew for each pair of neighbours.
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
            reference: Vec<Written>,
            candidate: Vec<Written>,
            expected: [f64; 4],
        }
        let blocks = |written: Vec<Written>| -> Vec<Block> {
            written.into_iter().map(|Written { text, place, rgb }| Block { text, place, rgb }).collect()
        };
        let cases: Vec<Case> = serde_json::from_str(include_str!("data/blocks.json")).expect("cases");
        assert!(cases.len() >= 12);
        for Case { name, reference, candidate, expected } in cases {
            let found = block_match(&blocks(reference), &blocks(candidate));
            for (found, expected) in [found.block, found.text, found.position, found.color].into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-3, "{name}: {found}, expected is {expected}");
            }
        }
    }
}
