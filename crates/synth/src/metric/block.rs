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

/// Pairs of blocks with the likeness of their texts. Equal texts in their order first, the others by the assignment of the
/// greatest total likeness.
fn pairs(a: &[Block], b: &[Block]) -> Vec<(usize, usize, f64)> {
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
    for (row, column) in assign(&likeness) {
        let alike = likeness[row][column];
        if alike >= TEXT_MIN {
            pairs.push((open_a[row], open_b[column], alike));
        }
    }
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
