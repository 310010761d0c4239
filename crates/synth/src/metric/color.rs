//! Colours: CSS text to values, sRGB to CIE L*a*b*, and how different two of them look.

/// A colour in CIE L*a*b*, D65 white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lab {
    /// Lightness, 0 to 100.
    pub l: f64,
    /// Green to red.
    pub a: f64,
    /// Blue to yellow.
    pub b: f64,
}

impl Lab {
    /// From 8-bit sRGB (IEC 61966-2-1).
    pub fn from_rgb(rgb: [u8; 3]) -> Self {
        let linear = rgb.map(|value| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        let [red, green, blue] = linear;
        let x = (0.412_453 * red + 0.357_580 * green + 0.180_423 * blue) / 0.950_47;
        let y = 0.212_671 * red + 0.715_160 * green + 0.072_169 * blue;
        let z = (0.019_334 * red + 0.119_193 * green + 0.950_227 * blue) / 1.088_83;
        let [x, y, z] =
            [x, y, z].map(|ratio: f64| if ratio > 0.008_856 { ratio.cbrt() } else { 7.787 * ratio + 16.0 / 116.0 });
        Self { l: 116.0 * y - 16.0, a: 500.0 * (x - y), b: 200.0 * (y - z) }
    }
}

/// The colour difference CIEDE2000; 1 is just noticeable, black to white is 100.
///
/// Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary test data, and
/// mathematical observations", 2005.
pub fn ciede2000(one: Lab, two: Lab) -> f64 {
    const POW_25_7: f64 = 6_103_515_625.0;
    let chroma = |lab: Lab| lab.a.hypot(lab.b);
    let mean_chroma = f64::midpoint(chroma(one), chroma(two));
    let compensation = |chroma: f64| (chroma.powi(7) / (chroma.powi(7) + POW_25_7)).sqrt();
    let gray = 0.5 * (1.0 - compensation(mean_chroma));
    let prime = |lab: Lab| {
        let a = lab.a * (1.0 + gray);
        let hue = lab.b.atan2(a).to_degrees();
        (a.hypot(lab.b), if a == 0.0 && lab.b == 0.0 { 0.0 } else { hue.rem_euclid(360.0) })
    };
    let ((c1, h1), (c2, h2)) = (prime(one), prime(two));
    let (dl, dc) = (two.l - one.l, c2 - c1);
    let is_gray = c1 * c2 == 0.0;
    let turn = if is_gray {
        0.0
    } else {
        match h2 - h1 {
            far if far > 180.0 => far - 360.0,
            far if far < -180.0 => far + 360.0,
            near => near,
        }
    };
    let dh = 2.0 * (c1 * c2).sqrt() * (turn / 2.0).to_radians().sin();
    let (l, c) = (f64::midpoint(one.l, two.l), f64::midpoint(c1, c2));
    let h = if is_gray {
        h1 + h2
    } else if (h1 - h2).abs() <= 180.0 {
        f64::midpoint(h1, h2)
    } else if h1 + h2 < 360.0 {
        (h1 + h2 + 360.0) / 2.0
    } else {
        (h1 + h2 - 360.0) / 2.0
    };
    let cos = |degrees: f64| degrees.to_radians().cos();
    let hue_weight =
        1.0 - 0.17 * cos(h - 30.0) + 0.24 * cos(2.0 * h) + 0.32 * cos(3.0 * h + 6.0) - 0.20 * cos(4.0 * h - 63.0);
    let rotation = 30.0 * (-((h - 275.0) / 25.0).powi(2)).exp();
    let from_50 = (l - 50.0).powi(2);
    let (sl, sc, sh) = (1.0 + 0.015 * from_50 / (20.0 + from_50).sqrt(), 1.0 + 0.045 * c, 1.0 + 0.015 * c * hue_weight);
    let rt = -(2.0 * rotation).to_radians().sin() * 2.0 * compensation(c);
    let (l, c, h) = (dl / sl, dc / sc, dh / sh);
    (l * l + c * c + h * h + rt * c * h).sqrt()
}

/// Red, green, blue and opacity (0 to 1) of a colour as browsers compute it: `rgb(…)`, `rgba(…)`, `#rgb`, `#rrggbb`.
pub fn css_color(text: &str) -> Option<([u8; 3], f64)> {
    let text = text.trim();
    if let Some(hex) = text.strip_prefix('#') {
        let digit = |index: usize| hex.get(index..=index).and_then(|digit| u8::from_str_radix(digit, 16).ok());
        let pair = |index: usize| hex.get(index..index + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        return match hex.len() {
            3 => Some(([digit(0)? * 17, digit(1)? * 17, digit(2)? * 17], 1.0)),
            6 => Some(([pair(0)?, pair(2)?, pair(4)?], 1.0)),
            _ => None,
        };
    }
    let inner = text.strip_prefix("rgba(").or_else(|| text.strip_prefix("rgb("))?.strip_suffix(')')?;
    let mut numbers = inner.split([',', ' ', '/']).filter(|part| !part.is_empty()).map(str::parse::<f64>);
    let mut next = || numbers.next()?.ok();
    let rgb = [next()?, next()?, next()?].map(|value| value.round().clamp(0.0, 255.0) as u8);
    Some((rgb, next().unwrap_or(1.0)))
}

/// Contrast ratio of WCAG 2, 1 to 21.
pub fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let luminance = |rgb: [u8; 3]| {
        let [r, g, b] = rgb.map(|value| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test data published with the formula.
    #[test]
    fn agrees_with_the_published_pairs() {
        for ([l1, a1, b1], [l2, a2, b2], expected) in SHARMA {
            let (one, two) = (Lab { l: l1, a: a1, b: b1 }, Lab { l: l2, a: a2, b: b2 });
            for found in [ciede2000(one, two), ciede2000(two, one)] {
                assert!((found - expected).abs() < 1e-4, "{one:?} {two:?}: {found}, published is {expected}");
            }
        }
    }

    const SHARMA: [([f64; 3], [f64; 3], f64); 34] = [
        ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
        ([50.0, 3.1571, -77.2803], [50.0, 0.0, -82.7485], 2.8615),
        ([50.0, 2.8361, -74.0200], [50.0, 0.0, -82.7485], 3.4412),
        ([50.0, -1.3802, -84.2814], [50.0, 0.0, -82.7485], 1.0000),
        ([50.0, -1.1848, -84.8006], [50.0, 0.0, -82.7485], 1.0000),
        ([50.0, -0.9009, -85.5211], [50.0, 0.0, -82.7485], 1.0000),
        ([50.0, 0.0, 0.0], [50.0, -1.0, 2.0], 2.3669),
        ([50.0, -1.0, 2.0], [50.0, 0.0, 0.0], 2.3669),
        ([50.0, 2.4900, -0.0010], [50.0, -2.4900, 0.0009], 7.1792),
        ([50.0, 2.4900, -0.0010], [50.0, -2.4900, 0.0010], 7.1792),
        ([50.0, 2.4900, -0.0010], [50.0, -2.4900, 0.0011], 7.2195),
        ([50.0, 2.4900, -0.0010], [50.0, -2.4900, 0.0012], 7.2195),
        ([50.0, -0.0010, 2.4900], [50.0, 0.0009, -2.4900], 4.8045),
        ([50.0, -0.0010, 2.4900], [50.0, 0.0010, -2.4900], 4.8045),
        ([50.0, -0.0010, 2.4900], [50.0, 0.0011, -2.4900], 4.7461),
        ([50.0, 2.5000, 0.0], [50.0, 0.0, -2.5000], 4.3065),
        ([50.0, 2.5000, 0.0], [73.0, 25.0, -18.0], 27.1492),
        ([50.0, 2.5000, 0.0], [61.0, -5.0, 29.0], 22.8977),
        ([50.0, 2.5000, 0.0], [56.0, -27.0, -3.0], 31.9030),
        ([50.0, 2.5000, 0.0], [58.0, 24.0, 15.0], 19.4535),
        ([50.0, 2.5000, 0.0], [50.0, 3.1736, 0.5854], 1.0000),
        ([50.0, 2.5000, 0.0], [50.0, 3.2972, 0.0], 1.0000),
        ([50.0, 2.5000, 0.0], [50.0, 1.8634, 0.5757], 1.0000),
        ([50.0, 2.5000, 0.0], [50.0, 3.2592, 0.3350], 1.0000),
        ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
        ([63.0109, -31.0961, -5.8663], [62.8187, -29.7946, -4.0864], 1.2630),
        ([61.2901, 3.7196, -5.3901], [61.4292, 2.2480, -4.9620], 1.8731),
        ([35.0831, -44.1164, 3.7933], [35.0232, -40.0716, 1.5901], 1.8645),
        ([22.7233, 20.0904, -46.6940], [23.0331, 14.9730, -42.5619], 2.0373),
        ([36.4612, 47.8580, 18.3852], [36.2715, 50.5065, 21.2231], 1.4146),
        ([90.8027, -2.0831, 1.4410], [91.1528, -1.6435, 0.0447], 1.4441),
        ([90.9257, -0.5406, -0.9208], [88.6381, -0.8985, -0.7239], 1.5381),
        ([6.7747, -0.2908, -2.4247], [5.8714, -0.0985, -2.2286], 0.6377),
        ([2.0776, 0.0795, -1.1350], [0.9033, -0.0636, -0.5514], 0.9082),
    ];

    #[test]
    fn srgb_to_lab() {
        for (rgb, expected) in [
            ([255, 255, 255], [100.0, 0.0, 0.0]),
            ([0, 0, 0], [0.0, 0.0, 0.0]),
            ([255, 0, 0], [53.24, 80.09, 67.20]),
            ([0, 0, 255], [32.30, 79.19, -107.86]),
        ] {
            let Lab { l, a, b } = Lab::from_rgb(rgb);
            for (found, expected) in [l, a, b].into_iter().zip(expected) {
                assert!((found - expected).abs() < 0.02, "{rgb:?}: {l} {a} {b}");
            }
        }
    }

    #[test]
    fn colours_as_browsers_write_them() {
        for (text, expected) in [
            ("rgb(1, 2, 3)", Some(([1, 2, 3], 1.0))),
            ("rgba(1, 2, 3, 0.5)", Some(([1, 2, 3], 0.5))),
            ("#fff", Some(([255; 3], 1.0))),
            ("#1a73e8", Some(([0x1a, 0x73, 0xe8], 1.0))),
            ("#ffff", None),
            ("red", None),
            ("", None),
        ] {
            assert_eq!(css_color(text), expected, "{text}");
        }
    }
}
