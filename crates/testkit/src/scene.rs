//! What the invented photographs show. Palette, places and sizes follow from a name, the scene does not.

use crate::picture::{Canvas, Colour, block, circle, ellipse, mix, noise, noise2, rgb, smooth, taper};
use crate::seed::Seed;

/// Draws a scene by its name; `None` where there is no such scene.
pub(crate) fn draw(scene: &str, width: u32, height: u32, name: &str) -> Option<Canvas> {
    let mut canvas = Canvas::new(width, height, [1.0; 3]);
    let mut seed = Seed::of(name);
    // The scenes are drawn as if the canvas were `half` heights wide on either side of its middle.
    let half = width as f32 / height as f32 / 2.0;
    match scene {
        "hills" => hills(&mut canvas, &mut seed, half),
        "coast" => coast(&mut canvas, &mut seed, half),
        "city" => city(&mut canvas, &mut seed, half),
        "forest" => forest(&mut canvas, &mut seed, half),
        "plate" => plate(&mut canvas, &mut seed, half),
        "portrait" => portrait(&mut canvas, &mut seed, half),
        "room" => room(&mut canvas, &mut seed, half),
        "blobs" => blobs(&mut canvas, &mut seed, half),
        "bag" | "bottle" | "lamp" | "mug" | "chair" | "jacket" => product(&mut canvas, &mut seed, half, scene),
        "weave" => {
            weave(&mut canvas);
            return Some(canvas);
        }
        _ => return None,
    }
    canvas.photograph(0.22, 0.02);
    Some(canvas)
}

/// Sky, horizon, distance and foreground.
const LIGHTS: [[u32; 4]; 6] = [
    [0x2b_5d8c, 0xf4_c79a, 0x8a_9bb5, 0x22_3344],
    [0x5f_a8d3, 0xe8_f1f2, 0x7f_b4a0, 0x1d_4a3c],
    [0x3a_2e5c, 0xf2_8f6b, 0x9a_5b78, 0x2a_1b3d],
    [0x86_b6d9, 0xfd_f3dc, 0xb5_b08a, 0x4b_5a2c],
    [0x1b_2a49, 0x8f_b8de, 0x55_759c, 0x10_1c30],
    [0xd9_e4ea, 0xf7_ede2, 0xa3_b1ba, 0x4a_5660],
];

fn light(seed: &mut Seed) -> [Colour; 4] {
    LIGHTS[seed.below(LIGHTS.len() as u64) as usize].map(rgb)
}

/// A ridge: the height of the land over `x`.
fn ridge(x: f32, base: f32, height: f32, rough: f32, seed: u32) -> f32 {
    let (a, b) = (noise(x * rough, seed), noise(x * rough * 3.1, seed ^ 0x4d));
    base - height * (0.65 * a + 0.25 * b + 0.1 * noise(x * rough * 9.7, seed ^ 0x3df))
}

fn hills(canvas: &mut Canvas, seed: &mut Seed, half: f32) {
    let [sky, horizon, far, near] = light(seed);
    canvas.gradient(0.0, 0.75, sky, horizon);
    let (sun_x, sun_y) = (half * seed.between(0.5, 1.5), seed.between(0.3, 0.5));
    canvas.soft(mix(horizon, [1.0; 3], 0.6), 0.6, 0.25, circle(sun_x, sun_y, 0.18));
    canvas.shape(mix(horizon, [1.0; 3], 0.85), circle(sun_x, sun_y, 0.06));
    let number = seed.next() as u32;
    for layer in 0..5_u32 {
        let depth = layer as f32 / 4.0;
        let (base, height, rough) = (0.62 + 0.12 * layer as f32, 0.42 - 0.06 * layer as f32, 1.6 + 0.5 * layer as f32);
        let line = move |x: f32| ridge(x, base, height, rough, number ^ layer);
        let crest = mix(mix(far, horizon, 0.45), near, depth);
        canvas.each(|x, y, below| {
            let under = y - line(x);
            if under < -0.003 {
                below
            } else {
                mix(
                    below,
                    mix(crest, horizon, 0.35 * smooth(0.0, 0.3, under) * (1.0 - depth)),
                    smooth(-0.003, 0.003, under),
                )
            }
        });
    }
}

