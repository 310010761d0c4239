//! Screenshots to small pictures that stand inside the page.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageReader, imageops};

/// Width of a thumbnail in px: sharp in a card, readable in the large view.
pub(crate) const WIDTH_MAX: u32 = 320;
/// Height of a thumbnail in px: two screens of a page; what is further down is cut off.
pub(crate) const HEIGHT_MAX: u32 = 480;
/// JPEG quality: text in a thumbnail is a texture anyway.
const JPEG_QUALITY: u8 = 70;
/// Bytes that all pictures of a report may take as text. A few hundred thumbnails; browsers open that at once, and mail
/// servers still let it through.
pub const PICTURES_BYTES_MAX: usize = 12_000_000;
/// Most bytes that decoding one screenshot may take: one page of 16384 px height at double density.
const DECODED_BYTES_MAX: u64 = 512 << 20;

/// A thumbnail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thumbnail {
    /// `data:` URL of the JPEG.
    pub(crate) url: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The screenshot goes on below.
    pub(crate) cropped: bool,
}

impl Thumbnail {
    /// The thumbnail of a screenshot; `None` where it cannot be decoded.
    pub(crate) fn of(picture: &[u8]) -> Option<Self> {
        let (jpeg, made) = Self::jpeg(picture)?;
        Some(Self { url: format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)), ..made })
    }

    /// The same as a JPEG file; the thumbnail has no URL yet.
    pub(crate) fn jpeg(picture: &[u8]) -> Option<(Vec<u8>, Self)> {
        let mut reader = ImageReader::new(Cursor::new(picture)).with_guessed_format().ok()?;
        let mut limits = image::Limits::default();
        limits.max_alloc = Some(DECODED_BYTES_MAX);
        reader.limits(limits);
        let screenshot = reader.decode().ok()?.into_rgb8();
        let scale = f64::from(WIDTH_MAX.min(screenshot.width())) / f64::from(screenshot.width().max(1));
        let rows_shown = ((f64::from(HEIGHT_MAX) / scale) as u32).min(screenshot.height());
        let cropped = rows_shown < screenshot.height();
        let width = ((f64::from(screenshot.width()) * scale).round() as u32).max(1);
        let height = ((f64::from(rows_shown) * scale).round() as u32).clamp(1, HEIGHT_MAX);
        let top = imageops::crop_imm(&screenshot, 0, 0, screenshot.width(), rows_shown);
        let small = imageops::thumbnail(&*top, width, height);
        let mut jpeg = Vec::new();
        small.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)).ok()?;
        Some((jpeg, Self { url: String::new(), width, height, cropped }))
    }
}

/// What pictures may still take. Spent in the order of the galleries, so that the same input shows the same pictures.
#[derive(Debug)]
pub(crate) struct PictureBudget {
    left_bytes: usize,
    /// Pictures that found no room.
    pub(crate) left_out: usize,
}

impl Default for PictureBudget {
    fn default() -> Self {
        Self { left_bytes: PICTURES_BYTES_MAX, left_out: 0 }
    }
}

impl PictureBudget {
    /// The picture, if it still fits.
    pub(crate) fn admit(&mut self, thumbnail: Thumbnail) -> Option<Thumbnail> {
        if thumbnail.url.len() > self.left_bytes {
            self.left_out += 1;
            return None;
        }
        self.left_bytes -= thumbnail.url.len();
        Some(thumbnail)
    }
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 128]));
        picture.write_to(&mut bytes, image::ImageFormat::Png).expect("encode");
        bytes.into_inner()
    }

    #[test]
    fn thumbnails_are_bounded() {
        let check = |size: (u32, u32), expected: (u32, u32, bool)| {
            let thumbnail = Thumbnail::of(&png(size.0, size.1)).expect("a picture");
            assert_eq!((thumbnail.width, thumbnail.height, thumbnail.cropped), expected, "{size:?}");
            assert!(thumbnail.url.starts_with("data:image/jpeg;base64,"));
        };
        check((1280, 800), (320, 200, false));
        check((1280, 9000), (320, 480, true));
        check((100, 50), (100, 50, false));
        check((1280, 1), (320, 1, false));
        check((1, 3000), (1, 480, true));
    }

    #[test]
    fn what_is_no_picture_has_no_thumbnail() {
        assert_eq!(Thumbnail::of(b"no png"), None);
        let mut cut = png(64, 64);
        cut.truncate(60);
        assert_eq!(Thumbnail::of(&cut), None);
    }

    #[test]
    fn the_budget_is_never_exceeded() {
        let picture = |bytes: usize| Thumbnail { url: "x".repeat(bytes), width: 1, height: 1, cropped: false };
        let mut budget = PictureBudget { left_bytes: 100, left_out: 0 };
        assert!(budget.admit(picture(60)).is_some());
        assert!(budget.admit(picture(60)).is_none());
        assert!(budget.admit(picture(40)).is_some());
        assert!(budget.admit(picture(1)).is_none());
        assert_eq!(budget.left_out, 2);
    }
}
