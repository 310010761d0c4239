//! A canvas with soft-edged shapes, enough to draw pictures that look like photographs from afar.
//!
//! Only additions, multiplications, divisions, roots and floors are used: their results are the same on every
//! machine, which sines and powers do not promise.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use std::ops::Range;

/// Quality of drawn photographs: grain and gradients still look right, and the sample stays small.
pub const JPEG_QUALITY: u8 = 72;

/// Shapes are painted in tiles of this many pixels, so that a small shape costs little on a large canvas.
const TILE: u32 = 8;
/// How much a distance may change over a unit of length: 1 for true distances, more for ridges made of noise.
const STEEPEST: f32 = 4.0;

/// Red, green and blue, 0 to 1.
pub type Colour = [f32; 3];

/// A colour from its hexadecimal number.
pub const fn rgb(hex: u32) -> Colour {
    [((hex >> 16) & 255) as f32 / 255.0, ((hex >> 8) & 255) as f32 / 255.0, (hex & 255) as f32 / 255.0]
}

/// Between two colours (or beyond, which is clamped when encoded).
pub fn mix(from: Colour, to: Colour, share: f32) -> Colour {
    [0, 1, 2].map(|i| from[i] + (to[i] - from[i]) * share)
}

/// Smoothly from 0 to 1 while `x` goes from `low` to `high`.
pub fn smooth(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Pixels in the making.
#[derive(Debug, Clone)]
pub struct Canvas {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    pixels: Vec<Colour>,
}

impl Canvas {
    /// A canvas of one colour.
    pub fn new(width: u32, height: u32, colour: Colour) -> Self {
        Self { width, height, pixels: vec![colour; (width * height) as usize] }
    }

    /// Calls `change` for each pixel with its place in units of the height (x may exceed 1) and its colour.
    pub fn each(&mut self, change: impl FnMut(f32, f32, Colour) -> Colour) {
        self.each_in(0..self.width, 0..self.height, change);
    }

    /// The same for the pixels within these bounds.
    pub fn within(&mut self, xs: Range<f32>, ys: Range<f32>, change: impl FnMut(f32, f32, Colour) -> Colour) {
        let pixels = |bounds: Range<f32>, end: u32| {
            let scale = self.height as f32;
            ((bounds.start * scale).max(0.0) as u32).min(end)..((bounds.end * scale).max(0.0) as u32 + 1).min(end)
        };
        let (columns, rows) = (pixels(xs, self.width), pixels(ys, self.height));
        self.each_in(columns, rows, change);
    }

    /// The same for some columns and rows.
    fn each_in(&mut self, xs: Range<u32>, ys: Range<u32>, mut change: impl FnMut(f32, f32, Colour) -> Colour) {
        let scale = 1.0 / self.height as f32;
        for y in ys {
            for x in xs.clone() {
                let at = (y * self.width + x) as usize;
                self.pixels[at] = change((x as f32 + 0.5) * scale, (y as f32 + 0.5) * scale, self.pixels[at]);
            }
        }
    }

    /// Paints a shape: `distance` to its edge, negative inside. Edges are one pixel soft.
    pub fn shape(&mut self, colour: Colour, distance: impl Fn(f32, f32) -> f32) {
        self.soft(colour, 1.0, 0.0, distance);
    }

    /// Paints a shape with this opacity and an edge that is `blur` wide.
    pub fn soft(&mut self, colour: Colour, opacity: f32, blur: f32, distance: impl Fn(f32, f32) -> f32) {
        let scale = 1.0 / self.height as f32;
        let edge = blur.max(0.5 * scale);
        let out_of_reach = edge + STEEPEST * TILE as f32 * 0.71 * scale;
        for top in (0..self.height).step_by(TILE as usize) {
            for left in (0..self.width).step_by(TILE as usize) {
                let middle = |from: u32| (from as f32 + TILE as f32 / 2.0) * scale;
                if distance(middle(left), middle(top)) > out_of_reach {
                    continue;
                }
                let (right, bottom) = ((left + TILE).min(self.width), (top + TILE).min(self.height));
                self.each_in(left..right, top..bottom, |x, y, below| {
                    mix(below, colour, opacity * (1.0 - smooth(-edge, edge, distance(x, y))))
                });
            }
        }
    }

    /// From `top` down to `bottom` between two heights; above and below stays as it is.
    pub fn gradient(&mut self, from_y: f32, to_y: f32, top: Colour, bottom: Colour) {
        self.each(
            |_, y, below| {
                if y < from_y || y > to_y { below } else { mix(top, bottom, (y - from_y) / (to_y - from_y)) }
            },
        );
    }

    /// What a lens does: darker corners, and a little grain.
    pub fn photograph(&mut self, vignette: f32, grain: f32) {
        let half = self.width as f32 / self.height as f32 / 2.0;
        let mut state = 0x2545_f491_u32;
        self.each(|x, y, colour| {
            let (dx, dy) = ((x - half) / half, (y - 0.5) * 2.0);
            let shade = 1.0 - vignette * (dx * dx + dy * dy) * 0.5;
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let noise = ((state >> 8) as f32 / (1 << 24) as f32 - 0.5) * grain;
            colour.map(|channel| channel * shade + noise)
        });
    }

    /// As a PNG file.
    pub fn png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        PngEncoder::new_with_quality(&mut file, CompressionType::Best, FilterType::Adaptive)
            .write_image(&self.bytes(), self.width, self.height, ExtendedColorType::Rgb8)
            .expect("a canvas has as many pixels as it says");
        file
    }

    /// As a JPEG file.
    pub fn jpeg(&self, quality: u8) -> Vec<u8> {
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, quality)
            .write_image(&self.bytes(), self.width, self.height, ExtendedColorType::Rgb8)
            .expect("a canvas has as many pixels as it says");
        file
    }

    fn bytes(&self) -> Vec<u8> {
        self.pixels.iter().flatten().map(|channel| (channel.clamp(0.0, 1.0) * 255.0 + 0.5) as u8).collect()
    }
}

