//! What a screenshot looks like, in bits.
//!
//! Two hashes per screenshot: one of the whole page and one of its first viewport. Two tall pages with the same header
//! agree in the first viewport and differ as a whole; two pages whose difference drowns in a long common tail agree
//! as a whole and differ in the first viewport. A near-duplicate has to agree in both.
//!
//! The picture is first averaged over whole boxes of pixels to a few hundred cells a side, in one integer pass over its
//! rows as they are decoded, and only that is handed to the hash: the same answer on every machine, and the time is that of
//! decoding the PNG.

use std::fmt;
use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageReader};
use image_hasher::{FilterType, HashAlg, HasherConfig};
use item::{Attributes, name};

use crate::luma::{CELLS, Pixels, Scan, Summary};
use crate::{Hash256, Look};

/// Attribute: hash of the first viewport (hex); the whole page's is [`item::name::PHASH`].
pub const PHASH_VIEWPORT: &str = "phash_viewport";
/// Attribute: the screenshot is flat or nearly so; its hashes mean nothing.
pub const PHASH_FLAT: &str = "phash_flat";
/// Attribute: size of the screenshot as `width x height` in device px, which near-duplicates share nearly.
pub const PHASH_SIZE: &str = "phash_size";

/// Attribute: the screenshot in a few hundred bytes (base64).
pub const PHASH_LOOK: &str = "phash_look";

/// Largest screenshot that is decoded: 1,280 px wide pages up to 50,000 px tall. Chrome's own cap is far below, so what
/// is larger did not come from a page.
pub const PIXELS_MAX: u64 = 64_000_000;

/// Side of the hash in bits.
const SIDE: u32 = 16;
/// A screenshot whose luma deviates less than this (of 255) from its mean is flat. One line of body text on an empty
/// 1280 × 800 page gives about 6, a blank page 0.
const FLAT_DEVIATION_MAX: f64 = 2.0;

/// How the bits are made. Hashes of different recipes can't be compared, so the recipe's text belongs into the
/// fingerprint of whatever stores them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Recipe {
    /// Each bit: a cell is brighter than its left neighbour.
    #[default]
    Gradient,
    /// Each bit: a low frequency of the picture is stronger than the median frequency.
    Frequency,
}

impl Recipe {
    /// Every recipe.
    pub const ALL: [Self; 2] = [Self::Gradient, Self::Frequency];
}

impl fmt::Display for Recipe {
    /// The stable text, such as `gradient-16x16/box-256/whole+viewport`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = match self {
            Self::Gradient => "gradient",
            Self::Frequency => "dct-median",
        };
        write!(f, "{bits}-{SIDE}x{SIDE}/box-{CELLS}/whole+viewport")
    }
}

/// What one screenshot looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VisualPrint {
    /// Hash of the whole page.
    pub whole: Hash256,
    /// Hash of the first viewport.
    pub viewport: Hash256,
    /// One flat colour or nearly so: the hashes mean nothing.
    pub flat: bool,
    /// Width in device px.
    pub width: u32,
    /// Height in device px.
    pub height: u32,
}

impl VisualPrint {
    /// As attributes of the item, for a barrier to read.
    pub fn attributes(&self) -> Attributes {
        Attributes::new()
            .with(name::PHASH, self.whole.to_string())
            .with(PHASH_VIEWPORT, self.viewport.to_string())
            .with(PHASH_FLAT, self.flat)
            .with(PHASH_SIZE, format!("{}x{}", self.width, self.height))
    }

    /// Reads back what [`VisualPrint::attributes`] wrote; `None` when a part is missing or malformed.
    pub fn from_attributes(attributes: &Attributes) -> Option<Self> {
        let (width, height) = attributes.text(PHASH_SIZE)?.split_once('x')?;
        Some(Self {
            whole: attributes.text(name::PHASH)?.parse().ok()?,
            viewport: attributes.text(PHASH_VIEWPORT)?.parse().ok()?,
            flat: matches!(attributes.get(PHASH_FLAT)?, item::Value::Bool(true)),
            width: width.parse().ok()?,
            height: height.parse().ok()?,
        })
    }
}

/// A screenshot as barriers see it: what finds its likes, and what tells whether they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sight {
    /// Hashes and size.
    pub print: VisualPrint,
    /// The picture in a few hundred bytes.
    pub look: Look,
}

impl Sight {
    /// As attributes of the item, for a barrier to read.
    pub fn attributes(&self) -> Attributes {
        self.print.attributes().with(PHASH_LOOK, self.look.to_text())
    }

    /// Reads back what [`Sight::attributes`] wrote; `None` when a part is missing or malformed.
    pub fn from_attributes(attributes: &Attributes) -> Option<Self> {
        let look = Look::from_text(attributes.text(PHASH_LOOK)?)?;
        Some(Self { print: VisualPrint::from_attributes(attributes)?, look })
    }

