//! Neighbouring blocks put together where the texts of two pages fit better so: what one author wrote as a paragraph, another
//! split into spans.
//!
//! The rule is that of Design2Code's published evaluation. Two neighbours are tried as one, alone, and everything is assigned
//! anew. Of the likenesses of all pairs, before and after, those that both have are set aside; the gain is by how much the mean of the
//! rest is greater, and it counts where their best is greater, too. All that gain enough are put together at once,
//! those that gain most first; then it is the other page's turn, until nothing changes.

use std::collections::HashMap;

use super::assign::Assignment;
use super::block::Block;
use super::text::ratio;

/// Neighbours are put together where that gains more than this, as published.
const GAIN_MIN: f64 = 0.05;
/// Turns of each page at most: each tries every two neighbours, and one joins all that gain, so that few are needed.
const TURNS_MAX: usize = 16;

/// Likenesses of texts, each worked out once: one turn asks for nearly the same as the one before.
#[derive(Default)]
pub(super) struct Likeness {
    numbers: HashMap<String, usize>,
    /// By the numbers of both texts.
    known: HashMap<(usize, usize), f64>,
}

impl Likeness {
    /// Candidate first: the ratio is not the same both ways, and this is the published one.
    fn of(&mut self, candidate: &str, reference: &str) -> f64 {
        let pair = (self.number(candidate), self.number(reference));
        *self.known.entry(pair).or_insert_with(|| ratio(candidate, reference))
    }

    fn number(&mut self, text: &str) -> usize {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.numbers.len();
        self.numbers.insert(text.to_owned(), number);
        number
    }

    /// A row for each block of the candidate, a column for each of the reference.
    pub(super) fn table(&mut self, candidate: &[Block], reference: &[Block]) -> Vec<Vec<f64>> {
        candidate.iter().map(|one| reference.iter().map(|two| self.of(&one.text, &two.text)).collect()).collect()
    }
}

/// Merges blocks of both pages.
pub(super) fn merge(candidate: &mut Vec<Block>, reference: &mut Vec<Block>, likeness: &mut Likeness) {
    for _ in 0..TURNS_MAX {
        let is_first =
            turn(candidate, reference.len(), |text| reference.iter().map(|two| likeness.of(text, &two.text)).collect());
        let is_second =
            turn(reference, candidate.len(), |text| candidate.iter().map(|one| likeness.of(&one.text, text)).collect());
        if !is_first && !is_second {
            break;
        }
    }
}

/// Merges the neighbours of one page that gain enough, and says whether there were any. `row` gives the likeness of a text to each
/// of the `others`.
fn turn(blocks: &mut Vec<Block>, others: usize, mut row: impl FnMut(&str) -> Vec<f64>) -> bool {
    let table: Vec<_> = blocks.iter().map(|block| row(&block.text)).collect();
    let (count, size) = (blocks.len(), blocks.len().max(others));
    let value = |one: usize, two: usize| if one < count && two < others { table[one][two] } else { 0.0 };
    let now = Assignment::new(size, &value);
    let before = likenesses(&now, count.min(others), &value);
    let mut gains = Vec::new();
    for (at, pair) in blocks.windows(2).enumerate() {
        let joint = row(&joined_text(&pair[0], &pair[1]));
        // The second of the two is no block any more: it is worth nothing to any.
        let value = |one: usize, two: usize| match one {
            _ if one == at + 1 || two >= others => 0.0,
            _ if one == at => joint[two],
            _ => value(one, two),
        };
        let after = likenesses(&now.with_changed([at, at + 1], &value), (count - 1).min(others), &value);
        let gain = gain(&before, &after);
        if gain > GAIN_MIN {
            gains.push((gain, at));
        }
    }
    gains.sort_by(|one, two| two.0.total_cmp(&one.0));
    put_together(blocks, gains.into_iter().map(|(_, at)| at))
}

/// The likeness of each pair, from the greatest down. There are as many pairs as the lesser page has blocks; where the assignment leaves
/// some out, they have nothing in common.
fn likenesses(assignment: &Assignment, count: usize, value: &impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut all: Vec<f64> = assignment.pairs().map(|(one, two)| value(one, two)).collect();
    all.sort_by(|one, two| two.total_cmp(one));
    all.truncate(count);
    all
}

