//! From PNG bytes to what the model sees.
//!
//! The resize is where scoring usually parts from training: every library means another thing by "bilinear". Here each
//! filter is the convolution that Pillow uses under the same name, on the same fixed-point levels, and a test compares
//! with levels that Pillow wrote.

use std::cell::RefCell;
use std::io::Cursor;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, ImageReader, RgbImage};
use item::{Failure, FailureClass};

use crate::manifest::{CheckInput, Colour, Fit, Pixels, Resize};

/// Largest screenshot that is decoded: 1,280 px wide pages up to 50,000 px tall; 256 MB of RGBA at worst.
pub const PIXELS_MAX: u64 = 64_000_000;

/// How far beyond its own pixel a filter looks, in pixels of the smaller scale: Lanczos looks 3 far, and 1 for rounding.
const FILTER_REACH: f64 = 4.0;

/// Why a screenshot can't be shown to a model.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// It is no PNG, or a damaged one.
    #[error("decode the screenshot")]
    Decode(#[source] image::ImageError),
    /// It has no pixels, or too many.
    #[error("use a screenshot of {width} x {height} px, where 1 to {PIXELS_MAX} px are possible")]
    Size {
        /// Width in px.
        width: u32,
        /// Height in px.
        height: u32,
    },
    /// The resize refused.
    #[error("resize the screenshot")]
    Resize(#[source] fast_image_resize::ResizeError),
}

impl PictureError {
    /// As the verdict on an item.
    pub fn failure(&self) -> Failure {
        let class = match self {
            Self::Decode(_) | Self::Resize(_) => FailureClass::Decode,
            Self::Size { .. } => FailureClass::Limit,
        };
        Failure::from_error(class, self)
    }
}

/// A decoded screenshot: rows of RGB levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    rgb: Vec<u8>,
    width: u32,
    height: u32,
}

impl Decoded {
    /// Decodes a screenshot.
    pub(crate) fn of_encoded(picture: &[u8]) -> Result<Self, PictureError> {
        let reader = || {
            ImageReader::new(Cursor::new(picture))
                .with_guessed_format()
                .map_err(|error| PictureError::Decode(error.into()))
        };
        let (width, height) = reader()?.into_dimensions().map_err(PictureError::Decode)?;
        check_size(width, height)?;
        let picture = reader()?.decode().map_err(PictureError::Decode)?;
        Ok(Self { rgb: rgb(picture), width, height })
    }

    /// A picture that is decoded already.
    pub(crate) fn of_rgb(picture: &RgbImage) -> Result<Self, PictureError> {
        let (width, height) = picture.dimensions();
        check_size(width, height)?;
        Ok(Self { rgb: picture.as_raw().clone(), width, height })
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// A part of it at a width, as many rows as the window says.
    fn resized(&self, window: &Window, width: u32, resize: Resize) -> Result<Vec<u8>, PictureError> {
        thread_local! {
            /// Keeps its buffers from picture to picture.
            static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
        }
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter(resize)));
        // Pillow goes over the rows first and rounds in between. Rows below what the filter can reach are left out.
        let reached = window.top + window.height + FILTER_REACH * (window.height / f64::from(window.rows)).max(1.0);
        let lines = self.height.min(reached.ceil() as u32);
        let lines_bytes = self.width as usize * lines as usize * 3;
        let source = ImageRef::new(self.width, lines, &self.rgb[..lines_bytes], PixelType::U8x3)
            .expect("three bytes for each pixel");
        let mut narrow = Image::new(width, lines, PixelType::U8x3);
        let mut seen = Image::new(width, window.rows, PixelType::U8x3);
        RESIZER
            .with_borrow_mut(|resizer| {
                let columns = options.crop(window.left, 0.0, window.width, lines.into());
                resizer.resize(&source, &mut narrow, &columns)?;
                let rows = options.crop(0.0, window.top, width.into(), window.height);
                resizer.resize(&narrow, &mut seen, &rows)
            })
            .map_err(PictureError::Resize)?;
        Ok(seen.into_vec())
    }

    /// The top of the picture scaled to `width`: `rows` of the `scaled` rows that all of it would have.
    pub(crate) fn top(&self, width: u32, scaled: u32, rows: u32, resize: Resize) -> Result<Vec<u8>, PictureError> {
        let height = f64::from(self.height) * f64::from(rows) / f64::from(scaled);
        let window = Window { left: 0.0, top: 0.0, width: self.width.into(), height, rows };
        self.resized(&window, width, resize)
    }
}

