//! What a screenshot is encoded as.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

/// What a screenshot is encoded as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum ImageFormat {
    /// PNG as Chrome writes it when asked for speed: the bytes are kept as they come.
    #[default]
    Png,
    /// PNG as Chrome writes it otherwise: 28 % fewer bytes, for a quarter more of Chrome's time on long pages.
    PngSmall,
    /// JPEG of that quality, 0 to 100.
    Jpeg(u8),
    /// Lossy WebP of that quality, 0 to 100.
    Webp(u8),
    /// Lossless WebP. Chrome writes none, so we do: a quarter smaller than PNG, several times the cost.
    WebpLossless,
}

impl ImageFormat {
    /// Quality of lossy formats that are named without one.
    pub const QUALITY: u8 = 85;

    /// Whether the picture has the very pixels that Chrome painted.
    pub const fn is_lossless(self) -> bool {
        matches!(self, Self::Png | Self::PngSmall | Self::WebpLossless)
    }
}

/// As in the column `image_format` and on the command line: `png`, `png-small`, `webp-lossless`, `webp-85`, `jpeg-85`.
impl fmt::Display for ImageFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Png => f.write_str("png"),
            Self::PngSmall => f.write_str("png-small"),
            Self::WebpLossless => f.write_str("webp-lossless"),
            Self::Webp(quality) => write!(f, "webp-{quality}"),
            Self::Jpeg(quality) => write!(f, "jpeg-{quality}"),
        }
    }
}

/// No format has that name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no format of screenshots: known are png, png-small, webp-lossless, webp, webp-85, jpeg, jpeg-85")]
pub struct UnknownFormat(String);

impl FromStr for ImageFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let lossy = |kind: &str| {
            let quality = name.strip_prefix(kind)?;
            let quality =
                if quality.is_empty() { Some(Self::QUALITY) } else { quality.strip_prefix('-')?.parse().ok() };
            quality.filter(|quality| *quality <= 100)
        };
        match name {
            "png" => Ok(Self::Png),
            "png-small" => Ok(Self::PngSmall),
            "webp-lossless" => Ok(Self::WebpLossless),
            _ => lossy("webp")
                .map(Self::Webp)
                .or_else(|| lossy("jpeg").map(Self::Jpeg))
                .ok_or_else(|| UnknownFormat(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let check = |name: &str, expected: Option<ImageFormat>| assert_eq!(name.parse().ok(), expected, "{name}");
        for format in [
            ImageFormat::Png,
            ImageFormat::PngSmall,
            ImageFormat::WebpLossless,
            ImageFormat::Webp(1),
            ImageFormat::Jpeg(100),
        ] {
            check(&format.to_string(), Some(format));
        }
        check("jpeg", Some(ImageFormat::Jpeg(ImageFormat::QUALITY)));
        check("webp", Some(ImageFormat::Webp(ImageFormat::QUALITY)));
        for name in ["", "jpg", "jpeg-", "jpeg-101", "webp80", "png-80"] {
            check(name, None);
        }
    }
}