fn coast(canvas: &mut Canvas, seed: &mut Seed, half: f32) {
    let [sky, horizon, far, near] = light(seed);
    let number = seed.next() as u32;
    canvas.gradient(0.0, 0.52, sky, horizon);
    canvas.each(|x, y, below| {
        let cloud = noise2(x * 3.0, y * 9.0, number) * 0.6 + noise2(x * 7.0, y * 20.0, number ^ 5) * 0.4;
        mix(below, [1.0; 3], 0.55 * smooth(0.5, 0.85, cloud) * smooth(0.55, 0.2, y))
    });
    canvas.gradient(0.52, 1.0, mix(far, horizon, 0.35), mix(sky, near, 0.55));
    canvas.each(|x, y, below| {
        if y < 0.52 {
            return below;
        }
        let ripple = noise2(x * 9.0 / (y - 0.3), 14.0 / (y - 0.46), number ^ 9);
        let glitter = smooth(0.35, 0.0, (x - half).abs()) * smooth(0.6, 0.9, ripple);
        mix(mix(below, near, 0.25 * ripple), mix(horizon, [1.0; 3], 0.5), 0.5 * glitter)
    });
    let side = if seed.below(2) == 0 { 0.0 } else { half * 2.0 };
    canvas.shape(mix(far, near, 0.75), move |x, y| {
        let out = (x - side).abs();
        let top = 0.40 + out * 0.31 - 0.08 * noise(x * 9.0, number) - 0.05 * noise(x * 23.0, number ^ 3);
        (top - y).max(y - 0.545).max(out - half * 0.95)
    });
}

fn city(canvas: &mut Canvas, seed: &mut Seed, half: f32) {
    let [sky, horizon, far, near] = light(seed);
    canvas.gradient(0.0, 1.0, sky, horizon);
    for layer in 0..3 {
        let depth = layer as f32 / 2.0;
        let wall = mix(mix(far, horizon, 0.5), near, depth);
        let lit = mix(rgb(0xff_dd99), wall, 0.15);
        let number = seed.next() as u32;
        let mut left = seed.between(-0.1, 0.0);
        while left < half * 2.0 {
            let wide = seed.between(0.08, 0.2);
            let high = seed.between(0.2, 0.62) * (1.0 - 0.28 * depth);
            let top = 1.0 - high;
            canvas.shape(wall, block(left + wide / 2.0, 1.0 - high / 2.0, wide / 2.0, high / 2.0, 0.0));
            canvas.within(left..left + wide, top..1.0, |x, y, below| {
                let (over, down) = (x - left - 0.012, y - top - 0.02);
                if over < 0.0 || over > wide - 0.03 || down < 0.0 {
                    return below;
                }
                let (column, row) = (over / 0.022, down / 0.03);
                let is_window = column - column.floor() < 0.55 && row - row.floor() < 0.5;
                if !is_window {
                    return below;
                }
                let is_lit = noise2(column.floor() * 1.7 + left * 31.0, row.floor() * 1.3, number) > 0.6;
                mix(below, if is_lit { lit } else { mix(wall, sky, 0.35) }, 0.4 + 0.5 * depth)
            });
            left += wide + seed.between(0.0, 0.05);
        }
    }
}

fn forest(canvas: &mut Canvas, seed: &mut Seed, half: f32) {
    let [_, horizon, _, _] = light(seed);
    let (mist, dark) = (mix(horizon, rgb(0xdd_e8dc), 0.5), rgb(0x14_2a20));
    canvas.gradient(0.0, 1.0, mix(mist, [1.0; 3], 0.3), mix(mist, dark, 0.4));
    for layer in 0..4 {
        let depth = layer as f32 / 3.0;
        let green = mix(mix(mist, rgb(0x4d_7a5a), 0.35), dark, depth);
        for _ in 0..(15 - 3 * layer) {
            let (x, scale) = (seed.between(0.0, half * 2.0), seed.between(0.3, 0.5) * (0.8 + depth));
            let foot = 0.72 + 0.12 * layer as f32;
            for tier in 0..4 {
                let t = tier as f32;
                let top = foot - scale * (1.0 - t * 0.2);
                canvas.shape(green, taper(x, top, top + scale * 0.36, 0.0, scale * (0.10 + 0.035 * t)));
            }
        }
        let number = seed.next() as u32;
        canvas.shape(green, move |x, y| 0.70 + 0.11 * layer as f32 - 0.05 * noise(x * 4.0, number) - y);
    }
}