/// Distance to a circle.
pub fn circle(cx: f32, cy: f32, radius: f32) -> impl Fn(f32, f32) -> f32 {
    ellipse(cx, cy, radius, radius)
}

/// Distance to an ellipse, near enough.
pub fn ellipse(cx: f32, cy: f32, rx: f32, ry: f32) -> impl Fn(f32, f32) -> f32 {
    move |x, y| {
        let (dx, dy) = ((x - cx) / rx, (y - cy) / ry);
        ((dx * dx + dy * dy).sqrt() - 1.0) * rx.min(ry)
    }
}

/// Distance to a box with round corners, given by its middle and its half sizes.
pub fn block(cx: f32, cy: f32, half_w: f32, half_h: f32, corner: f32) -> impl Fn(f32, f32) -> f32 {
    move |x, y| {
        let (dx, dy) = ((x - cx).abs() - half_w + corner, (y - cy).abs() - half_h + corner);
        let (ox, oy) = (dx.max(0.0), dy.max(0.0));
        (ox * ox + oy * oy).sqrt() + dx.max(dy).min(0.0) - corner
    }
}

/// Distance to a box whose half width goes from `top` to `bottom`.
pub fn taper(cx: f32, from_y: f32, to_y: f32, top: f32, bottom: f32) -> impl Fn(f32, f32) -> f32 {
    move |x, y| {
        let half = top + (bottom - top) * ((y - from_y) / (to_y - from_y)).clamp(0.0, 1.0);
        ((x - cx).abs() - half).max((from_y - y).max(y - to_y))
    }
}

/// Smooth noise of one dimension, 0 to 1.
pub fn noise(x: f32, seed: u32) -> f32 {
    let cell = x.floor();
    smooth_mix(lattice(cell as i32, 0, seed), lattice(cell as i32 + 1, 0, seed), x - cell)
}

/// Smooth noise of two dimensions, 0 to 1.
pub fn noise2(x: f32, y: f32, seed: u32) -> f32 {
    let (cx, cy) = (x.floor(), y.floor());
    let row = |iy: i32| smooth_mix(lattice(cx as i32, iy, seed), lattice(cx as i32 + 1, iy, seed), x - cx);
    smooth_mix(row(cy as i32), row(cy as i32 + 1), y - cy)
}

fn smooth_mix(from: f32, to: f32, t: f32) -> f32 {
    from + (to - from) * smooth(0.0, 1.0, t)
}

fn lattice(x: i32, y: i32, seed: u32) -> f32 {
    let mut h =
        (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77) ^ seed.wrapping_mul(0xc2b2_ae3d);
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    ((h ^ (h >> 15)) >> 8) as f32 / (1 << 24) as f32
}
