//! Structural similarity.
//!
//! Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity", 2004, and
//! Wang, Simoncelli, Bovik, "Multiscale structural similarity for image quality assessment", 2003. Gaussian window of
//! 11 x 11, sigma 1.5, K1 = 0.01, K2 = 0.03, L = 255, the border of 5 px left out, population covariance: what
//! `skimage.metrics.structural_similarity` gives with `gaussian_weights=True, use_sample_covariance=False`.

use super::picture::{Picture, Plane};

/// Half the window.
const RADIUS: usize = 5;
const WINDOW: usize = 2 * RADIUS + 1;
const SIGMA: f64 = 1.5;
const C1: f32 = (0.01 * 255.0) * (0.01 * 255.0);
const C2: f32 = (0.03 * 255.0) * (0.03 * 255.0);

/// Weights of the five scales, from the finest, as published.
const SCALES: [f64; 5] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/// Mean SSIM of the three channels, -1 to 1. `None` where the pictures differ in size or are smaller than the window.
pub fn ssim(a: &Picture, b: &Picture) -> Option<f64> {
    let channels = (0..3).map(|channel| Some(compare(&a.channel(channel), &b.channel(channel))?.ssim));
    channels.sum::<Option<f64>>().map(|sum| sum / 3.0)
}

/// SSIM of the luma, -1 to 1: a third of the work of [`ssim`].
pub fn ssim_gray(a: &Picture, b: &Picture) -> Option<f64> {
    Some(compare(&a.luma(), &b.luma())?.ssim)
}

/// SSIM of the luma of both pictures at half their size: a tenth of the work of [`ssim`], and less strict about single pixels.
pub fn ssim_half(a: &Picture, b: &Picture) -> Option<f64> {
    Some(compare(&a.luma().halved(), &b.luma().halved())?.ssim)
}

/// Multi-scale SSIM of the luma over five scales, 0 to 1. `None` where the pictures differ in size or the coarsest scale is
/// smaller than the window (176 px).
pub fn ms_ssim(a: &Picture, b: &Picture) -> Option<f64> {
    let (mut a, mut b) = (a.luma(), b.luma());
    let mut product = 1.0;
    for (scale, weight) in SCALES.iter().enumerate() {
        let found = compare(&a, &b)?;
        let last = scale + 1 == SCALES.len();
        product *= if last { found.ssim } else { found.contrast }.max(0.0).powf(*weight);
        (a, b) = (a.halved(), b.halved());
    }
    Some(product)
}

/// Share of the picture's blocks of 16 x 16 px that hold more than one flat colour: how much of a page is content. Blank
/// pages resemble each other, and half-empty ones nearly so, whatever little they show.
pub fn content_coverage(picture: &Picture) -> f64 {
    const BLOCK: u32 = 16;
    /// Channels may differ by this much inside a flat block: gradients are no content.
    const FLAT: u8 = 24;
    let (columns, rows) = (picture.width().div_ceil(BLOCK), picture.height().div_ceil(BLOCK));
    let is_content = |column: u32, row: u32| {
        let (mut low, mut high) = ([255; 3], [0; 3]);
        for y in row * BLOCK..((row + 1) * BLOCK).min(picture.height()) {
            for x in column * BLOCK..((column + 1) * BLOCK).min(picture.width()) {
                for (channel, value) in picture.pixel(x, y).into_iter().enumerate() {
                    low[channel] = value.min(low[channel]);
                    high[channel] = value.max(high[channel]);
                }
            }
        }
        (0..3).any(|channel| high[channel] - low[channel] > FLAT)
    };
    let content = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    let content = content.filter(|&(column, row)| is_content(column, row)).count();
    content as f64 / f64::from((columns * rows).max(1))
}

/// SSIM of the luma, times the ratio of the lesser content coverage to the greater: a blank page against a full one is
/// near 0, where plain SSIM says 0.7 and more.
pub fn gated_ssim(a: &Picture, b: &Picture) -> Option<f64> {
    let (of_a, of_b) = (content_coverage(a), content_coverage(b));
    let (less, more) = (of_a.min(of_b), of_a.max(of_b));
    let gate = if more == 0.0 { 1.0 } else { less / more };
    Some(ssim_gray(a, b)?.max(0.0) * gate)
}

struct Found {
    ssim: f64,
    /// Contrast and structure without luminance.
    contrast: f64,
}

