//! What the layout of a page says about its making: sizes, edges, gaps, contrasts, overlaps, as plain numbers for a model.
//!
//! A screenshot scaled down for a network shows neither a text that lies 20 px off nor one that is a little too pale; the boxes and
//! computed styles that Chrome knows anyway do. All numbers are shares (0 to 1), logarithms or small ratios, so that pages of any
//! length compare; [`f32::NAN`] stands where there is nothing to measure.
//! Nothing here looks at how the code says it, such as at `style` attributes: damages for training leave their traces there.

use std::collections::BTreeMap;

use item::{Node, Rect, Visibility};

use super::css_color;

/// Name of this set of features, as model manifests call it. A set never changes: another one gets another name.
pub const LAYOUT_SET: &str = "layout-v1";

/// Boxes that are compared pair by pair at most; in longer pages those from the top.
const BOXES_MAX: usize = 1_500;

/// Names of the features, in their order.
pub const LAYOUT_FEATURES: [&str; 33] = [
    "log_elements",
    "log_texts",
    "log_chars",
    "log_height",
    "text_area",
    "image_area",
    "text_overlap",
    "block_overlap",
    "contrast_below_3",
    "contrast_below_4_5",
    "contrast_mean",
    "sizes_per_text",
    "size_entropy",
    "size_most_used",
    "size_largest_to_median",
    "chars_below_10_px",
    "chars_above_40_px",
    "families",
    "chars_in_default_family",
    "weights",
    "links_in_default_color",
    "left_edges_per_box",
    "left_edges_shared",
    "left_edge_entropy",
    "beyond_right_edge",
    "text_beyond_parent",
    "gaps_distinct",
    "gaps_negative",
    "gap_median_to_size",
    "gap_largest_share",
    "backgrounds",
    "background_saturation",
    "text_colors",
];

/// Measures the layout of a page; `width` and `height` are the screenshot's in CSS px.
pub fn layout_features(nodes: &[Node], width: f32, height: f32) -> [f32; LAYOUT_FEATURES.len()] {
    let layout = Layout::new(nodes, width, height);
    let mut features = Vec::with_capacity(LAYOUT_FEATURES.len());
    features.extend(layout.amounts());
    features.extend(layout.overlaps());
    features.extend(layout.contrasts());
    features.extend(layout.sizes());
    features.extend(layout.looks());
    features.extend(layout.edges());
    features.extend(layout.gaps());
    features.extend(layout.colors());
    let mut all = [f32::NAN; LAYOUT_FEATURES.len()];
    for (place, value) in all.iter_mut().zip(features) {
        *place = value as f32;
    }
    all
}

/// A text that is seen: an element with text of its own.
struct Text<'a> {
    index: usize,
    node: &'a Node,
    chars: f64,
}

struct Layout<'a> {
    nodes: &'a [Node],
    width: f64,
    height: f64,
    texts: Vec<Text<'a>>,
    /// Elements that are seen and have an area.
    seen: Vec<usize>,
}

impl<'a> Layout<'a> {
    fn new(nodes: &'a [Node], width: f32, height: f32) -> Self {
        let is_seen = |node: &Node| {
            let Rect { x, y, width: w, height: h } = node.rect;
            node.visible
                && node.visibility == Visibility::Visible
                && w >= 1.0
                && h >= 1.0
                && y < height
                && x < width.max(1.0) * 2.0
        };
        let seen: Vec<usize> = (0..nodes.len()).filter(|&index| is_seen(&nodes[index])).collect();
        let text = |&index: &usize| {
            let node = &nodes[index];
            let chars = node.text.chars().filter(|letter| !letter.is_whitespace()).count() as f64;
            (chars > 0.0).then_some(Text { index, node, chars })
        };
        let texts = seen.iter().filter_map(text).collect();
        Self { nodes, width: f64::from(width.max(1.0)), height: f64::from(height.max(1.0)), texts, seen }
    }

    fn parent(&self, index: usize) -> Option<usize> {
        self.nodes[index].parent.map(|parent| parent as usize)
    }

    fn is_above(&self, upper: usize, lower: usize) -> bool {
        std::iter::successors(self.parent(lower), |&at| self.parent(at)).any(|at| at == upper)
    }

    fn chars(&self) -> f64 {
        self.texts.iter().map(|text| text.chars).sum()
    }

