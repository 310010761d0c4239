//! Numbers of a picture that need no model. A scorer that does not beat them has learnt nothing.

use image::{GrayImage, RgbImage};

/// A number of a picture.
pub(super) struct Baseline {
    pub(super) name: &'static str,
    of: fn(&Shown<'_>) -> f64,
}

/// All of them.
pub(super) const BASELINES: &[Baseline] = &[
    Baseline { name: "bytes per pixel", of: |shown| shown.bytes as f64 / shown.pixels() },
    Baseline { name: "entropy", of: entropy },
    Baseline { name: "edge density", of: edge_density },
    Baseline { name: "blank share", of: blank_share },
    Baseline { name: "colours", of: colors },
];

/// What counts as an edge: neighbours that differ by so much of 255.
const EDGE_STEP: u8 = 24;
/// Bits of a channel that count when colours are told apart.
const COLOR_BITS: u32 = 4;

struct Shown<'a> {
    bytes: usize,
    rgb: &'a RgbImage,
    gray: &'a GrayImage,
}

impl Shown<'_> {
    fn pixels(&self) -> f64 {
        (f64::from(self.rgb.width()) * f64::from(self.rgb.height())).max(1.0)
    }
}

/// The numbers of an encoded picture; `None` where it is none.
pub(super) fn of(picture: &[u8]) -> Option<Vec<f64>> {
    let decoded = image::load_from_memory(picture).ok()?;
    let (rgb, gray) = (decoded.to_rgb8(), decoded.to_luma8());
    let shown = Shown { bytes: picture.len(), rgb: &rgb, gray: &gray };
    Some(BASELINES.iter().map(|baseline| (baseline.of)(&shown)).collect())
}

/// Shannon entropy of the levels of light, in bits.
fn entropy(shown: &Shown<'_>) -> f64 {
    let mut counts = [0_u64; 256];
    for pixel in shown.gray.iter() {
        counts[usize::from(*pixel)] += 1;
    }
    let shares = counts.iter().map(|&count| count as f64 / shown.pixels());
    shares.filter(|share| *share > 0.0).map(|share| -share * share.log2()).sum()
}

/// Share of pixels that differ from their right or lower neighbour.
fn edge_density(shown: &Shown<'_>) -> f64 {
    let gray = shown.gray;
    let (width, height) = gray.dimensions();
    let level = |x: u32, y: u32| gray.get_pixel(x, y).0[0];
    let is_edge = |x: u32, y: u32| {
        let here = level(x, y);
        (x + 1 < width && here.abs_diff(level(x + 1, y)) > EDGE_STEP)
            || (y + 1 < height && here.abs_diff(level(x, y + 1)) > EDGE_STEP)
    };
    let edges = (0..height).map(|y| (0..width).filter(|&x| is_edge(x, y)).count()).sum::<usize>();
    edges as f64 / shown.pixels()
}

/// Share of rows that are of one colour.
fn blank_share(shown: &Shown<'_>) -> f64 {
    let width = shown.rgb.width() as usize;
    let rows = shown.rgb.as_raw().chunks_exact((width * 3).max(1));
    let is_blank = |row: &&[u8]| row.as_chunks::<3>().0.windows(2).all(|pair| pair[0] == pair[1]);
    rows.filter(is_blank).count() as f64 / f64::from(shown.rgb.height().max(1))
}

/// Number of colours that a thousandth of the picture has, logarithm.
fn colors(shown: &Shown<'_>) -> f64 {
    let mut counts = vec![0_u32; 1 << (3 * COLOR_BITS)];
    let bits = |level: u8| usize::from(level >> (8 - COLOR_BITS));
    for [r, g, b] in shown.rgb.as_raw().as_chunks::<3>().0 {
        counts[(bits(*r) << (2 * COLOR_BITS)) | (bits(*g) << COLOR_BITS) | bits(*b)] += 1;
    }
    let least = shown.pixels() / 1000.0;
    (counts.iter().filter(|&&count| f64::from(count) >= least).count() as f64).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tells_a_plain_picture_from_a_busy_one() {
        let numbers = |pixel: fn(u32, u32) -> [u8; 3]| {
            let picture = RgbImage::from_fn(64, 32, |x, y| image::Rgb(pixel(x, y)));
            let mut png = std::io::Cursor::new(Vec::new());
            picture.write_to(&mut png, image::ImageFormat::Png).expect("writes to memory");
            of(png.get_ref()).expect("a picture")
        };
        let plain = numbers(|_, _| [250; 3]);
        let busy = numbers(|x, y| [(x % 4 * 80) as u8, (y % 4 * 80) as u8, (x / 16 * 60) as u8]);
        assert_eq!(plain[1..], [0.0, 0.0, 1.0, 2.0_f64.ln()]);
        assert!(
            busy[0] > plain[0] && busy[1] > 3.0 && busy[2] > 0.5 && busy[3] < 0.1 && busy[4] > plain[4],
            "{busy:?}"
        );
        assert_eq!(of(b"no picture"), None);
    }
}
