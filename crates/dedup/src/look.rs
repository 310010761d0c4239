//! A screenshot in a few hundred bytes, to look at once more.
//!
//! Hashes find candidates; this tells whether they are the same picture. The page is cut into rows of a fixed height in
//! px, each of 16 cells of 16 shades. Rows are aligned in order, like the lines of two texts, so that a bar on top or a
//! paragraph left out moves what is below without making it different.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Cells of a row.
pub(crate) const COLUMNS: usize = 16;
/// Bytes of a row: half a byte for each cell.
const ROW_BYTES: usize = COLUMNS / 2;
/// Rows for each width of the page: at 1280 px one row is 40 px, the height of a line with its margins or of a bar.
const ROWS_PER_WIDTH: u32 = 32;
/// Pages of more rows have taller ones: 1 KB is what a barrier can hold for each of millions.
const ROWS_MAX: u32 = 128;
/// Shades by which cells of one picture may differ: text that moves by half a line does that.
const SHADES: u8 = 1;
/// What a row of one shade counts, where a row with something in it counts 10: white space is on every page.
const EMPTY_WEIGHT: u32 = 1;
const FULL_WEIGHT: u32 = 10;
/// Cells of a row that have to be alike for the row to count as found.
const CELLS_ALIKE_MIN: usize = 12;

/// Rows of a screenshot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Look(Vec<[u8; ROW_BYTES]>);

impl Look {
    /// How many rows a picture of this size is cut into.
    pub(crate) fn rows_of(width: u32, height: u32) -> u32 {
        let rows = u64::from(height) * u64::from(ROWS_PER_WIDTH) / u64::from(width.max(1));
        u32::try_from(rows).unwrap_or(u32::MAX).clamp(1, ROWS_MAX)
    }

    /// Averages a brightness per px over the cells.
    #[cfg(test)]
    pub(crate) fn of_luma(luma: &[u8], width: u32, height: u32) -> Self {
        let mut rows = LookRows::new(width, height);
        let edge = |column: usize| cell_edge(column, width as usize);
        for line in luma.chunks_exact(width as usize) {
            let sum = |column| line[edge(column)..edge(column + 1)].iter().map(|&luma| u32::from(luma)).sum();
            rows.push(&std::array::from_fn(sum));
        }
        rows.finish()
    }

    /// The share of rows that are the same in the best alignment in order, of those of the fuller page. Rows with nothing in
    /// them hardly count.
    pub fn similarity(&self, other: &Self) -> f64 {
        let total = |look: &Self| look.0.iter().copied().map(weight).sum::<u32>();
        let fuller = total(self).max(total(other));
        if fuller == 0 {
            return 1.0;
        }
        // Cells alike of the best alignment, row by row as in the longest common subsequence.
        let mut best = vec![0u32; other.0.len() + 1];
        for a in &self.0 {
            let mut diagonal = 0;
            for (index, b) in other.0.iter().enumerate() {
                let above = best[index + 1];
                best[index + 1] = above.max(best[index]).max(diagonal + score(*a, *b));
                diagonal = above;
            }
        }
        f64::from(best[other.0.len()]) / (f64::from(fuller) * COLUMNS as f64)
    }

    /// The written form: base64.
    pub fn to_text(&self) -> String {
        STANDARD.encode(self.0.as_flattened())
    }

    /// Reads [`Look::to_text`].
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        let (rows, rest) = bytes.as_chunks::<ROW_BYTES>();
        let is_sound = rest.is_empty() && rows.len() <= ROWS_MAX as usize;
        is_sound.then(|| Self(rows.to_vec()))
    }
}

/// Where the cells of a row begin and end, in px.
pub(crate) fn cell_edge(column: usize, width: usize) -> usize {
    column * width / COLUMNS
}

/// A look in the making: takes the lines of a picture, one px high, from the top down.
#[derive(Debug)]
pub(crate) struct LookRows {
    width: usize,
    height: usize,
    /// How many rows there will be.
    rows: usize,
    /// Lines that came.
    lines: usize,
    sums: [u64; COLUMNS],
    /// Lines in `sums`.
    summed: u64,
    done: Vec<[u8; ROW_BYTES]>,
}

