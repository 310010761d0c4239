//! Which pixels changed.

use item::Rect;

use super::picture::Picture;

/// A channel that changes by no more looks the same.
const CHANNEL_STEP: u8 = 16;

/// What changed between two pictures on one canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Share of the canvas that changed visibly (some channel by more than 16 of 255), 0 to 1.
    pub share: f64,
    /// Pixels that changed at all.
    pub any: u64,
    /// The smallest box around what changed visibly, in px.
    pub bounds: Option<Rect>,
}

/// Compares two pictures from their top left corner; what only one of them has counts as white in the other.
pub fn change(a: &Picture, b: &Picture) -> Change {
    let (a, b) = Picture::on_one_canvas(a, b);
    let mut found = Change { share: 0.0, any: 0, bounds: None };
    let (mut visible, mut left, mut right, mut top, mut bottom) = (0_u64, u32::MAX, 0, u32::MAX, 0);
    for y in 0..a.height() {
        let (row_a, row_b) = (a.row(y), b.row(y));
        if row_a == row_b {
            continue;
        }
        for (x, (one, two)) in row_a.chunks_exact(3).zip(row_b.chunks_exact(3)).enumerate() {
            found.any += u64::from(one != two);
            if one.iter().zip(two).any(|(one, two)| one.abs_diff(*two) > CHANNEL_STEP) {
                let x = x as u32;
                visible += 1;
                (left, right, top, bottom) = (left.min(x), right.max(x), top.min(y), bottom.max(y));
            }
        }
    }
    found.share = visible as f64 / (f64::from(a.width()) * f64::from(a.height())).max(1.0);
    found.bounds = (visible > 0).then(|| Rect {
        x: left as f32,
        y: top as f32,
        width: (right - left + 1) as f32,
        height: (bottom - top + 1) as f32,
    });
    found
}

/// Share of the canvas that changed visibly outside of all `allowed` boxes (px), 0 to 1.
pub fn change_outside(a: &Picture, b: &Picture, allowed: &[Rect]) -> f64 {
    let (a, b) = Picture::on_one_canvas(a, b);
    let is_allowed = |x: f32, y: f32| {
        allowed
            .iter()
            .any(|r| x >= r.x.floor() && y >= r.y.floor() && x < (r.x + r.width).ceil() && y < (r.y + r.height).ceil())
    };
    let mut outside = 0_u64;
    for y in 0..a.height() {
        let (row_a, row_b) = (a.row(y), b.row(y));
        if row_a == row_b {
            continue;
        }
        for (x, (one, two)) in row_a.chunks_exact(3).zip(row_b.chunks_exact(3)).enumerate() {
            let visible = one.iter().zip(two).any(|(one, two)| one.abs_diff(*two) > CHANNEL_STEP);
            outside += u64::from(visible && !is_allowed(x as f32, y as f32));
        }
    }
    outside as f64 / (f64::from(a.width()) * f64::from(a.height())).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_bounds_and_outside() {
        let blank = Picture::from_fn(10, 10, |_, _| [255; 3]);
        let dot =
            Picture::from_fn(10, 10, |x, y| if (2..4).contains(&x) && (5..9).contains(&y) { [0; 3] } else { [255; 3] });
        let found = change(&blank, &dot);
        assert_eq!((found.share, found.any), (0.08, 8));
        assert_eq!(found.bounds, Some(Rect { x: 2.0, y: 5.0, width: 2.0, height: 4.0 }));
        let half = Rect { x: 2.0, y: 5.0, width: 2.0, height: 2.0 };
        assert_eq!(change_outside(&blank, &dot, &[half]), 0.04);
        assert_eq!(change(&dot, &dot), Change { share: 0.0, any: 0, bounds: None });
    }

    #[test]
    fn shades_are_no_visible_change_and_missing_rows_are_white() {
        let white = Picture::from_fn(10, 10, |_, _| [255; 3]);
        let shade = Picture::from_fn(10, 10, |_, _| [245; 3]);
        let found = change(&white, &shade);
        assert_eq!((found.share, found.any), (0.0, 100));
        let tall = Picture::from_fn(10, 20, |_, y| if y < 15 { [255; 3] } else { [0; 3] });
        assert_eq!(change(&white, &tall).share, 0.25);
    }
}
