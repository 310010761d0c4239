//! The screenshot at one scale, cut into tiles from the top.

use crate::manifest::{CheckInput, Tiles};
use crate::picture::{Decoded, Numbers, PictureError, check_levels};

/// The tiles of one page: rows of RGB levels, tile after tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tiled {
    levels: Vec<u8>,
    count: usize,
}

impl Tiled {
    /// A screenshot as the model sees it.
    pub(crate) fn of(picture: &Decoded, input: &Tiles) -> Result<Self, PictureError> {
        let (width, height) = picture.size();
        let scaled = scaled_height(width, height, input.width());
        let count = tile_count(scaled, input);
        let rows = scaled.min(count * input.height());
        let mut levels = picture.top(input.width(), scaled, rows, input.resize)?;
        levels.resize(count as usize * tile_bytes(input), input.pad);
        Ok(Self { levels, count: count as usize })
    }

    /// The fixed input of a manifest's check: one tile.
    pub(crate) fn of_check(check: CheckInput, input: &Tiles) -> Self {
        Self { levels: check_levels(check, input.width(), input.height()), count: 1 }
    }

    /// How many tiles there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Adds the tensor of the tiles to `tensor`, and of empty ones until there are `count`.
    pub(crate) fn append_to(&self, tensor: &mut Vec<f32>, count: usize, input: &Tiles) {
        let numbers = Numbers::new(input.colour, input.scale, input.mean, input.std);
        for tile in self.levels.chunks_exact(tile_bytes(input)) {
            numbers.append(tile, tensor);
        }
        let empty = vec![input.pad; tile_bytes(input)];
        for _ in self.count..count {
            numbers.append(&empty, tensor);
        }
    }
}

const fn tile_bytes(input: &Tiles) -> usize {
    input.width() as usize * input.height() as usize * 3
}

/// Rows of the page once it is as wide as a tile: rounded to the nearest, halves up, at least one.
fn scaled_height(width: u32, height: u32, tile_width: u32) -> u32 {
    let (width, height, tile_width) = (u64::from(width), u64::from(height), u64::from(tile_width));
    u32::try_from((2 * height * tile_width + width) / (2 * width)).unwrap_or(u32::MAX).max(1)
}

/// How many tiles a page of so many rows has.
fn tile_count(scaled: u32, input: &Tiles) -> u32 {
    let begun = (u64::from(scaled) + u64::from(input.height() - input.strip_min)) / u64::from(input.height());
    u32::try_from(begun).unwrap_or(u32::MAX).clamp(1, input.tiles_max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Colour, Layout, Resize};

    fn input() -> Tiles {
        Tiles {
            name: "tiles".into(),
            count: "tile_count".into(),
            shape: [-1, -1, 3, 384, 512],
            layout: Layout::Nchw,
            colour: Colour::Rgb,
            resize: Resize::Box,
            tiles_max: 8,
            strip_min: 48,
            pad: 255,
            scale: None,
            mean: [0.0; 3],
            std: [1.0; 3],
        }
    }

    #[test]
    fn a_page_has_as_many_tiles_as_it_begins() {
        let check = |(width, height), rows, tiles| {
            let scaled = scaled_height(width, height, 512);
            assert_eq!((scaled, tile_count(scaled, &input())), (rows, tiles), "{width} x {height}");
        };
        check((1280, 720), 288, 1);
        check((1280, 960), 384, 1);
        check((1280, 1077), 431, 1); // 47 rows of a second tile are too few
        check((1280, 1080), 432, 2);
        check((1280, 4096), 1638, 5);
        check((1280, 60_000), 24_000, 8);
        check((1280, 1), 1, 1);
        check((3, 1), 171, 1);
        check((1024, 3), 2, 1); // one and a half
    }

    #[test]
    fn tiles_are_the_scaled_page_and_filling() {
        let picture = image::RgbImage::from_fn(64, 61, |x, y| image::Rgb([x as u8, y as u8, 7]));
        let input = Tiles { shape: [-1, -1, 3, 16, 32], tiles_max: 2, strip_min: 1, ..input() };
        let tiled = Tiled::of(&Decoded::of_rgb(&picture).expect("a picture"), &input).expect("tiles");
        assert_eq!((tiled.count(), tiled.levels.len()), (2, 2 * 16 * 32 * 3));
        let short = Tiles { tiles_max: 1, ..input.clone() };
        let first = Tiled::of(&Decoded::of_rgb(&picture).expect("a picture"), &short).expect("tiles");
        assert_eq!(first.levels, tiled.levels[..first.levels.len()], "what is not seen changes nothing");
        let last = tiled.levels.as_chunks::<3>().0[31 * 32..].to_vec();
        assert!(last.iter().all(|pixel| *pixel == [255; 3]) || last[0][2] == 7);
        let mut tensor = Vec::new();
        tiled.append_to(&mut tensor, 3, &input);
        assert_eq!(tensor.len(), 3 * 3 * 16 * 32);
        assert!(tensor[2 * 3 * 16 * 32..].iter().all(|number| *number == 1.0), "an empty tile");
    }
}