/// How much better the pairs of `after` are than those of `before`, both from the greatest down.
fn gain(before: &[f64], after: &[f64]) -> f64 {
    let (lost, won) = (without(before, after), without(after, before));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let best = |values: &[f64]| values.first().copied().unwrap_or(0.0);
    if best(&won) > best(&lost) { mean(&won) - mean(&lost) } else { 0.0 }
}

/// The values that `others` lacks, each as often as it is missing there; both from the greatest down.
fn without(values: &[f64], others: &[f64]) -> Vec<f64> {
    let mut others = others.iter().peekable();
    let mut left = Vec::new();
    for value in values {
        while others.next_if(|other| *other > value).is_some() {}
        if others.next_if(|other| *other == value).is_none() {
            left.push(*value);
        }
    }
    left
}

/// Makes one of each of these blocks and the next, other than of those that have been put together with another just now.
fn put_together(blocks: &mut Vec<Block>, wanted: impl Iterator<Item = usize>) -> bool {
    let mut taken = vec![false; blocks.len()];
    let mut gone = vec![false; blocks.len()];
    for at in wanted {
        if !taken[at] && !taken[at + 1] {
            blocks[at] = joined(&blocks[at], &blocks[at + 1]);
            (taken[at], taken[at + 1], gone[at + 1]) = (true, true, true);
        }
    }
    let mut gone = gone.into_iter();
    let count = blocks.len();
    blocks.retain(|_| !gone.next().unwrap_or(false));
    blocks.len() < count
}

fn joined_text(one: &Block, two: &Block) -> String {
    format!("{} {}", one.text, two.text)
}

/// Two neighbours as one block: the box around both, the mean colour.
fn joined(one: &Block, two: &Block) -> Block {
    let ([x1, y1, w1, h1], [x2, y2, w2, h2]) = (one.place, two.place);
    let (left, top) = (x1.min(x2), y1.min(y2));
    let (right, bottom) = ((x1 + w1).max(x2 + w2), (y1 + h1).max(y2 + h2));
    Block {
        text: joined_text(one, two),
        place: [left, top, right - left, bottom - top],
        rgb: std::array::from_fn(|channel| one.rgb[channel].midpoint(two.rgb[channel])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_is_that_of_the_pairs_that_changed() {
        let check = |before: &[f64], after: &[f64], expected: f64| {
            assert!((gain(before, after) - expected).abs() < 1e-9, "{before:?} {after:?}: {}", gain(before, after));
        };
        check(&[1.0, 0.5], &[1.0, 0.75], 0.25);
        check(&[1.0, 0.5, 0.25], &[1.0, 1.0], 0.625);
        check(&[0.5, 0.5], &[0.5], 0.0);
        check(&[0.5], &[0.5], 0.0);
        // The mean is better, the best of them is not.
        check(&[0.75, 0.25], &[0.625], 0.0);
    }

    #[test]
    fn neighbours_become_one() {
        let check = |a: &[&str], b: &[&str], expected: [&[&str]; 2]| {
            let block = |text: &&str| Block { text: (*text).to_owned(), place: [0.0, 0.0, 0.5, 0.5], rgb: [0; 3] };
            let [mut one, mut two]: [Vec<Block>; 2] = [a, b].map(|texts| texts.iter().map(block).collect());
            merge(&mut one, &mut two, &mut Likeness::default());
            let texts = |blocks: &[Block]| blocks.iter().map(|block| block.text.clone()).collect::<Vec<_>>();
            assert_eq!([texts(&one), texts(&two)], expected);
        };
        check(&[], &["Home"], [&[], &["Home"]]);
        check(&["Home"], &["Home"], [&["Home"], &["Home"]]);
        check(&["Home", "News"], &["Home", "News"], [&["Home", "News"], &["Home", "News"]]);
        check(&["Read our", "terms of use"], &["Read our terms of use"], [&["Read our terms of use"]; 2]);
        let (parts, whole) = (["Read", "our terms", "of use", "Imprint"], ["Read our terms of use", "Imprint"]);
        check(&parts, &whole, [&whole; 2]);
        check(&whole, &parts, [&whole; 2]);
    }
}
