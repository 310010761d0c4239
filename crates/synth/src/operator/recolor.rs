//! Every colour that the style sheet names, turned into another.

use crate::edit::{Change, Page};

/// Changes that put `to` of each colour in its place. Colours are found in the forms `#rgb`, `#rrggbb` and `rgb(…)`; named ones
/// stay, as do pictures.
pub(super) fn recolor(page: &Page<'_>, to: impl Fn([u8; 3]) -> [u8; 3]) -> Vec<Change> {
    let mut changes = Vec::new();
    for rule in page.rules() {
        let text = &page.html()[rule.block.clone()];
        let mut at = 0;
        while let Some(found) = text[at..].find(['#', 'r', 'u']).map(|found| at + found) {
            at = found + 1;
            if text[found..].starts_with("url(") {
                at = found + text[found..].find(')').unwrap_or(text.len() - found);
                continue;
            }
            let Some(length) = color_length(&text[found..]) else { continue };
            if let Some((rgb, alpha)) = crate::metric::css_color(&text[found..found + length]) {
                let range = rule.block.start + found..rule.block.start + found + length;
                let [r, g, b] = to(rgb);
                let new = if alpha < 1.0 {
                    format!("rgba({r}, {g}, {b}, {alpha})")
                } else {
                    format!("#{r:02x}{g:02x}{b:02x}")
                };
                if page.html()[range.clone()] != new {
                    changes.push(Change::replace(range, new));
                }
            }
            at = found + length;
        }
    }
    changes
}

/// Length of the colour that a text begins with.
fn color_length(text: &str) -> Option<usize> {
    if let Some(digits) = text.strip_prefix('#') {
        let length = digits.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(digits.len());
        return matches!(length, 3 | 6).then_some(length + 1);
    }
    (text.starts_with("rgb(") || text.starts_with("rgba(")).then(|| text.find(')').map(|end| end + 1))?
}

/// Another hue, by degrees; lightness and saturation (as HSL has them) stay.
pub(super) fn turned(rgb: [u8; 3], degrees: f64) -> [u8; 3] {
    let (h, s, l) = hsl(rgb);
    from_hsl((h + degrees).rem_euclid(360.0), s, l)
}

/// Light becomes dark and dark light, a little less so at the ends; hue and saturation stay.
pub(super) fn inverted(rgb: [u8; 3]) -> [u8; 3] {
    let (h, s, l) = hsl(rgb);
    from_hsl(h, s * 0.85, 0.94 - 0.86 * l)
}

fn hsl(rgb: [u8; 3]) -> (f64, f64, f64) {
    let [red, green, blue] = rgb.map(|value| f64::from(value) / 255.0);
    let (high, low) = (red.max(green).max(blue), red.min(green).min(blue));
    let (lightness, span) = (f64::midpoint(high, low), high - low);
    if span == 0.0 {
        return (0.0, 0.0, lightness);
    }
    let saturation = span / (1.0 - (2.0 * lightness - 1.0).abs());
    let sector = if high == red {
        (green - blue) / span
    } else if high == green {
        (blue - red) / span + 2.0
    } else {
        (red - green) / span + 4.0
    };
    ((sector * 60.0).rem_euclid(360.0), saturation, lightness)
}

fn from_hsl(h: f64, s: f64, l: f64) -> [u8; 3] {
    let chroma = (1.0 - (2.0 * l - 1.0).abs()) * s;
    let second = chroma * (1.0 - ((h / 60.0).rem_euclid(2.0) - 1.0).abs());
    let base = l - chroma / 2.0;
    let rgb = match (h / 60.0) as u32 {
        0 => [chroma, second, 0.0],
        1 => [second, chroma, 0.0],
        2 => [0.0, chroma, second],
        3 => [0.0, second, chroma],
        4 => [second, 0.0, chroma],
        _ => [chroma, 0.0, second],
    };
    rgb.map(|value| ((value + base) * 255.0).round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues_turn_and_greys_stay() {
        assert_eq!(turned([255, 0, 0], 120.0), [0, 255, 0]);
        assert_eq!(turned([255, 0, 0], 240.0), [0, 0, 255]);
        assert_eq!(turned([90, 90, 90], 120.0), [90, 90, 90]);
        for rgb in [[1, 2, 3], [200, 100, 7], [255; 3], [0; 3]] {
            assert_eq!(turned(rgb, 0.0), rgb);
        }
        assert!(inverted([255; 3])[0] < 30 && inverted([0; 3])[0] > 230);
    }

    #[test]
    fn lengths_of_colours() {
        for (text, expected) in
            [("#fff;", Some(4)), ("#a1b2c3 x", Some(7)), ("#abcd", None), ("rgb(1, 2, 3)}", Some(12)), ("red", None)]
        {
            assert_eq!(color_length(text), expected, "{text}");
        }
    }
}