impl LookRows {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let rows = Look::rows_of(width, height) as usize;
        Self {
            width: width as usize,
            height: height as usize,
            rows,
            lines: 0,
            sums: [0; COLUMNS],
            summed: 0,
            done: Vec::with_capacity(rows),
        }
    }

    /// The next line, as the sum of the brightness in each cell.
    pub(crate) fn push(&mut self, line: &[u32; COLUMNS]) {
        // A picture of fewer lines than rows has a line in several of them.
        while self.done.len() < self.rows && self.edge(self.done.len()) <= self.lines {
            self.sums.iter_mut().zip(line).for_each(|(sum, cell)| *sum += u64::from(*cell));
            self.summed += 1;
            if self.lines + 1 < self.edge(self.done.len() + 1) {
                break;
            }
            self.close_row();
        }
        self.lines += 1;
    }

    fn edge(&self, row: usize) -> usize {
        row * self.height / self.rows
    }

    fn close_row(&mut self) {
        let width = |column: usize| (cell_edge(column + 1, self.width) - cell_edge(column, self.width)) as u64;
        let shade = |column: usize| (self.sums[column] / (width(column) * self.summed).max(1) / 16) as u8;
        self.done.push(std::array::from_fn(|byte| shade(byte * 2) << 4 | shade(byte * 2 + 1)));
        self.sums = [0; COLUMNS];
        self.summed = 0;
    }

    pub(crate) fn finish(self) -> Look {
        Look(self.done)
    }
}

/// What a row counts.
fn weight(row: [u8; ROW_BYTES]) -> u32 {
    let shades = || row.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let (low, high) = (shades().min().unwrap_or(0), shades().max().unwrap_or(0));
    if high - low <= SHADES { EMPTY_WEIGHT } else { FULL_WEIGHT }
}

/// Cells alike, if they are enough, by what the rows count.
fn score(a: [u8; ROW_BYTES], b: [u8; ROW_BYTES]) -> u32 {
    let alike = |a: u8, b: u8| usize::from(a.abs_diff(b) <= SHADES);
    let cells: usize = a.iter().zip(b).map(|(a, b)| alike(a >> 4, b >> 4) + alike(a & 15, b & 15)).sum();
    if cells >= CELLS_ALIKE_MIN { cells as u32 * weight(a).min(weight(b)) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of grey blocks; the `seed` says which.
    fn page(height: u32, seed: u8) -> Vec<u8> {
        let cell = |x: u32, y: u32| item::Digest::of(&[seed, (x / 80) as u8, (y / 40) as u8]).as_bytes()[0];
        let row = |y: u32| (0..1280).map(move |x| cell(x, y));
        // One digest a block is enough.
        (0..height).flat_map(|y| row(y / 40 * 40).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn a_bar_on_top_moves_and_another_page_differs() {
        let base = page(400, 1);
        let look = Look::of_luma(&base, 1280, 400);
        assert_eq!(look.similarity(&look), 1.0);
        let moved = [page(40, 3), base].concat();
        let with_bar = Look::of_luma(&moved, 1280, 440);
        assert!((look.similarity(&with_bar) - 10.0 / 11.0).abs() < 1e-9, "{}", look.similarity(&with_bar));
        assert_eq!(with_bar.similarity(&look), look.similarity(&with_bar));
        let other = Look::of_luma(&page(400, 2), 1280, 400);
        assert!(look.similarity(&other) < 0.3, "{}", look.similarity(&other));
    }

    #[test]
    fn any_size_has_a_look_of_bounded_size() {
        for (width, height) in [(1, 1), (3, 5000), (5000, 1), (1280, 40_000), (390, 844)] {
            let look = Look::of_luma(&vec![200; (width * height) as usize], width, height);
            assert!(look.0.len() <= 128);
            assert_eq!(Look::from_text(&look.to_text()), Some(look));
        }
        assert_eq!(Look::from_text("AAAA"), None);
    }
}