fn plate(canvas: &mut Canvas, seed: &mut Seed, half: f32) {
    let woods = [0x8a_5a3b, 0x3c_3a3d, 0xd9_cbb8, 0x5b_6b62];
    let table = rgb(woods[seed.below(4) as usize]);
    let number = seed.next() as u32;
    canvas.each(|x, y, _| mix(table, mix(table, [0.0; 3], 0.35), noise2(x * 2.0, y * 26.0, number) * 0.7));
    let (cx, cy) = (half, 0.52);
    canvas.soft([0.0; 3], 0.5, 0.05, circle(cx + 0.02, cy + 0.03, 0.40));
    canvas.shape(rgb(0xf3_efe8), circle(cx, cy, 0.39));
    canvas.soft(rgb(0xcf_c8bd), 0.9, 0.02, circle(cx, cy, 0.29));
    canvas.shape(rgb(0xfa_f7f1), circle(cx, cy, 0.28));
    let foods =
        [[0xd9_4f30, 0xf2_a541, 0x6b_8f3a], [0xe8_c468, 0xb8_5c38, 0x3f_6b4f], [0x9c_3848, 0xf0_d9b5, 0x7a_9e4e]];
    let food = foods[seed.below(3) as usize].map(rgb);
    canvas.soft(mix(food[0], [0.0; 3], 0.2), 1.0, 0.012, circle(cx, cy, 0.235));
    for i in 0..46 {
        let (dx, dy) = (seed.between(-0.2, 0.2), seed.between(-0.2, 0.2));
        if dx * dx + dy * dy > 0.04 {
            continue;
        }
        let (rx, ry) = (seed.between(0.02, 0.055), seed.between(0.015, 0.045));
        let colour = mix(food[i % 3], [1.0; 3], seed.between(-0.15, 0.2));
        canvas.soft([0.0; 3], 0.3, 0.01, ellipse(cx + dx + 0.006, cy + dy + 0.008, rx, ry));
        canvas.shape(colour, ellipse(cx + dx, cy + dy, rx, ry));
        canvas.soft([1.0; 3], 0.3, 0.008, ellipse(cx + dx - rx * 0.3, cy + dy - ry * 0.3, rx * 0.3, ry * 0.25));
    }
    for side in [-1.0_f32, 1.0] {
        let x = cx + side * 0.50;
        canvas.soft([0.0; 3], 0.4, 0.012, block(x + 0.008, cy + 0.01, 0.012, 0.3, 0.01));
        canvas.shape(rgb(0xc9_ccd0), block(x, cy, 0.011, 0.3, 0.01));
        canvas.shape(rgb(0xd6_d9dc), ellipse(x, cy - 0.22, 0.028, 0.085));
    }
}