    /// Names of the attributes.
    pub const ATTRIBUTES: [&str; 5] = [name::PHASH, PHASH_VIEWPORT, PHASH_FLAT, PHASH_SIZE, PHASH_LOOK];
}

/// Why a screenshot could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum PhashError {
    /// The header could not be read.
    #[error("read the header of the screenshot")]
    Header(#[source] image::ImageError),
    /// The pixels could not be read.
    #[error("decode the screenshot")]
    Decode(#[source] image::ImageError),
    /// The rows of a PNG could not be read.
    #[error("decode the rows of the screenshot")]
    Rows(#[source] png::DecodingError),
    /// It has no pixels, or too many.
    #[error("hash a screenshot of {width} x {height} px, where 1 to {PIXELS_MAX} px are possible")]
    Size {
        /// Width in px.
        width: u32,
        /// Height in px.
        height: u32,
    },
}

/// Hashes screenshots by one recipe; make one and share it.
pub struct Hasher {
    recipe: Recipe,
    inner: image_hasher::Hasher<[u8; 32]>,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("recipe", &self.recipe).finish_non_exhaustive()
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new(Recipe::default())
    }
}

impl Hasher {
    /// A hasher for this recipe.
    pub fn new(recipe: Recipe) -> Self {
        let config = HasherConfig::with_bytes_type::<[u8; 32]>()
            .bit_order(image_hasher::BitOrder::MsbFirst)
            .resize_filter(FilterType::Triangle)
            .hash_size(SIDE, SIDE);
        let config = match recipe {
            Recipe::Gradient => config.hash_alg(HashAlg::Gradient),
            Recipe::Frequency => config.hash_alg(HashAlg::Median).preproc_dct(),
        };
        Self { recipe, inner: config.to_hasher() }
    }

    /// The recipe.
    pub fn recipe(&self) -> Recipe {
        self.recipe
    }

    /// Hashes an encoded picture whose first `viewport_height` px (device px) are the first viewport; PNG row by row.
    pub fn hash_encoded(&self, bytes: &[u8], viewport_height: u32) -> Result<Sight, PhashError> {
        let reader = || {
            let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
            reader.map_err(|error| PhashError::Header(error.into()))
        };
        let (width, height) = reader()?.into_dimensions().map_err(PhashError::Header)?;
        check_size(width, height)?;
        if reader()?.format() != Some(image::ImageFormat::Png) {
            return self.hash_picture(&reader()?.decode().map_err(PhashError::Decode)?, viewport_height);
        }
        let mut rows = png::Decoder::new(Cursor::new(bytes)).read_info().map_err(PhashError::Rows)?;
        let Some(pixels) = plain_rows(rows.info()) else {
            return self.hash_picture(&reader()?.decode().map_err(PhashError::Decode)?, viewport_height);
        };
        let mut scan = Scan::new(pixels, width, height, viewport_height);
        while let Some(row) = rows.next_row().map_err(PhashError::Rows)? {
            scan.row(row.data());
        }
        Ok(self.sight(scan.finish(), width, height))
    }

    /// Hashes a decoded picture whose first `viewport_height` px are the first viewport.
    pub fn hash_picture(&self, picture: &DynamicImage, viewport_height: u32) -> Result<Sight, PhashError> {
        let (width, height) = (picture.width(), picture.height());
        check_size(width, height)?;
        let scan = |pixels: Pixels, bytes: &[u8]| {
            let mut scan = Scan::new(pixels, width, height, viewport_height);
            bytes.chunks_exact(width as usize * pixels.bytes()).for_each(|row| scan.row(row));
            self.sight(scan.finish(), width, height)
        };
        Ok(match picture {
            DynamicImage::ImageLuma8(gray) => scan(Pixels::Gray, gray),
            DynamicImage::ImageRgb8(rgb) => scan(Pixels::Rgb, rgb),
            DynamicImage::ImageRgba8(rgba) => scan(Pixels::Rgba, rgba),
            other => scan(Pixels::Rgba, &other.to_rgba8()),
        })
    }

    fn sight(&self, summary: Summary, width: u32, height: u32) -> Sight {
        let print = VisualPrint {
            whole: self.hash_cells(&summary.whole),
            viewport: self.hash_cells(&summary.viewport),
            flat: summary.deviation < FLAT_DEVIATION_MAX,
            width,
            height,
        };
        Sight { print, look: summary.look }
    }

    fn hash_cells(&self, cells: &GrayImage) -> Hash256 {
        let hash = self.inner.hash_image(cells);
        Hash256::from_bytes(hash.as_bytes()).expect("the hasher was made for 256 bits")
    }
}

fn check_size(width: u32, height: u32) -> Result<(), PhashError> {
    let pixels = u64::from(width) * u64::from(height);
    if (1..=PIXELS_MAX).contains(&pixels) { Ok(()) } else { Err(PhashError::Size { width, height }) }
}

/// How to read the rows of a PNG as they stand, the way Chrome writes them; `None` where they have to be unpacked first
/// (palettes, 16 bits, interlacing, a transparent colour).
fn plain_rows(info: &png::Info<'_>) -> Option<Pixels> {
    let is_plain = info.bit_depth == png::BitDepth::Eight && !info.interlaced && info.trns.is_none();
    match info.color_type {
        png::ColorType::Grayscale if is_plain => Some(Pixels::Gray),
        png::ColorType::Rgb if is_plain => Some(Pixels::Rgb),
        png::ColorType::Rgba if is_plain => Some(Pixels::Rgba),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};

    /// A page of grey blocks; `tail` changes what lies below the first 800 px.
    fn page(height: u32, header: u32, tail: u32) -> DynamicImage {
        DynamicImage::ImageRgb8(RgbImage::from_fn(1280, height, |x, y| {
            let seed = if y < 800 { header } else { tail };
            let block = item::ContentHasher::new("block").add_u64((x / 80).into()).add_u64((y / 50).into()).finish();
            Rgb([block.as_bytes()[seed as usize]; 3])
        }))
    }

    fn print_of(picture: &DynamicImage) -> VisualPrint {
        Hasher::default().hash_picture(picture, 800).expect("a picture of sane size").print
    }

    #[test]
    fn tall_pages_with_one_header_differ_as_a_whole() {
        let (a, b) = (print_of(&page(2000, 1, 2)), print_of(&page(2000, 1, 3)));
        assert_eq!(a.viewport, b.viewport);
        assert!(a.whole.distance(&b.whole) > 40, "{}", a.whole.distance(&b.whole));
        let c = print_of(&page(2000, 5, 2));
        assert!(a.viewport.distance(&c.viewport) > 40);
    }

    #[test]
    fn a_blank_page_is_flat_and_a_line_of_text_is_not() {
        let blank = RgbImage::from_pixel(1280, 800, Rgb([250; 3]));
        assert!(print_of(&DynamicImage::ImageRgb8(blank.clone())).flat);
        let mut text = blank;
        for (x, y) in (40..640).flat_map(|x| (100..112).map(move |y| (x, y))).filter(|(x, y)| (x + y) % 4 == 0) {
            text.put_pixel(x, y, Rgb([20; 3]));
        }
        assert!(!print_of(&DynamicImage::ImageRgb8(text)).flat);
    }

    fn png_of(picture: &DynamicImage) -> Vec<u8> {
        let mut png = Vec::new();
        picture.write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png).expect("encoding to memory");
        png
    }

    #[test]
    fn png_and_picture_agree_in_every_kind_of_pixel() {
        let hasher = Hasher::default();
        let rgb = page(900, 3, 4);
        let mut rgba = rgb.to_rgba8();
        rgba.pixels_mut().zip(0u32..).for_each(|(pixel, n)| pixel.0[3] = (n % 256) as u8);
        let gray_alpha = DynamicImage::ImageRgba8(rgba.clone()).to_luma_alpha8().into();
        let deep = DynamicImage::ImageRgb16(rgb.to_rgb16());
        for picture in [rgb.to_luma8().into(), rgba.into(), gray_alpha, deep, rgb] {
            let whole = hasher.hash_picture(&picture, 800).expect("a picture of sane size");
            assert_eq!(hasher.hash_encoded(&png_of(&picture), 800).expect("own png"), whole, "{:?}", picture.color());
        }
    }

    #[test]
    fn damage_is_an_error() {
        let png = png_of(&page(900, 3, 4));
        for cut in [0, 8, 20, 40, png.len() / 2] {
            assert!(Hasher::default().hash_encoded(&png[..cut], 800).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn odd_sizes_are_hashed() {
        for (width, height) in [(1, 1), (1, 5000), (5000, 1), (255, 257), (513, 300)] {
            let picture = DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| Rgb([(x ^ y) as u8; 3])));
            for recipe in Recipe::ALL {
                let print = Hasher::new(recipe).hash_picture(&picture, 720).expect("any size with pixels").print;
                assert_eq!((print.width, print.height), (width, height));
            }
        }
    }

    #[test]
    fn a_print_survives_the_attributes() {
        let sight = Hasher::default().hash_picture(&page(900, 3, 4), 800).expect("a picture of sane size");
        assert_eq!(VisualPrint::from_attributes(&sight.attributes()), Some(sight.print));
        assert_eq!(Sight::from_attributes(&sight.attributes()), Some(sight));
        assert_eq!(Sight::from_attributes(&Attributes::new()), None);
    }

    /// The bits of a recipe must never change silently: stored hashes would stop matching new ones.
    #[test]
    fn recipes_are_golden() {
        let picture = page(1600, 7, 9);
        let prints = Recipe::ALL.map(|recipe| {
            let print = Hasher::new(recipe).hash_picture(&picture, 800).expect("a picture of sane size").print;
            format!("{recipe} {} {}", print.whole, print.viewport)
        });
        assert_eq!(prints.join("\n"), include_str!("golden_hashes.txt").trim_end());
    }
}