/// A picture at the size of the model's input: rows of RGB levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Levels(Vec<u8>);

impl Levels {
    /// A screenshot as the model sees it.
    pub(crate) fn of(picture: &Decoded, input: &Pixels) -> Result<Self, PictureError> {
        let window = Window::of(picture.width, picture.height, input);
        let mut levels = picture.resized(&window, input.width(), input.resize)?;
        levels.resize(input.width() as usize * input.height() as usize * 3, input.pad);
        Ok(Self(levels))
    }

    /// The fixed input of a manifest's check.
    pub(crate) fn of_check(check: CheckInput, input: &Pixels) -> Self {
        Self(check_levels(check, input.width(), input.height()))
    }

    /// Adds the tensor of this picture to `tensor`: three planes, normalised.
    pub(crate) fn append_to(&self, tensor: &mut Vec<f32>, input: &Pixels) {
        Numbers::new(input.colour, input.scale, input.mean, input.std).append(&self.0, tensor);
    }

    #[cfg(test)]
    fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The levels of a manifest's check.
pub(crate) fn check_levels(check: CheckInput, width: u32, height: u32) -> Vec<u8> {
    let CheckInput::Ramp = check;
    let level = |x: u32, y: u32, channel: u32| ((x + y + 85 * channel) % 256) as u8;
    let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    rows.flat_map(|(x, y)| [0, 1, 2].map(|channel| level(x, y, channel))).collect()
}

/// What number each level becomes, plane by plane. 256 levels: the division happens once each, not once a pixel.
pub(crate) struct Numbers {
    planes: [(usize, [f32; 256]); 3],
}

impl Numbers {
    pub(crate) fn new(colour: Colour, scale: Option<f32>, mean: [f32; 3], std: [f32; 3]) -> Self {
        let scale = scale.unwrap_or(1.0 / 255.0);
        let plane = |channel: usize| {
            let source = match colour {
                Colour::Rgb => channel,
                Colour::Bgr => 2 - channel,
            };
            (source, std::array::from_fn(|level| (level as f32 * scale - mean[channel]) / std[channel]))
        };
        Self { planes: [0, 1, 2].map(plane) }
    }

    /// Adds three planes of numbers for the pixels.
    pub(crate) fn append(&self, levels: &[u8], tensor: &mut Vec<f32>) {
        for (source, values) in &self.planes {
            tensor.extend(levels.as_chunks::<3>().0.iter().map(|pixel| values[usize::from(pixel[*source])]));
        }
    }
}

fn check_size(width: u32, height: u32) -> Result<(), PictureError> {
    let pixels = u64::from(width) * u64::from(height);
    if (1..=PIXELS_MAX).contains(&pixels) { Ok(()) } else { Err(PictureError::Size { width, height }) }
}

/// The part of the screenshot that is seen, and how many rows of the input it fills.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Window {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    rows: u32,
}

impl Window {
    fn of(width: u32, height: u32, input: &Pixels) -> Self {
        let whole = Self { left: 0.0, top: 0.0, width: width.into(), height: height.into(), rows: input.height() };
        let (in_width, in_height) = (u64::from(input.width()), u64::from(input.height()));
        match input.fit {
            Fit::Stretch => whole,
            Fit::TopPad => {
                let visible = (u64::from(width) * in_height / in_width).clamp(1, u64::from(height));
                let rows = (visible as f64 * in_width as f64 / f64::from(width)).round_ties_even();
                Self { height: visible as f64, rows: (rows as u32).clamp(1, input.height()), ..whole }
            }
            Fit::TopCrop => Self { top: 0.0, ..whole.cropped(in_width, in_height) },
            Fit::CentreCrop => match input.short_side {
                Some(short_side) => whole.middle_of_scaled(width, height, short_side, input),
                None => whole.cropped(in_width, in_height),
            },
        }
    }