fn portrait(canvas: &mut Canvas, seed: &mut Seed, half: f32) {
    let skins = [0xf1_c9a5, 0xe0_ac7e, 0xc6_8642, 0x8d_5524, 0x5c_3a21, 0xf7_d9c0];
    let hairs = [0x2a_1d16, 0x5a_3825, 0xb8_8a4a, 0x8c_8c8c, 0x14_1416, 0x7a_2f1c];
    let walls = [0xc9_d6df, 0xe8_d5c4, 0x9f_b8ad, 0xd4_c1ec, 0xf2_d388, 0x7f_95a8];
    let shirts = [0x2f_4858, 0x8c_2f39, 0x3d_6b4f, 0xe9_e4da, 0x1f_2430, 0xd0_8c60];
    let mut pick = |colours: [u32; 6]| rgb(colours[seed.below(6) as usize]);
    let (skin, hair, wall, shirt) = (pick(skins), pick(hairs), pick(walls), pick(shirts));
    canvas.gradient(0.0, 1.0, mix(wall, [1.0; 3], 0.25), mix(wall, [0.0; 3], 0.15));
    let long = seed.below(2) == 0;
    let cx = half + seed.between(-0.03, 0.03);
    if long {
        canvas.shape(mix(hair, [0.0; 3], 0.2), block(cx, 0.52, 0.215, 0.27, 0.16));
    }
    canvas.shape(shirt, ellipse(cx, 1.06, 0.42, 0.30));
    canvas.soft(mix(shirt, [0.0; 3], 0.4), 0.6, 0.05, ellipse(cx, 0.80, 0.15, 0.05));
    canvas.shape(mix(skin, [0.0; 3], 0.18), block(cx, 0.70, 0.075, 0.13, 0.06));
    canvas.shape(hair, ellipse(cx, 0.385, 0.20, 0.215));
    canvas.shape(skin, ellipse(cx, 0.45, 0.162, 0.205));
    canvas.soft(mix(skin, rgb(0xd0_5a4a), 0.4), 0.35, 0.035, ellipse(cx - 0.085, 0.50, 0.03, 0.02));
    canvas.soft(mix(skin, rgb(0xd0_5a4a), 0.4), 0.35, 0.035, ellipse(cx + 0.085, 0.50, 0.03, 0.02));
    let part = seed.between(-0.08, 0.08);
    canvas.shape(hair, move |x, y| {
        let under = ellipse(cx + part, 0.285, 0.19, 0.095)(x, y);
        under.max(ellipse(cx, 0.385, 0.20, 0.215)(x, y))
    });
    for side in [-1.0_f32, 1.0] {
        let x = cx + side * 0.062;
        canvas.shape(rgb(0xfa_f8f5), ellipse(x, 0.45, 0.024, 0.014));
        canvas.shape(rgb(0x2a_221e), circle(x, 0.45, 0.013));
        canvas.shape(mix(hair, [0.0; 3], 0.1), ellipse(x, 0.415, 0.034, 0.008));
    }
    canvas.soft(mix(skin, [0.0; 3], 0.3), 0.7, 0.008, ellipse(cx + 0.006, 0.51, 0.014, 0.022));
    canvas.shape(mix(skin, rgb(0x9a_3033), 0.65), ellipse(cx, 0.572, 0.05, 0.012));
}