fn compare(a: &Plane, b: &Plane) -> Option<Found> {
    let (width, height) = (a.width, a.height);
    if (width, height) != (b.width, b.height) || width < WINDOW || height < WINDOW {
        return None;
    }
    let product = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).collect::<Vec<_>>();
    let blur = |values: &[f32]| blurred(values, width, height);
    let (mean_a, mean_b) = (blur(&a.values), blur(&b.values));
    let square_a = blur(&product(&a.values, &a.values));
    let square_b = blur(&product(&b.values, &b.values));
    let cross = blur(&product(&a.values, &b.values));
    let (mut ssim, mut contrast) = (0.0, 0.0);
    for index in 0..mean_a.len() {
        let (ma, mb) = (mean_a[index], mean_b[index]);
        let (va, vb, vab) = (square_a[index] - ma * ma, square_b[index] - mb * mb, cross[index] - ma * mb);
        let cs = (2.0 * vab + C2) / (va + vb + C2);
        let luminance = (2.0 * ma * mb + C1) / (ma * ma + mb * mb + C1);
        ssim += f64::from(cs * luminance);
        contrast += f64::from(cs);
    }
    let count = mean_a.len() as f64;
    Some(Found { ssim: ssim / count, contrast: contrast / count })
}

fn weights() -> [f32; WINDOW] {
    let raw: [f64; WINDOW] = std::array::from_fn(|index| {
        let distance = index as f64 - RADIUS as f64;
        (-distance * distance / (2.0 * SIGMA * SIGMA)).exp()
    });
    let sum: f64 = raw.iter().sum();
    raw.map(|weight| (weight / sum) as f32)
}

/// Gaussian blur, only where the whole window is inside: the result is smaller by twice the radius.
fn blurred(values: &[f32], width: usize, height: usize) -> Vec<f32> {
    let weights = weights();
    let inner = width - 2 * RADIUS;
    let mut rows = Vec::with_capacity(inner * height);
    for row in values.chunks_exact(width) {
        rows.extend(row.windows(WINDOW).map(|window| window.iter().zip(&weights).map(|(v, w)| v * w).sum::<f32>()));
    }
    let mut blurred = vec![0.0; inner * (height - 2 * RADIUS)];
    for (y, out) in blurred.chunks_exact_mut(inner).enumerate() {
        for (weight, row) in weights.iter().zip(rows[y * inner..].chunks_exact(inner)) {
            out.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
        }
    }
    blurred
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u32, amount: u32) -> Picture {
        Picture::from_fn(200, 190, |x, y| {
            let base = (x * 3 + y * 2) % 200;
            let hash = (x.wrapping_mul(73_856_093) ^ y.wrapping_mul(19_349_663) ^ seed.wrapping_mul(83_492_791)) >> 7;
            let value = base + hash % amount.max(1);
            [value as u8, (255 - value) as u8, (value / 2) as u8]
        })
    }

    #[test]
    fn the_same_is_one_and_sizes_must_fit() {
        let picture = noise(1, 40);
        for metric in [ssim, ssim_gray, ssim_half, ms_ssim, gated_ssim] {
            let same = metric(&picture, &picture).expect("large enough");
            assert!((same - 1.0).abs() < 1e-6, "{same}");
        }
        let small = Picture::from_fn(10, 10, |_, _| [0; 3]);
        assert_eq!(ssim(&small, &small), None);
        assert_eq!(ssim(&picture, &small), None);
        let middle = Picture::from_fn(100, 100, |_, _| [0; 3]);
        assert_eq!(ms_ssim(&middle, &middle), None);
    }

    /// Values of scikit-image 0.26 (`ssim`, `ssim_gray`) and of the published five-scale formula on top of it (`ms_ssim`,
    /// two-by-two means between the scales).
    #[test]
    fn agrees_with_the_reference() {
        for (amount, channels, gray, scales) in REFERENCE {
            let (a, b) = (noise(1, 1), noise(7, amount));
            let check = |name: &str, found: Option<f64>, expected: f64| {
                let found = found.expect("large enough");
                assert!((found - expected).abs() < 1e-3, "{name} at {amount}: {found}, the reference is {expected}");
            };
            check("ssim", ssim(&a, &b), channels);
            check("ssim_gray", ssim_gray(&a, &b), gray);
            check("ms_ssim", ms_ssim(&a, &b), scales);
        }
    }

    const REFERENCE: [(u32, f64, f64, f64); 4] = [
        (8, 0.969_386, 0.996_068, 0.999_334),
        (20, 0.839_650, 0.975_756, 0.997_298),
        (40, 0.589_564, 0.910_122, 0.988_987),
        (55, 0.450_374, 0.844_222, 0.980_869),
    ];

    #[test]
    fn a_blank_page_is_not_like_a_full_one() {
        let blank = Picture::from_fn(200, 190, |_, _| [255; 3]);
        let few = Picture::from_fn(200, 190, |x, y| if x < 40 && y < 20 && x % 4 < 2 { [0; 3] } else { [255; 3] });
        assert_eq!(content_coverage(&blank), 0.0);
        assert!(ssim_gray(&blank, &few).expect("sizes fit") > 0.7);
        assert_eq!(gated_ssim(&blank, &few), Some(0.0));
        assert_eq!(gated_ssim(&blank, &blank), Some(1.0));
    }
}
