//! Screenshot bytes: Chrome encodes fast, we encode small.
//!
//! Chrome's encoder runs in the browser's main thread, so it is asked for speed; the stored PNG is made here, on the caller's
//! thread. Its bytes depend on the pixels and on our encoder alone, and its size is checked on the way.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use thiserror::Error;

/// The answer is not the screenshot that was asked for.
#[derive(Debug, Error)]
pub(crate) enum ScreenshotError {
    #[error("the screenshot is not base64")]
    Base64(#[from] base64::DecodeError),
    #[error("the screenshot could not be decoded")]
    Decode(#[from] png::DecodingError),
    #[error("the screenshot could not be encoded")]
    Encode(#[from] png::EncodingError),
    #[error("the screenshot is {0} x {1} px in place of {2} x {3}")]
    Size(u32, u32, u32, u32),
    #[error("the screenshot has an unknown pixel format")]
    Format,
}

/// Turns Chrome's answer into the PNG that is kept: RGB, no alpha, no metadata.
pub(crate) fn compact(answer: &str, width: u32, height: u32) -> Result<Bytes, ScreenshotError> {
    let fast = STANDARD.decode(answer)?;
    let mut reader = png::Decoder::new(Cursor::new(fast)).read_info()?;
    let (got_width, got_height) = (reader.info().width, reader.info().height);
    if (got_width, got_height) != (width, height) {
        return Err(ScreenshotError::Size(got_width, got_height, width, height));
    }
    let mut pixels = vec![0; reader.output_buffer_size().ok_or(ScreenshotError::Format)?];
    let frame = reader.next_frame(&mut pixels)?;
    pixels.truncate(frame.buffer_size());
    let pixels = match (frame.color_type, frame.bit_depth) {
        (png::ColorType::Rgb, png::BitDepth::Eight) => pixels,
        // Chrome paints on white, so alpha says nothing.
        (png::ColorType::Rgba, png::BitDepth::Eight) => drop_alpha(&pixels),
        _ => return Err(ScreenshotError::Format),
    };
    encode(&pixels, width, height).map(Bytes::from).map_err(Into::into)
}

fn drop_alpha(rgba: &[u8]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(rgba.len() / 4 * 3);
    for pixel in rgba.chunks_exact(4) {
        rgb.extend_from_slice(&pixel[..3]);
    }
    rgb
}

fn encode(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder.write_header()?.write_image_data(rgb)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_survive_and_the_size_is_checked() {
        let rgb: Vec<u8> = (0..3 * 4 * 2).collect();
        let answer = STANDARD.encode(encode(&rgb, 4, 2).expect("encodes"));
        let kept = compact(&answer, 4, 2).expect("fits");
        let image = image::load_from_memory(&kept).expect("a picture").to_rgb8();
        assert_eq!(image.as_raw(), &rgb);
        assert!(matches!(compact(&answer, 4, 3), Err(ScreenshotError::Size(4, 2, 4, 3))));
    }
}