fn room(canvas: &mut Canvas, seed: &mut Seed, half: f32) {
    let walls = [0xd8_cfc2, 0xb9_c4bd, 0xe6_d9cf, 0x9d_aebc];
    let sofas = [0x5a_6f5d, 0x39_4a63, 0xa8_5f3f, 0x7a_6a80];
    let wall = rgb(walls[seed.below(4) as usize]);
    let sofa = rgb(sofas[seed.below(4) as usize]);
    canvas.gradient(0.0, 0.72, mix(wall, [1.0; 3], 0.35), wall);
    let number = seed.next() as u32;
    let floor = rgb(0xa9_825a);
    canvas.each(|x, y, below| {
        if y < 0.72 {
            return below;
        }
        let plank = ((x - half) / (y - 0.35) * 6.0).floor();
        mix(floor, mix(floor, [0.0; 3], 0.35), 0.5 * noise(plank * 1.9 + 0.5, number) + 0.2 * (1.0 - y))
    });
    canvas.shape(mix(wall, [1.0; 3], 0.7), block(half, 0.72, half, 0.012, 0.0));
    let window_x = half * seed.between(0.35, 0.6);
    canvas.shape(rgb(0xfb_faf7), block(window_x, 0.31, 0.23, 0.24, 0.005));
    canvas.each(|x, y, below| {
        let inside = (x - window_x).abs() < 0.215 && (y - 0.31).abs() < 0.225;
        let bar = (x - window_x).abs() < 0.006 || (y - 0.31).abs() < 0.006;
        if inside && !bar {
            mix(rgb(0xa9_cfe8), rgb(0xf3_f6ea), smooth(0.1, 0.5, y + 0.06 * noise(x * 12.0, number)))
        } else {
            below
        }
    });
    let (sx, w) = (half * 1.15, half * 0.42);
    canvas.soft([0.0; 3], 0.4, 0.05, ellipse(sx, 0.895, w * 1.1, 0.03));
    canvas.shape(mix(sofa, [0.0; 3], 0.12), block(sx, 0.68, w, 0.13, 0.05));
    canvas.shape(sofa, block(sx, 0.80, w * 1.04, 0.075, 0.03));
    canvas.shape(mix(sofa, [1.0; 3], 0.1), block(sx, 0.76, w * 0.86, 0.045, 0.025));
    for (at, hue) in [(-0.6, 0xe3_b23c), (0.62, 0xf0_ece2)] {
        canvas.shape(rgb(hue), block(sx + at * w, 0.68, 0.075, 0.065, 0.03));
    }
    let frame = half * 1.35;
    canvas.shape(rgb(0x2b_2b2b), block(frame, 0.30, 0.14, 0.17, 0.0));
    canvas.shape(rgb(0xf5_f1e8), block(frame, 0.30, 0.13, 0.16, 0.0));
    canvas.shape(mix(sofa, rgb(0xe3_b23c), 0.5), circle(frame, 0.28, 0.07));
    canvas.shape(sofa, block(frame, 0.38, 0.09, 0.03, 0.02));
    let lamp = half * 1.78;
    canvas.soft(rgb(0xff_edc0), 0.6, 0.16, circle(lamp, 0.42, 0.14));
    canvas.shape(rgb(0x3a_3330), block(lamp, 0.68, 0.006, 0.2, 0.0));
    canvas.shape(rgb(0xff_f3d6), taper(lamp, 0.36, 0.48, 0.06, 0.1));
}

fn blobs(canvas: &mut Canvas, seed: &mut Seed, half: f32) {
    let [sky, horizon, far, near] = light(seed);
    canvas.gradient(0.0, 1.0, mix(horizon, [1.0; 3], 0.4), horizon);
    for colour in [sky, far, near, rgb(0xf2_a65a), rgb(0xe4_572e)].into_iter().cycle().take(9) {
        let (x, y, radius) = (seed.between(0.0, half * 2.0), seed.between(0.0, 1.0), seed.between(0.1, 0.36));
        canvas.soft(colour, 0.6, seed.between(0.003, 0.12), circle(x, y, radius));
    }
    for _ in 0..5 {
        let (x, y, radius) = (seed.between(0.0, half * 2.0), seed.between(0.0, 1.0), seed.between(0.05, 0.2));
        let ring = circle(x, y, radius);
        canvas.shape([1.0, 0.98, 0.94], move |px, py| ring(px, py).abs() - 0.006);
    }
}

