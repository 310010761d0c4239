//! Brightness of a screenshot, row by row: all that hashes and look need, in one pass.
//!
//! A row of pixels becomes a few sums, and only sums are kept, so a PNG is hashed while it is decoded and never lies in
//! memory as a picture. White space and plain areas repeat the row above; its sums are then taken once more.

use image::GrayImage;

use crate::look::{COLUMNS, Look, LookRows, cell_edge};

/// A picture is averaged to at least this many cells a side before it is hashed: 16 for each bit of the hash, so
/// where the box borders fall no longer matters.
pub(crate) const CELLS: u32 = 256;

/// How the bytes of a row are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pixels {
    Gray,
    Rgb,
    Rgba,
}

impl Pixels {
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    /// Brightness of each pixel, transparent ones on white as Chrome shows them.
    fn luma(self, row: &[u8], to: &mut [u8]) {
        match self {
            Self::Gray => to.copy_from_slice(row),
            Self::Rgb => to.iter_mut().zip(row.as_chunks::<3>().0).for_each(|(to, pixel)| *to = luma(*pixel)),
            Self::Rgba => to.iter_mut().zip(row.as_chunks::<4>().0).for_each(|(to, pixel)| *to = luma_on_white(*pixel)),
        }
    }
}

/// Rec. 601 luma in integers, so that no machine rounds otherwise.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    ((u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471 + 32768) >> 16) as u8
}

