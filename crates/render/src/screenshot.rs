//! Screenshot bytes, kept as Chrome writes them.
//!
//! Decoding and encoding again cost a quarter of what Chrome itself needs for a page, so the picture that Chrome encoded is
//! the picture that is kept; only its header is read. Chrome's encoder is deterministic for a build, and the build is in the
//! fingerprint. Pixels are touched in two cases: pages of several tiles, and lossless WebP, which Chrome cannot write.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageReader, RgbImage};
use thiserror::Error;

use crate::format::ImageFormat;

/// The answer is not the screenshot that was asked for.
#[derive(Debug, Error)]
pub(crate) enum ScreenshotError {
    #[error("the screenshot is not base64")]
    Base64(#[from] base64::DecodeError),
    #[error("the screenshot could not be read")]
    Read(#[source] image::ImageError),
    #[error("the screenshot could not be encoded")]
    Encode(#[source] image::ImageError),
    #[error("the screenshot is {0} x {1} px in place of {2} x {3}")]
    Size(u32, u32, u32, u32),
}

/// Chrome's answer as it is, if its header says the wanted size.
pub(crate) fn keep(answer: &str, width: u32, height: u32) -> Result<Bytes, ScreenshotError> {
    let bytes = STANDARD.decode(answer)?;
    let reader = ImageReader::new(Cursor::new(&bytes)).with_guessed_format();
    let reader = reader.map_err(|error| ScreenshotError::Read(error.into()))?;
    let (got_width, got_height) = reader.into_dimensions().map_err(ScreenshotError::Read)?;
    if (got_width, got_height) != (width, height) {
        return Err(ScreenshotError::Size(got_width, got_height, width, height));
    }
    Ok(Bytes::from(bytes))
}

/// One picture of tiles, each a PNG of the whole width, from the top down; encoded anew.
pub(crate) fn assemble(
    tiles: &[Bytes],
    width: u32,
    height: u32,
    format: ImageFormat,
) -> Result<Bytes, ScreenshotError> {
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    for tile in tiles {
        let tile = image::load_from_memory_with_format(tile, image::ImageFormat::Png);
        pixels.extend_from_slice(tile.map_err(ScreenshotError::Read)?.into_rgb8().as_raw());
    }
    let short = |pixels: &[u8]| ScreenshotError::Size(width, (pixels.len() / 3) as u32 / width.max(1), width, height);
    let picture = RgbImage::from_raw(width, height, pixels).ok_or_else(|| short(&[]))?;
    let mut bytes = Vec::new();
    let encoded = match format {
        ImageFormat::PngSmall | ImageFormat::Png => picture.write_with_encoder(PngEncoder::new(&mut bytes)),
        ImageFormat::Jpeg(quality) => picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality)),
        ImageFormat::Webp(_) | ImageFormat::WebpLossless => {
            WebPEncoder::new_lossless(&mut bytes).encode(picture.as_raw(), width, height, ExtendedColorType::Rgb8)
        }
    };
    encoded.map_err(ScreenshotError::Encode)?;
    Ok(Bytes::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, shade: u8) -> Bytes {
        let picture = RgbImage::from_pixel(width, height, image::Rgb([shade, 0, 9]));
        let mut bytes = Vec::new();
        picture.write_with_encoder(PngEncoder::new(&mut bytes)).expect("encodes");
        Bytes::from(bytes)
    }

    #[test]
    fn bytes_are_kept_and_the_size_is_checked() {
        let picture = png(4, 2, 7);
        let answer = STANDARD.encode(&picture);
        assert_eq!(keep(&answer, 4, 2).expect("fits"), picture);
        assert!(matches!(keep(&answer, 4, 3), Err(ScreenshotError::Size(4, 2, 4, 3))));
        assert!(matches!(keep("AAAA", 4, 2), Err(ScreenshotError::Read(_))));
    }

    #[test]
    fn tiles_become_one_picture() {
        let tiles = [png(3, 2, 1), png(3, 1, 2)];
        for format in [ImageFormat::PngSmall, ImageFormat::WebpLossless] {
            let whole = assemble(&tiles, 3, 3, format).expect("fits");
            let picture = image::load_from_memory(&whole).expect("a picture").to_rgb8();
            assert_eq!((picture.get_pixel(0, 1).0, picture.get_pixel(2, 2).0), ([1, 0, 9], [2, 0, 9]), "{format:?}");
        }
        assert!(assemble(&tiles, 3, 4, ImageFormat::PngSmall).is_err());
    }
}
