//! How well boxes cover each other.

use item::{Node, Rect};

/// Intersection over union of two boxes, 0 to 1. Boxes without area share nothing.
pub fn box_iou(a: Rect, b: Rect) -> f64 {
    let overlap = |a: f32, a_size: f32, b: f32, b_size: f32| ((a + a_size).min(b + b_size) - a.max(b)).max(0.0);
    let shared = overlap(a.x, a.width, b.x, b.width) * overlap(a.y, a.height, b.y, b.height);
    let union = a.width * a.height + b.width * b.height - shared;
    if union > 0.0 { f64::from(shared / union) } else { 0.0 }
}

/// Mean IoU of the visible boxes of two pages, each box of either page with the best of the same tag in the other, that
/// nobody better has taken; what finds none counts as 0.
pub fn layout_iou(a: &[Node], b: &[Node]) -> f64 {
    /// Boxes that overlap less are no pair.
    const IOU_MIN: f64 = 0.05;
    let visible = |nodes: &[Node]| {
        let shown = nodes.iter().filter(|node| node.visible && node.rect.width > 0.0 && node.rect.height > 0.0);
        shown.map(|node| (node.tag.clone(), node.rect)).collect::<Vec<_>>()
    };
    let (of_a, of_b) = (visible(a), visible(b));
    if of_a.is_empty() && of_b.is_empty() {
        return 1.0;
    }
    let mut by_tag: std::collections::HashMap<&str, Vec<usize>> = std::collections::HashMap::new();
    for (index, (tag, _)) in of_b.iter().enumerate() {
        by_tag.entry(tag).or_default().push(index);
    }
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (one, (tag, rect)) in of_a.iter().enumerate() {
        for &two in by_tag.get(tag.as_str()).into_iter().flatten() {
            let iou = box_iou(*rect, of_b[two].1);
            if iou >= IOU_MIN {
                pairs.push((iou, one, two));
            }
        }
    }
    pairs.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
    let (mut used_a, mut used_b) = (vec![false; of_a.len()], vec![false; of_b.len()]);
    let mut sum = 0.0;
    let mut matched = 0;
    for (iou, one, two) in pairs {
        if !used_a[one] && !used_b[two] {
            (used_a[one], used_b[two]) = (true, true);
            sum += iou;
            matched += 1;
        }
    }
    sum / (of_a.len() + of_b.len() - matched) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: f32, y: f32, width: f32, height: f32) -> Rect {
        Rect { x, y, width, height }
    }

    fn node(tag: &str, rect: Rect) -> Node {
        Node { tag: tag.to_owned(), rect, visible: true, ..Node::default() }
    }

    #[test]
    fn two_boxes() {
        for (a, b, expected) in [
            (rect(0.0, 0.0, 10.0, 10.0), rect(0.0, 0.0, 10.0, 10.0), 1.0),
            (rect(0.0, 0.0, 10.0, 10.0), rect(5.0, 0.0, 10.0, 10.0), 1.0 / 3.0),
            (rect(0.0, 0.0, 10.0, 10.0), rect(20.0, 0.0, 10.0, 10.0), 0.0),
            (rect(0.0, 0.0, 0.0, 0.0), rect(0.0, 0.0, 0.0, 0.0), 0.0),
        ] {
            assert!((box_iou(a, b) - expected).abs() < 1e-6, "{a:?} {b:?}");
        }
    }

    #[test]
    fn layouts() {
        let page = [node("div", rect(0.0, 0.0, 10.0, 10.0)), node("p", rect(0.0, 10.0, 10.0, 10.0))];
        assert_eq!(layout_iou(&page, &page), 1.0);
        assert_eq!(layout_iou(&page, &page[..1]), 0.5);
        assert_eq!(layout_iou(&[], &[]), 1.0);
        assert_eq!(layout_iou(&page, &[]), 0.0);
    }
}
