//! Decoded pictures.

use std::borrow::Cow;
use std::io::Cursor;

use image::{RgbImage, imageops};

/// A picture could not be decoded.
#[derive(Debug, thiserror::Error)]
#[error("decode the picture")]
pub struct PictureError(#[from] image::ImageError);

/// A picture in 8-bit RGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture(RgbImage);

/// One plane of grey values, 0 to 255.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plane {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Vec<f32>,
}

impl Picture {
    /// Decodes a screenshot. Those are opaque; transparency is dropped.
    pub fn from_encoded(screenshot: &[u8]) -> Result<Self, PictureError> {
        Ok(Self(image::load_from_memory(screenshot)?.into_rgb8()))
    }

    /// Width and height of an encoded picture, read from its head.
    pub fn size_of(encoded: &[u8]) -> Result<(u32, u32), PictureError> {
        let reader = image::ImageReader::new(Cursor::new(encoded)).with_guessed_format();
        Ok(reader.map_err(image::ImageError::from)?.into_dimensions()?)
    }

    /// The picture as PNG.
    pub fn to_png(&self) -> Vec<u8> {
        let mut png = Cursor::new(Vec::new());
        // Memory takes every byte, and RGB is a form that PNG has.
        let _infallible = self.0.write_to(&mut png, image::ImageFormat::Png);
        png.into_inner()
    }

    /// A picture whose pixels are given by their place.
    pub fn from_fn(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Self {
        Self(RgbImage::from_fn(width, height, |x, y| image::Rgb(pixel(x, y))))
    }

    /// The picture of an `image` buffer.
    pub const fn from_rgb(picture: RgbImage) -> Self {
        Self(picture)
    }

    /// Width in px.
    pub fn width(&self) -> u32 {
        self.0.width()
    }

    /// Height in px.
    pub fn height(&self) -> u32 {
        self.0.height()
    }

    /// Red, green and blue at a place that is inside.
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        self.0.get_pixel(x, y).0
    }

    /// Share of the pixels that differ at all, of the canvas that holds both; what only one of them has differs.
    pub fn differing(&self, other: &Self) -> f64 {
        let (width, height) = (self.width().max(other.width()), self.height().max(other.height()));
        let (common_width, common_height) = (self.width().min(other.width()), self.height().min(other.height()));
        let common = u64::from(common_width) * u64::from(common_height);
        let columns = ..common_width as usize * 3;
        let in_row = |y: u32| {
            let (one, two) = (&self.row(y)[columns], &other.row(y)[columns]);
            if one == two {
                return 0;
            }
            one.as_chunks::<3>().0.iter().zip(two.as_chunks::<3>().0).filter(|(one, two)| one != two).count() as u64
        };
        let all = u64::from(width) * u64::from(height);
        let differing: u64 = (0..common_height).map(in_row).sum::<u64>() + (all - common);
        differing as f64 / (all as f64).max(1.0)
    }

    /// Share of the pixels of `part` that look other than what this picture shows from that place on: by more than 16 of 255 in
    /// some channel. `None` where it reaches out of the picture.
    pub fn unlike(&self, part: &Self, left: u32, top: u32) -> Option<f64> {
        /// Edges of curves come out in slightly other shades at other places.
        const CHANNEL_STEP: u8 = 16;
        let fits = |start: u32, size: u32, whole: u32| start.checked_add(size).is_some_and(|end| end <= whole);
        if !fits(left, part.width(), self.width()) || !fits(top, part.height(), self.height()) {
            return None;
        }
        let columns = left as usize * 3..(left + part.width()) as usize * 3;
        let is_unlike = |(a, b): &(&[u8; 3], &[u8; 3])| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > CHANNEL_STEP);
        let in_row = |y: u32| {
            let (shown, part) = (&self.row(top + y)[columns.clone()], part.row(y));
            shown.as_chunks().0.iter().zip(part.as_chunks().0).filter(is_unlike).count()
        };
        let unlike: usize = (0..part.height()).map(in_row).sum();
        Some(unlike as f64 / (f64::from(part.width()) * f64::from(part.height())).max(1.0))
    }

    pub(crate) fn pixels(&self) -> impl Iterator<Item = [u8; 3]> + '_ {
        self.0.pixels().map(|pixel| pixel.0)
    }

    pub(crate) fn row(&self, y: u32) -> &[u8] {
        let bytes = self.0.width() as usize * 3;
        &self.0.as_raw()[y as usize * bytes..(y as usize + 1) * bytes]
    }

    /// Both pictures on canvases of one size, white where a picture has nothing: pages of different heights are compared
    /// from their top.
    pub fn on_one_canvas<'a>(a: &'a Self, b: &'a Self) -> (Cow<'a, Self>, Cow<'a, Self>) {
        let (width, height) = (a.width().max(b.width()), a.height().max(b.height()));
        (a.on_canvas(width, height), b.on_canvas(width, height))
    }

    fn on_canvas(&self, width: u32, height: u32) -> Cow<'_, Self> {
        if (self.width(), self.height()) == (width, height) {
            return Cow::Borrowed(self);
        }
        let mut canvas = RgbImage::from_pixel(width, height, image::Rgb([255; 3]));
        imageops::replace(&mut canvas, &self.0, 0, 0);
        Cow::Owned(Self(canvas))
    }

    /// Luma by ITU-R BT.601, as `PIL` and `scikit-image` make grey pictures of 8-bit ones.
    pub(crate) fn luma(&self) -> Plane {
        let luma = |[r, g, b]: [u8; 3]| 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b);
        self.plane(luma)
    }

    /// One of the three channels.
    pub(crate) fn channel(&self, channel: usize) -> Plane {
        self.plane(|pixel| f32::from(pixel[channel]))
    }

    fn plane(&self, value: impl Fn([u8; 3]) -> f32) -> Plane {
        Plane {
            width: self.width() as usize,
            height: self.height() as usize,
            values: self.pixels().map(value).collect(),
        }
    }
}

impl Plane {
    /// Half the size: each value is the mean of two by two; an odd last row or column is left out.
    pub(crate) fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let at = |x: usize, y: usize| self.values[y * self.width + x];
        let mean = |x: usize, y: usize| (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) / 4.0;
        let values = (0..height).flat_map(|y| (0..width).map(move |x| (2 * x, 2 * y))).map(|(x, y)| mean(x, y));
        Self { width, height, values: values.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_like_the_place_where_it_was_cut_out() {
        let shade = |x: u32, y: u32| [x as u8 * 10, y as u8 * 20, 7];
        let page = Picture::from_fn(20, 10, shade);
        let part = Picture::from_fn(5, 4, |x, y| shade(x + 3, y + 2));
        let check = |left: u32, top: u32, expected: Option<f64>| {
            assert_eq!(page.unlike(&part, left, top), expected, "{left} {top}");
        };
        check(3, 2, Some(0.0));
        // A shade beside is near enough, two are not.
        check(4, 2, Some(0.0));
        check(5, 2, Some(1.0));
        check(3, 3, Some(1.0));
        check(16, 2, None);
        check(3, 7, None);
        check(u32::MAX, 2, None);
    }
}
