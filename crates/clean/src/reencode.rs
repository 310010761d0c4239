//! Pictures that are too large to be inlined as they are, in fewer bytes and the same size in pixels.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};

/// Qualities that are tried, best first. Below the last one blocks are plain to see.
const JPEG_QUALITIES: [u8; 4] = [85, 70, 55, 40];

/// The picture with its MIME type, in at most `bytes_max` bytes; `None` if it cannot be had, or moves. Photographs become JPEG;
/// what is transparent somewhere stays PNG.
pub(crate) fn within(bytes: &[u8], bytes_max: usize) -> Option<(&'static str, Vec<u8>)> {
    let format = image::guess_format(bytes).ok()?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP) {
        return None;
    }
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder().ok()?;
    // Browsers turn photographs as the camera says; the word for that is not written again.
    let orientation = decoder.orientation().ok()?;
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    picture.apply_orientation(orientation);
    if picture.color().has_alpha() && picture.to_rgba8().pixels().any(|pixel| pixel.0[3] < u8::MAX) {
        let mut written = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut written, CompressionType::Best, FilterType::Adaptive);
        DynamicImage::ImageRgba8(picture.into_rgba8()).write_with_encoder(encoder).ok()?;
        return (written.len() <= bytes_max).then_some(("image/png", written));
    }
    let opaque = DynamicImage::ImageRgb8(picture.into_rgb8());
    JPEG_QUALITIES.into_iter().find_map(|quality| {
        let mut written = Vec::new();
        opaque.write_with_encoder(JpegEncoder::new_with_quality(&mut written, quality)).ok()?;
        (written.len() <= bytes_max).then_some(("image/jpeg", written))
    })
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
    use std::io::Cursor;

    use super::within;

    fn noise(alpha: u8) -> Vec<u8> {
        let picture = RgbaImage::from_fn(200, 100, |x, y| {
            let value = (x * 31 + y * 17).wrapping_mul(2_654_435_761) >> 24;
            Rgba([value as u8, (x % 256) as u8, (y % 256) as u8, alpha])
        });
        let mut bytes = Vec::new();
        DynamicImage::ImageRgba8(picture).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).expect("memory");
        bytes
    }

    #[test]
    fn a_photograph_becomes_jpeg_of_the_same_size() {
        let (mime, small) = within(&noise(255), 12_000).expect("fits");
        assert_eq!(mime, "image/jpeg");
        assert!(small.len() <= 12_000);
        let picture = image::load_from_memory(&small).expect("a picture");
        assert_eq!((picture.width(), picture.height()), (200, 100));
        assert!(within(&noise(255), 500).is_none());
    }

    #[test]
    fn what_is_transparent_stays_png_or_goes() {
        assert!(within(&noise(100), 1_000).is_none());
        assert_eq!(within(&noise(100), 1 << 20).expect("fits").0, "image/png");
        assert!(within(b"GIF89a", 1 << 20).is_none());
        assert!(within(b"", 1 << 20).is_none());
    }
}
