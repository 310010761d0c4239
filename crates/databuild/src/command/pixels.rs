//! How two screenshots differ.

use std::fmt;

use image::RgbaImage;

/// Where two pictures of one size differ, and by how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Difference {
    /// Pixels that differ.
    pub(super) pixels: usize,
    /// Smallest box around them, in px: left, top, and the first column and row beyond.
    pub(super) area: [u32; 4],
    /// Largest difference of a channel, of 255.
    pub(super) shades: u8,
}

impl Difference {
    /// `None` for equal pictures.
    ///
    /// # Panics
    /// When the pictures differ in size.
    pub(super) fn between(one: &RgbaImage, other: &RgbaImage) -> Option<Self> {
        assert_eq!(one.dimensions(), other.dimensions(), "pictures of one size");
        let mut found: Option<Self> = None;
        for ((x, y, a), b) in one.enumerate_pixels().zip(other.pixels()) {
            if a == b {
                continue;
            }
            let shades = a.0.iter().zip(b.0).map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0);
            let difference = found.get_or_insert(Self { pixels: 0, area: [x, y, x, y], shades: 0 });
            let [left, top, right, bottom] = difference.area;
            difference.area = [left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1)];
            difference.pixels += 1;
            difference.shades = difference.shades.max(shades);
        }
        found
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [left, top, right, bottom] = self.area;
        let (width, height) = (right - left, bottom - top);
        write!(
            f,
            "{} pixels differ, by at most {} of 255, within {width}x{height}+{left}+{top}",
            self.pixels, self.shades
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_its_place_and_size() {
        let white = RgbaImage::from_pixel(9, 9, image::Rgba([255; 4]));
        assert_eq!(Difference::between(&white, &white), None);
        let mut spotted = white.clone();
        spotted.put_pixel(2, 5, image::Rgba([250, 255, 255, 255]));
        spotted.put_pixel(6, 3, image::Rgba([255, 255, 200, 255]));
        let difference = Difference::between(&white, &spotted).expect("two spots");
        assert_eq!(difference, Difference { pixels: 2, area: [2, 3, 7, 6], shades: 55 });
        assert_eq!(difference.to_string(), "2 pixels differ, by at most 55 of 255, within 5x3+2+3");
    }
}