    /// Share of all characters in texts that are `wanted`.
    fn chars_share(&self, wanted: impl Fn(&Text<'_>) -> bool) -> f64 {
        self.texts.iter().filter(|text| wanted(text)).map(|text| text.chars).sum::<f64>() / self.chars()
    }

    fn amounts(&self) -> [f64; 6] {
        let page = self.width * self.height;
        let area = |rect: Rect| f64::from(rect.width) * f64::from(rect.height);
        let of_texts: f64 = self.texts.iter().map(|text| area(text.node.rect)).sum();
        let images = self.seen.iter().map(|&index| &self.nodes[index]);
        let of_images: f64 = images
            .filter(|node| matches!(&*node.tag, "img" | "svg" | "video" | "canvas"))
            .map(|node| area(node.rect))
            .sum();
        [
            (self.seen.len() as f64).ln_1p(),
            (self.texts.len() as f64).ln_1p(),
            self.chars().ln_1p(),
            self.height.ln(),
            (of_texts / page).min(2.0),
            (of_images / page).min(2.0),
        ]
    }

    /// Share of texts, and of blocks, that another one of them covers by a fifth, neither lying in the other.
    fn overlaps(&self) -> [f64; 2] {
        let texts: Vec<usize> = self.texts.iter().map(|text| text.index).collect();
        let is_block = |&index: &usize| {
            let Node { tag, rect, .. } = &self.nodes[index];
            rect.width >= 48.0
                && rect.height >= 24.0
                && matches!(
                    &**tag,
                    "div"
                        | "section"
                        | "article"
                        | "header"
                        | "footer"
                        | "nav"
                        | "aside"
                        | "ul"
                        | "table"
                        | "img"
                        | "p"
                        | "li"
                )
        };
        let blocks: Vec<usize> = self.seen.iter().copied().filter(is_block).collect();
        [self.overlap(texts), self.overlap(blocks)]
    }

    fn overlap(&self, mut boxes: Vec<usize>) -> f64 {
        boxes.sort_by(|&a, &b| self.nodes[a].rect.y.total_cmp(&self.nodes[b].rect.y));
        boxes.truncate(BOXES_MAX);
        let mut covered = vec![false; boxes.len()];
        for (upper, &a) in boxes.iter().enumerate() {
            let one = self.nodes[a].rect;
            for (lower, &b) in boxes.iter().enumerate().skip(upper + 1) {
                let two = self.nodes[b].rect;
                if two.y >= one.y + one.height {
                    break;
                }
                if (covered[upper] && covered[lower])
                    || !is_upon(one, two)
                    || self.is_above(a, b)
                    || self.is_above(b, a)
                {
                    continue;
                }
                (covered[upper], covered[lower]) = (true, true);
            }
        }
        share(&covered, |&covered| covered)
    }

    /// Contrast ratios of WCAG 2 between texts and what they stand on, by characters.
    fn contrasts(&self) -> [f64; 3] {
        let ratios: Vec<(f64, f64)> = self.texts.iter().map(|text| (self.contrast(text), text.chars)).collect();
        let chars = self.chars();
        let below =
            |limit: f64| ratios.iter().filter(|(ratio, _)| *ratio < limit).map(|(_, chars)| chars).sum::<f64>() / chars;
        let mean = ratios.iter().map(|(ratio, chars)| ratio.ln() * chars).sum::<f64>() / chars;
        [below(3.0), below(4.5), mean]
    }

    fn contrast(&self, text: &Text<'_>) -> f64 {
        let own = |at: usize| css_color(&self.nodes[at].background).filter(|(_, alpha)| *alpha > 0.5);
        let paper = std::iter::successors(Some(text.index), |&at| self.parent(at))
            .find_map(own)
            .map_or([255; 3], |(rgb, _)| rgb);
        let ink = css_color(&text.node.color).map_or([0; 3], |(rgb, _)| rgb);
        super::color::contrast(ink, paper)
    }

    fn sizes(&self) -> [f64; 6] {
        let mut by_size: BTreeMap<i64, f64> = BTreeMap::new();
        for text in &self.texts {
            *by_size.entry((f64::from(text.node.font_size) * 2.0).round() as i64).or_default() += text.chars;
        }
        let largest = by_size.keys().next_back().map_or(f64::NAN, |&size| size as f64);
        let median = median(self.texts.iter().map(|text| f64::from(text.node.font_size) * 2.0));
        [
            (by_size.len() as f64 / self.texts.len() as f64).min(1.0),
            entropy(by_size.values().copied()),
            by_size.values().copied().fold(f64::NAN, f64::max) / self.chars(),
            (largest / median).ln(),
            self.chars_share(|text| text.node.font_size < 10.0),
            self.chars_share(|text| text.node.font_size > 40.0),
        ]
    }

    fn looks(&self) -> [f64; 4] {
        let distinct = |of: fn(&Node) -> String| {
            let mut all: Vec<String> = self.texts.iter().map(|text| of(text.node)).collect();
            all.sort_unstable();
            all.dedup();
            all.len() as f64
        };
        let links: Vec<&Text<'_>> = self.texts.iter().filter(|text| text.node.tag == "a").collect();
        [
            distinct(|node| node.font_family.clone()).ln_1p(),
            self.chars_share(|text| matches!(text.node.font_family.trim_matches('"'), "Times New Roman" | "serif")),
            distinct(|node| node.font_weight.to_string()).ln_1p(),
            share(&links, |text| css_color(&text.node.color).is_some_and(|(rgb, _)| rgb == [0, 0, 238])),
        ]
    }

    fn edges(&self) -> [f64; 5] {
        let mut by_edge: BTreeMap<i64, f64> = BTreeMap::new();
        for text in &self.texts {
            *by_edge.entry(f64::from(text.node.rect.x).round() as i64).or_default() += 1.0;
        }
        let count = self.texts.len() as f64;
        let shared: f64 = by_edge.values().filter(|&&texts| texts >= 3.0).sum();
        let right = |rect: Rect| f64::from(rect.x + rect.width);
        let beyond = share(&self.seen, |&index| {
            right(self.nodes[index].rect) > self.width + 1.0 || self.nodes[index].rect.x < -1.0
        });
        let beyond_parent = share(&self.texts, |text| {
            self.parent(text.index).is_some_and(|parent| right(text.node.rect) > right(self.nodes[parent].rect) + 2.0)
        });
        [by_edge.len() as f64 / count, shared / count, entropy(by_edge.values().copied()), beyond, beyond_parent]
    }

    /// Distances between one child and the next below it.
    fn gaps(&self) -> [f64; 4] {
        let mut last: BTreeMap<usize, usize> = BTreeMap::new();
        let mut gaps = Vec::new();
        for &index in &self.seen {
            let Some(parent) = self.parent(index) else { continue };
            if let Some(before) = last.insert(parent, index) {
                let (one, two) = (self.nodes[before].rect, self.nodes[index].rect);
                let is_below =
                    two.y >= one.y + one.height * 0.5 && two.x < one.x + one.width && one.x < two.x + two.width;
                if is_below {
                    gaps.push(f64::from(two.y - (one.y + one.height)));
                }
            }
        }
        let mut distinct: Vec<i64> = gaps.iter().map(|gap| gap.round() as i64).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let size = median(self.texts.iter().map(|text| f64::from(text.node.font_size)));
        let largest = gaps.iter().copied().fold(0.0, f64::max);
        [
            distinct.len() as f64 / gaps.len() as f64,
            share(&gaps, |&gap| gap < -1.0),
            (median(gaps.iter().copied()) / size).clamp(-4.0, 8.0),
            largest / self.height,
        ]
    }

    fn colors(&self) -> [f64; 3] {
        let page = self.width * self.height;
        let mut papers: BTreeMap<[u8; 3], f64> = BTreeMap::new();
        for &index in &self.seen {
            let Node { background, rect, .. } = &self.nodes[index];
            if let Some((rgb, alpha)) = css_color(background)
                && alpha > 0.5
            {
                *papers.entry(rgb).or_default() += f64::from(rect.width) * f64::from(rect.height);
            }
        }
        let colorful: f64 = papers.iter().map(|(&rgb, area)| saturation(rgb) * area).sum();
        let mut inks: Vec<_> =
            self.texts.iter().filter_map(|text| css_color(&text.node.color)).map(|(rgb, _)| rgb).collect();
        inks.sort_unstable();
        inks.dedup();
        [(papers.len() as f64).ln_1p(), (colorful / page).min(4.0), (inks.len() as f64).ln_1p()]
    }
}

/// Whether the boxes share a fifth of the smaller one.
fn is_upon(one: Rect, two: Rect) -> bool {
    let side = |a: f32, length_a: f32, b: f32, length_b: f32| ((a + length_a).min(b + length_b) - a.max(b)).max(0.0);
    let common = side(one.x, one.width, two.x, two.width) * side(one.y, one.height, two.y, two.height);
    common > 0.2 * (one.width * one.height).min(two.width * two.height)
}

fn share<T>(all: &[T], wanted: impl Fn(&T) -> bool) -> f64 {
    all.iter().filter(|one| wanted(one)).count() as f64 / all.len() as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Shannon entropy of a distribution, in bits.
fn entropy(weights: impl Iterator<Item = f64> + Clone) -> f64 {
    let total: f64 = weights.clone().sum();
    weights.map(|weight| weight / total).filter(|share| *share > 0.0).map(|share| -share * share.log2()).sum()
}

/// Saturation of HSV, 0 to 1.
fn saturation(rgb: [u8; 3]) -> f64 {
    let (least, most) = (rgb.iter().min().copied().unwrap_or(0), rgb.iter().max().copied().unwrap_or(0));
    f64::from(most - least) / f64::from(most.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(nodes: &[Node], name: &str) -> f32 {
        let index = LAYOUT_FEATURES.iter().position(|known| *known == name).expect(name);
        layout_features(nodes, 1000.0, 500.0)[index]
    }

    fn text(y: f32, change: impl Fn(&mut Node)) -> Node {
        let mut node = Node {
            tag: "p".into(),
            parent: Some(0),
            rect: Rect { x: 10.0, y, width: 200.0, height: 20.0 },
            text: "twelve chars".into(),
            visible: true,
            font_size: 16.0,
            color: "rgb(0, 0, 0)".into(),
            background: "rgba(0, 0, 0, 0)".into(),
            font_family: "Arial".into(),
            font_weight: 400,
            ..Node::default()
        };
        change(&mut node);
        node
    }

    fn page(texts: Vec<Node>) -> Vec<Node> {
        let body = Node {
            tag: "body".into(),
            rect: Rect { x: 0.0, y: 0.0, width: 1000.0, height: 500.0 },
            visible: true,
            background: "rgb(255, 255, 255)".into(),
            ..Node::default()
        };
        std::iter::once(body).chain(texts).collect()
    }

    #[test]
    fn each_tells_what_its_name_says() {
        let plain = |_: &mut Node| {};
        let check = |name: &str, change: &dyn Fn(&mut Node), before: f32, after: f32| {
            let rows = |change: &dyn Fn(&mut Node)| {
                page(vec![text(0.0, plain), text(30.0, plain), text(60.0, change), text(90.0, plain)])
            };
            assert!((feature(&rows(&plain), name) - before).abs() < 1e-4, "{name} {}", feature(&rows(&plain), name));
            assert!((feature(&rows(change), name) - after).abs() < 1e-4, "{name} {}", feature(&rows(change), name));
        };
        check("contrast_below_3", &|node| node.color = "rgb(200, 200, 200)".into(), 0.0, 0.25);
        check("text_overlap", &|node| node.rect.y = 40.0, 0.0, 0.5);
        check("sizes_per_text", &|node| node.font_size = 40.0, 0.25, 0.5);
        check("chars_below_10_px", &|node| node.font_size = 8.0, 0.0, 0.25);
        check("left_edges_per_box", &|node| node.rect.x = 35.0, 0.25, 0.5);
        check("left_edges_shared", &|node| node.rect.x = 35.0, 1.0, 0.75);
        check("text_beyond_parent", &|node| node.rect.width = 1200.0, 0.0, 0.25);
        check("beyond_right_edge", &|node| node.rect.width = 1200.0, 0.0, 0.2);
        check("gaps_distinct", &|node| node.rect.y = 65.0, 1.0 / 3.0, 1.0);
        check("gaps_negative", &|node| node.rect.y = 45.0, 0.0, 1.0 / 3.0);
        check("chars_in_default_family", &|node| node.font_family = "\"Times New Roman\"".into(), 0.0, 0.25);
        check("background_saturation", &|node| node.background = "rgb(255, 0, 0)".into(), 0.0, 0.008);
    }

    #[test]
    fn what_is_not_there_is_no_number() {
        let features = layout_features(&[], 1000.0, 500.0);
        assert!(
            features.iter().any(|feature| feature.is_nan()) && features.iter().all(|feature| !feature.is_infinite())
        );
        let features = layout_features(&page(Vec::new()), 0.0, 0.0);
        assert!(features.iter().all(|feature| !feature.is_infinite()), "{features:?}");
    }
}