    /// Where the middle of the picture lies once its shorter side has `short_side` px. Scaled pictures have whole sides
    /// and the cut whole distances, both rounded down as in `transformers`: half a pixel moves every number.
    fn middle_of_scaled(self, width: u32, height: u32, short_side: u32, input: &Pixels) -> Self {
        let short = u64::from(width.min(height));
        let scaled = |side: u32| (u64::from(short_side) * u64::from(side) / short) as f64;
        // One axis: distance and length of the cut, in px of the picture.
        let cut = |side: u32, seen: u32| {
            let px = f64::from(side) / scaled(side);
            (((scaled(side) - f64::from(seen)) / 2.0).floor() * px, f64::from(seen) * px)
        };
        let (left, cut_width) = cut(width, input.width());
        let (top, cut_height) = cut(height, input.height());
        Self { left, top, width: cut_width, height: cut_height, ..self }
    }

    /// The largest part of these proportions, from the middle.
    fn cropped(self, in_width: u64, in_height: u64) -> Self {
        let proportion = in_width as f64 / in_height as f64;
        let width = self.width.min(self.height * proportion);
        let height = self.height.min(self.width / proportion);
        Self { left: (self.width - width) / 2.0, top: (self.height - height) / 2.0, width, height, ..self }
    }
}

const fn filter(resize: Resize) -> FilterType {
    match resize {
        Resize::Box => FilterType::Box,
        Resize::Bilinear => FilterType::Bilinear,
        Resize::Bicubic => FilterType::CatmullRom,
        Resize::Lanczos => FilterType::Lanczos3,
    }
}

