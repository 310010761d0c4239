//! The few colours that make up a picture, and how alike two such sets are.

use super::color::{Lab, ciede2000};
use super::picture::Picture;

/// A colour of a picture and its share of the area, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Swatch {
    /// The mean colour of the pixels that it stands for.
    pub rgb: [u8; 3],
    /// Share of the pixels.
    pub share: f64,
}

/// Colours that a palette holds at most.
const SWATCHES: usize = 12;
/// Bits of each channel that tell colours apart.
const BITS: u8 = 4;
/// Colours of less of the area are shades of text and edges.
const SHARE_MIN: f64 = 0.002;

/// The main colours, the greatest share first.
pub fn palette(picture: &Picture) -> Vec<Swatch> {
    let mut bins = vec![([0_u64; 3], 0_u64); 1 << (3 * BITS)];
    let mut count = |pixel: [u8; 3], times: u64| {
        let place = pixel.iter().fold(0, |place, value| (place << BITS) | usize::from(value >> (8 - BITS)));
        let bin = &mut bins[place];
        bin.1 += times;
        bin.0.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u64::from(value) * times);
    };
    // Most of a page is flat: a run of one colour is counted at once.
    let (mut last, mut times) = ([0; 3], 0);
    for pixel in picture.pixels() {
        if pixel == last {
            times += 1;
        } else {
            count(last, times);
            (last, times) = (pixel, 1);
        }
    }
    count(last, times);
    bins.retain(|bin| bin.1 > 0);
    let total: u64 = bins.iter().map(|bin| bin.1).sum();
    let swatch = |(sums, count): ([u64; 3], u64)| Swatch {
        rgb: sums.map(|sum| (sum / count) as u8),
        share: count as f64 / total as f64,
    };
    let mut swatches: Vec<Swatch> = bins.into_iter().map(swatch).filter(|s| s.share >= SHARE_MIN).collect();
    swatches.sort_by(|one, two| two.share.total_cmp(&one.share).then(one.rgb.cmp(&two.rgb)));
    swatches.truncate(SWATCHES);
    swatches
}

/// 1 less the mean CIEDE2000 (as part of 100) from each colour to the nearest of the other palette, weighted by the square
/// root of its share so that accents count, in both directions.
pub fn palette_similarity(a: &[Swatch], b: &[Swatch]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return if a.is_empty() && b.is_empty() { 1.0 } else { 0.0 };
    }
    let nearest = |swatch: &Swatch, others: &[Swatch]| {
        let distance = |other: &Swatch| ciede2000(Lab::from_rgb(swatch.rgb), Lab::from_rgb(other.rgb));
        others.iter().map(distance).fold(f64::INFINITY, f64::min)
    };
    let one_way = |from: &[Swatch], to: &[Swatch]| {
        let weights: f64 = from.iter().map(|swatch| swatch.share.sqrt()).sum();
        from.iter().map(|swatch| swatch.share.sqrt() * nearest(swatch, to)).sum::<f64>() / weights
    };
    (1.0 - f64::midpoint(one_way(a, b), one_way(b, a)) / 100.0).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_tone(left: [u8; 3], right: [u8; 3]) -> Vec<Swatch> {
        palette(&Picture::from_fn(100, 10, |x, _| if x < 75 { left } else { right }))
    }

    #[test]
    fn shares_and_order() {
        let found = two_tone([255; 3], [0, 0, 255]);
        assert_eq!(found[0], Swatch { rgb: [255; 3], share: 0.75 });
        assert_eq!(found[1], Swatch { rgb: [0, 0, 255], share: 0.25 });
    }

    #[test]
    fn alike_and_unlike() {
        let page = two_tone([255; 3], [0, 0, 255]);
        assert_eq!(palette_similarity(&page, &page), 1.0);
        let (near, far) = (two_tone([255; 3], [0, 30, 240]), two_tone([0; 3], [255, 0, 0]));
        assert!(palette_similarity(&page, &near) > 0.95);
        assert!(palette_similarity(&page, &far) < 0.6);
        assert_eq!(palette_similarity(&page, &far), palette_similarity(&far, &page));
    }
}