fn luma_on_white([r, g, b, alpha]: [u8; 4]) -> u8 {
    let alpha = u32::from(alpha);
    let ink = u32::from(luma([r, g, b]));
    ((ink * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// What is known when the last row is read.
#[derive(Debug)]
pub(crate) struct Summary {
    /// The whole picture in cells.
    pub(crate) whole: GrayImage,
    /// Its first viewport in cells.
    pub(crate) viewport: GrayImage,
    pub(crate) look: Look,
    /// Standard deviation of the brightness, in steps of 255.
    pub(crate) deviation: f64,
}

/// Takes the rows of one picture, from the top down.
#[derive(Debug)]
pub(crate) struct Scan {
    pixels: Pixels,
    width: usize,
    /// The row above as it came.
    above: Vec<u8>,
    luma: Vec<u8>,
    sums: RowSums,
    whole: Cells,
    viewport: Cells,
    look: LookRows,
    moments: Moments,
}

impl Scan {
    /// For a picture of that size, of which the first `viewport_height` rows are the first viewport.
    pub(crate) fn new(pixels: Pixels, width: u32, height: u32, viewport_height: u32) -> Self {
        let columns = width as usize;
        Self {
            pixels,
            width: columns,
            above: Vec::new(),
            luma: vec![0; columns],
            sums: RowSums::new(columns),
            whole: Cells::new(columns, height as usize),
            viewport: Cells::new(columns, viewport_height.clamp(1, height) as usize),
            look: LookRows::new(width, height),
            moments: Moments::default(),
        }
    }

    pub(crate) fn row(&mut self, row: &[u8]) {
        if self.above != row {
            self.pixels.luma(row, &mut self.luma);
            self.sums.measure(&self.luma);
            self.above.clear();
            self.above.extend_from_slice(row);
        }
        self.whole.push(&self.sums.boxes);
        self.viewport.push(&self.sums.boxes);
        self.look.push(&self.sums.cells);
        self.moments.add(self.sums.moments);
    }

    pub(crate) fn finish(self) -> Summary {
        let deviation = self.moments.deviation(self.width);
        Summary { whole: self.whole.finish(), viewport: self.viewport.finish(), look: self.look.finish(), deviation }
    }
}

/// One row in sums.
#[derive(Debug)]
struct RowSums {
    box_width: usize,
    boxes: Vec<u32>,
    cells: [u32; COLUMNS],
    moments: Moments,
}

impl RowSums {
    fn new(width: usize) -> Self {
        let box_width = box_side(width);
        let boxes = vec![0; width.div_ceil(box_width)];
        Self { box_width, boxes, cells: [0; COLUMNS], moments: Moments::default() }
    }

    fn measure(&mut self, luma: &[u8]) {
        let sum = |luma: &[u8]| luma.iter().map(|&luma| u32::from(luma)).sum::<u32>();
        match self.box_width {
            // Pages of 1280 px: a width that is known is added without a loop.
            5 => self.boxes.iter_mut().zip(luma.chunks(5)).for_each(|(to, luma)| {
                *to = luma.first_chunk::<5>().map_or_else(|| sum(luma), |luma| sum(luma));
            }),
            side => self.boxes.iter_mut().zip(luma.chunks(side)).for_each(|(to, luma)| *to = sum(luma)),
        }
        for (column, to) in self.cells.iter_mut().enumerate() {
            *to = sum(&luma[cell_edge(column, luma.len())..cell_edge(column + 1, luma.len())]);
        }
        let squares = |luma: &[u8]| luma.iter().map(|&luma| u32::from(luma) * u32::from(luma)).sum::<u32>();
        self.moments = Moments {
            rows: 1,
            sum: self.cells.iter().map(|&sum| u64::from(sum)).sum(),
            // Pieces whose sum fits 32 bits.
            squares: luma.chunks(1 << 12).map(|luma| u64::from(squares(luma))).sum(),
        };
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    rows: u64,
    sum: u64,
    squares: u64,
}

impl Moments {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    fn deviation(&self, width: usize) -> f64 {
        let count = (self.rows * width as u64) as f64;
        let mean = self.sum as f64 / count;
        (self.squares as f64 / count - mean * mean).max(0.0).sqrt()
    }
}

/// Side of a box in px: as large as leaves [`CELLS`] of them, and whole pixels.
fn box_side(pixels: usize) -> usize {
    (pixels / CELLS as usize).max(1)
}

/// The first `rows` rows, averaged over equal boxes; the last box of a row or column may be smaller.
#[derive(Debug)]
struct Cells {
    width: usize,
    /// Rows that are still to come.
    rows_left: usize,
    box_height: usize,
    sums: Vec<u32>,
    /// Rows in `sums`.
    summed: usize,
    done: Vec<u8>,
}

impl Cells {
    fn new(width: usize, rows: usize) -> Self {
        let sums = vec![0; width.div_ceil(box_side(width))];
        let box_height = box_side(rows);
        let done = Vec::with_capacity(sums.len() * rows.div_ceil(box_height));
        Self { width, rows_left: rows, box_height, sums, summed: 0, done }
    }

    fn push(&mut self, boxes: &[u32]) {
        if self.rows_left == 0 {
            return;
        }
        self.rows_left -= 1;
        self.summed += 1;
        self.sums.iter_mut().zip(boxes).for_each(|(sum, row)| *sum += row);
        if self.summed == self.box_height || self.rows_left == 0 {
            self.close_boxes();
        }
    }

    fn close_boxes(&mut self) {
        let box_width = box_side(self.width);
        for (column, sum) in self.sums.iter_mut().enumerate() {
            let count = (box_width.min(self.width - column * box_width) * self.summed) as u32;
            self.done.push(((std::mem::take(sum) + count / 2) / count) as u8);
        }
        self.summed = 0;
    }

    fn finish(self) -> GrayImage {
        let columns = self.sums.len();
        let lines = self.done.len() / columns;
        GrayImage::from_raw(columns as u32, lines as u32, self.done).expect("whole lines were pushed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn transparent_means_white() {
        assert_eq!(luma_on_white([0, 0, 0, 0]), 255);
        assert_eq!(luma_on_white([0, 0, 0, 255]), 0);
        assert_eq!(luma([255, 255, 255]), 255);
    }

    /// The mean of a box, the slow way.
    fn mean(pixels: &[u8], width: usize, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> u8 {
        let all: Vec<u32> = rows.flat_map(|y| columns.clone().map(move |x| u32::from(pixels[y * width + x]))).collect();
        let count = all.len() as u32;
        ((all.iter().sum::<u32>() + count / 2) / count) as u8
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn cells_are_means_of_boxes(
            width in prop_oneof![1usize..40, 250usize..700, Just(1280)],
            height in prop_oneof![1usize..40, 250usize..700],
            repeat in 1usize..4,
            seed in any::<u64>(),
        ) {
            let value = |x: usize, y: usize| {
                let mixed = (seed ^ (x * 7919 + y / repeat * 104_729) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (mixed >> 56) as u8
            };
            let pixels: Vec<u8> = (0..height).flat_map(|y| (0..width).map(move |x| value(x, y))).collect();
            let mut scan = Scan::new(Pixels::Gray, width as u32, height as u32, 1);
            pixels.chunks(width).for_each(|row| scan.row(row));
            let summary = scan.finish();
            let (side_x, side_y) = (box_side(width), box_side(height));
            for (x, y, cell) in summary.whole.enumerate_pixels() {
                let (left, top) = (x as usize * side_x, y as usize * side_y);
                let expected = mean(&pixels, width, left..(left + side_x).min(width), top..(top + side_y).min(height));
                prop_assert_eq!(cell.0[0], expected);
            }
            prop_assert_eq!(summary.viewport.height(), 1);
            prop_assert_eq!(summary.look, Look::of_luma(&pixels, width as u32, height as u32));
            let mean = pixels.iter().map(|&luma| f64::from(luma)).sum::<f64>() / pixels.len() as f64;
            let squares = pixels.iter().map(|&luma| (f64::from(luma) - mean).powi(2)).sum::<f64>();
            prop_assert!((summary.deviation - (squares / pixels.len() as f64).sqrt()).abs() < 1e-6);
        }
    }
}
