//! Screenshots as models take them.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat};

/// Above this a PNG is sent as a JPEG: servers bound their requests.
const PNG_BYTES_MAX: usize = 3 << 19;
const JPEG_QUALITY: u8 = 90;

/// A PNG or JPEG of at most so many pixels, scaled down as a whole: a tall page stays one picture.
pub(super) fn encode(screenshot: &[u8], pixels_max: u32) -> Bytes {
    let is_png = image::guess_format(screenshot).is_ok_and(|format| format == ImageFormat::Png);
    let Ok(picture) = image::load_from_memory(screenshot) else { return Bytes::copy_from_slice(screenshot) };
    let pixels = u64::from(picture.width()) * u64::from(picture.height());
    if pixels <= u64::from(pixels_max) && is_png && screenshot.len() <= PNG_BYTES_MAX {
        return Bytes::copy_from_slice(screenshot);
    }
    let picture = scale(picture, pixels, pixels_max);
    let png = write(&picture, false);
    if png.len() <= PNG_BYTES_MAX { png } else { write(&picture, true) }
}

fn scale(picture: DynamicImage, pixels: u64, pixels_max: u32) -> DynamicImage {
    if pixels <= u64::from(pixels_max) {
        return picture;
    }
    let factor = (f64::from(pixels_max) / pixels as f64).sqrt();
    let side = |px: u32| ((f64::from(px) * factor) as u32).max(1);
    let (width, height) = (side(picture.width()), side(picture.height()));
    picture.resize_exact(width, height, FilterType::Triangle)
}

fn write(picture: &DynamicImage, as_jpeg: bool) -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    let rgb = picture.to_rgb8();
    let written = if as_jpeg {
        rgb.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))
    } else {
        rgb.write_to(&mut bytes, ImageFormat::Png)
    };
    // Memory takes every byte; a picture that has no encoding is sent as nothing, and the server says so.
    if written.is_ok() { bytes.into_inner().into() } else { Bytes::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(width: u32, height: u32, pixels_max: u32, expected: (u32, u32)) {
        let noise =
            image::RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 7 + y * 13) as u8, y as u8, x as u8]));
        let screenshot = write(&noise.into(), false);
        let sent = encode(&screenshot, pixels_max);
        let picture = image::load_from_memory(&sent).expect("a picture");
        assert_eq!((picture.width(), picture.height()), expected);
        assert_eq!(encode(&screenshot, pixels_max), sent, "the same every time");
        if expected == (width, height) {
            assert_eq!(sent, screenshot);
        }
    }

    #[test]
    fn large_pictures_are_scaled() {
        check(100, 50, 10_000, (100, 50));
        check(100, 400, 10_000, (50, 200));
    }
}