fn product(canvas: &mut Canvas, seed: &mut Seed, half: f32, kind: &str) {
    let walls = [0xee_e9e1, 0xe4_e8e6, 0xf2_e6dc, 0xe6_e6ee];
    let things = [0x8a_5b34, 0x2f_4f4f, 0xb5_4a3a, 0x41_536b, 0xd0_9a3f, 0x5d_6b4a];
    let wall = rgb(walls[seed.below(4) as usize]);
    let thing = rgb(things[seed.below(6) as usize]);
    let (dark, pale) = (mix(thing, [0.0; 3], 0.3), mix(thing, [1.0; 3], 0.3));
    canvas.gradient(0.0, 0.74, mix(wall, [1.0; 3], 0.4), wall);
    canvas.gradient(0.74, 1.0, mix(wall, [0.0; 3], 0.06), mix(wall, [0.0; 3], 0.02));
    let cx = half;
    canvas.soft([0.0; 3], 0.4, 0.06, ellipse(cx + 0.02, 0.835, 0.27, 0.035));
    match kind {
        "bag" => {
            let strap = ellipse(cx, 0.40, 0.13, 0.2);
            canvas.shape(dark, move |x, y| strap(x, y).abs() - 0.013);
            canvas.shape(thing, block(cx, 0.60, 0.27, 0.23, 0.06));
            canvas.shape(mix(thing, dark, 0.45), block(cx, 0.51, 0.27, 0.14, 0.06));
            canvas.shape(pale, block(cx, 0.652, 0.27, 0.003, 0.0));
            canvas.shape(rgb(0xd9_b96a), block(cx, 0.65, 0.03, 0.035, 0.008));
            canvas.shape(dark, block(cx, 0.75, 0.16, 0.004, 0.0));
        }
        "bottle" => {
            canvas.shape(thing, block(cx, 0.58, 0.115, 0.25, 0.04));
            canvas.shape(thing, taper(cx, 0.24, 0.36, 0.05, 0.1));
            canvas.shape(rgb(0x2a_2a2a), block(cx, 0.20, 0.058, 0.05, 0.012));
            canvas.shape(rgb(0xf6_f2ea), block(cx, 0.60, 0.115, 0.10, 0.0));
            canvas.shape(thing, circle(cx, 0.585, 0.045));
            canvas.soft([1.0; 3], 0.4, 0.02, block(cx - 0.075, 0.55, 0.008, 0.2, 0.008));
        }
        "lamp" => {
            canvas.soft(rgb(0xff_e9b0), 0.7, 0.2, circle(cx, 0.42, 0.2));
            canvas.shape(rgb(0x33_302d), block(cx, 0.64, 0.010, 0.19, 0.0));
            canvas.shape(rgb(0x33_302d), ellipse(cx, 0.83, 0.13, 0.022));
            canvas.shape(thing, taper(cx, 0.18, 0.46, 0.11, 0.24));
            canvas.soft(rgb(0xff_f2cf), 0.8, 0.03, ellipse(cx, 0.455, 0.22, 0.02));
        }
        "mug" => {
            let handle = ellipse(cx + 0.21, 0.60, 0.10, 0.12);
            canvas.shape(dark, move |x, y| handle(x, y).abs() - 0.022);
            canvas.shape(thing, block(cx, 0.61, 0.2, 0.22, 0.045));
            canvas.soft(pale, 0.5, 0.05, block(cx - 0.11, 0.61, 0.03, 0.15, 0.02));
            canvas.shape(dark, ellipse(cx, 0.41, 0.2, 0.045));
            canvas.shape(rgb(0x3b_2417), ellipse(cx, 0.415, 0.18, 0.034));
        }
        "chair" => {
            for x in [-0.19_f32, 0.19] {
                canvas.shape(rgb(0xb1_8a5c), block(cx + x, 0.72, 0.014, 0.115, 0.01));
                canvas.shape(rgb(0x96_7245), block(cx + x * 0.7, 0.69, 0.012, 0.10, 0.01));
            }
            canvas.shape(thing, block(cx, 0.38, 0.21, 0.19, 0.09));
            canvas.shape(dark, block(cx, 0.585, 0.245, 0.05, 0.045));
            canvas.shape(pale, block(cx, 0.572, 0.225, 0.03, 0.03));
        }
        _ => {
            canvas.shape(dark, block(cx - 0.26, 0.52, 0.07, 0.23, 0.06));
            canvas.shape(dark, block(cx + 0.26, 0.52, 0.07, 0.23, 0.06));
            canvas.shape(thing, block(cx, 0.53, 0.22, 0.29, 0.05));
            canvas.shape(dark, ellipse(cx, 0.245, 0.10, 0.05));
            canvas.shape(pale, block(cx, 0.55, 0.004, 0.27, 0.0));
            for side in [-1.0_f32, 1.0] {
                canvas.shape(mix(thing, dark, 0.6), block(cx + side * 0.115, 0.68, 0.06, 0.055, 0.01));
            }
        }
    }
}

/// A tile for backgrounds.
fn weave(canvas: &mut Canvas) {
    let (ground, thread) = (rgb(0xf6_f1e7), rgb(0xe9_dfcd));
    canvas.each(|x, y, _| {
        let over = ((x * 4.0).floor() as i32 + (y * 4.0).floor() as i32) % 2 == 0;
        let along = if over { y * 16.0 } else { x * 16.0 };
        if along - along.floor() < 0.35 { thread } else { ground }
    });
}