/// Levels of red, green and blue; what is transparent shows white, as in Chrome.
fn rgb(picture: DynamicImage) -> Vec<u8> {
    let on_white = |[r, g, b, alpha]: [u8; 4]| {
        let alpha = u32::from(alpha);
        [r, g, b].map(|level| ((u32::from(level) * alpha + 255 * (255 - alpha) + 127) / 255) as u8)
    };
    match picture {
        DynamicImage::ImageRgb8(rgb) => rgb.into_raw(),
        other => other.to_rgba8().as_raw().as_chunks::<4>().0.iter().flat_map(|pixel| on_white(*pixel)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelManifest;

    fn input() -> Pixels {
        ModelManifest::parse(include_str!("../tests/data/model.toml")).expect("the manifest of the tests").input.pixels
    }

    /// The picture that `make_data.py` resized with Pillow.
    fn noise(width: u32, height: u32) -> Decoded {
        let level = |i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8;
        Decoded { rgb: (0..width * height * 3).map(level).collect(), width, height }
    }

    /// Each line: filter, fit, width, height, levels of the 8 x 16 input as hex.
    #[test]
    fn levels_are_those_of_pillow() {
        for line in include_str!("../tests/data/pillow.txt").lines() {
            let fields: Vec<_> = line.split(' ').collect();
            let [resize, fit, width, height, hex] = fields[..] else { panic!("{line}") };
            let text = |word: &str| toml::Value::String(word.to_owned());
            let input = Pixels {
                resize: text(resize).try_into().expect("a filter"),
                fit: text(fit).try_into().expect("a fit"),
                ..input()
            };
            let (width, height) = (width.parse().expect("a number"), height.parse().expect("a number"));
            let levels = Levels::of(&noise(width, height), &input).expect("a sane size");
            let pairs = hex.as_bytes().as_chunks::<2>().0;
            let expected = pairs
                .iter()
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ascii"), 16).expect("hex"));
            let worst = levels.as_bytes().iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max();
            assert_eq!((levels.as_bytes().len(), pairs.len()), (384, 384));
            assert!(worst <= Some(1), "{resize} {fit} {width} x {height}: {worst:?}");
        }
    }

    #[test]
    fn the_window_follows_the_fit() {
        let check = |fit, (width, height), (left, top, seen_width, seen_height, rows)| {
            let expected = Window { left, top, width: seen_width, height: seen_height, rows };
            assert_eq!(Window::of(width, height, &Pixels { fit, ..input() }), expected, "{fit:?} {width} x {height}");
        };
        check(Fit::Stretch, (100, 900), (0.0, 0.0, 100.0, 900.0, 16));
        check(Fit::TopPad, (100, 900), (0.0, 0.0, 100.0, 200.0, 16));
        check(Fit::TopPad, (100, 50), (0.0, 0.0, 100.0, 50.0, 4));
        check(Fit::TopPad, (10_000, 1), (0.0, 0.0, 10_000.0, 1.0, 1));
        check(Fit::TopPad, (1, 10_000), (0.0, 0.0, 1.0, 2.0, 16));
        check(Fit::TopCrop, (100, 900), (0.0, 0.0, 100.0, 200.0, 16));
        check(Fit::TopCrop, (100, 100), (25.0, 0.0, 50.0, 100.0, 16));
        check(Fit::CentreCrop, (100, 900), (0.0, 350.0, 100.0, 200.0, 16));
    }

    #[test]
    fn the_middle_of_a_scaled_picture_begins_at_a_whole_pixel_of_it() {
        let check = |(width, height), short_side, (left, top, seen_width, seen_height)| {
            let input = Pixels { fit: Fit::CentreCrop, short_side: Some(short_side), ..input() };
            let expected = Window { left, top, width: seen_width, height: seen_height, rows: 16 };
            assert_eq!(Window::of(width, height, &input), expected, "{width} x {height} to {short_side}");
        };
        check((40, 80), 20, (12.0, 24.0, 16.0, 32.0));
        check((64, 32), 16, (24.0, 0.0, 16.0, 32.0));
        check((20, 21), 20, (6.0, 2.0, 8.0, 16.0)); // 2.5 px above, rounded down
        check((20, 1), 16, (9.75, 0.0, 0.5, 1.0));
    }

    #[test]
    fn any_size_fits() {
        let fits = [Fit::Stretch, Fit::TopPad, Fit::TopCrop, Fit::CentreCrop].map(|fit| (fit, None));
        for (fit, short_side) in fits.into_iter().chain([(Fit::CentreCrop, Some(16)), (Fit::CentreCrop, Some(19))]) {
            for (width, height) in [(1, 1), (1, 3000), (3000, 1), (7, 15), (8, 16)] {
                let input = Pixels { fit, short_side, ..input() };
                let levels = Levels::of(&noise(width, height), &input).expect("any size");
                assert_eq!(levels.as_bytes().len(), 8 * 16 * 3);
            }
        }
    }

    #[test]
    fn channels_are_planes_in_the_wished_order() {
        let levels = Levels([0, 51, 255].repeat(8 * 16));
        let planes = |colour| {
            let mut tensor = Vec::new();
            levels.append_to(&mut tensor, &Pixels { colour, mean: [0.0; 3], std: [1.0; 3], ..input() });
            [tensor[0], tensor[128], tensor[256]]
        };
        assert_eq!(planes(Colour::Rgb), [0.0, 51.0 * (1.0 / 255.0), 1.0]);
        assert_eq!(planes(Colour::Bgr), [1.0, 51.0 * (1.0 / 255.0), 0.0]);
    }

    #[test]
    fn damaged_pictures_are_failures() {
        for bytes in [&b""[..], b"\x89PNG\r\n\x1a\n", b"<html>"] {
            let error = Decoded::of_encoded(bytes).expect_err("not a picture");
            assert_eq!(error.failure().class, FailureClass::Decode);
        }
    }
}
