//! From Chrome's snapshot to our node list.

use std::collections::BTreeSet;

use item::{Node, Rect, Visibility};

use crate::name::{Element, Names};
use crate::protocol::{CaptureSnapshot, DocumentSnapshot, Snapshot};
use crate::role::role_of;
use crate::visibility::{self, Facts};

const ELEMENT: u32 = 1;
const TEXT: u32 = 3;

/// Computed styles that are asked for; [`Style`] reads them in this order.
const COMPUTED_STYLES: &[&str] = &[
    "font-size",
    "color",
    "background-color",
    "visibility",
    "opacity",
    "font-family",
    "font-weight",
    "overflow-x",
    "position",
    "clip",
    "clip-path",
    FONT_FRACTION,
];
/// Computed styles give six digits of a font size, and two sizes that read the same need not be. The settling script has this
/// property hold what is missing: `mod(100em, 1px)`. It means nothing to a page that is not scrolled.
const FONT_FRACTION: &str = "scroll-margin-top";

pub(crate) const CAPTURE: CaptureSnapshot =
    CaptureSnapshot { computed_styles: COMPUTED_STYLES, include_paint_order: true };

/// A laid-out page.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Whole document, CSS px.
    pub(crate) page_width: u32,
    pub(crate) page_height: u32,
    pub(crate) nodes: Vec<Node>,
    /// Boxes of visible text.
    pub(crate) texts: Vec<Rect>,
    /// Font sizes of all boxes, CSS px: also of pseudo-elements, of Chrome's own parts, and in frames.
    pub(crate) font_sizes: Vec<f64>,
}

/// Reads the main document of a snapshot; `None` if its columns do not fit together.
pub(crate) fn read(snapshot: &Snapshot) -> Option<Layout> {
    let document = snapshot.documents.first()?;
    let string = |index: i64| usize::try_from(index).ok().and_then(|i| snapshot.strings.get(i)).map(String::as_str);
    let rows = &document.nodes;
    let count = rows.node_type.len();
    let columns = [rows.parent_index.len(), rows.node_name.len(), rows.node_value.len(), rows.attributes.len()];
    let layout = &document.layout;
    let entries = [layout.styles.len(), layout.bounds.len(), layout.paint_orders.len()];
    if columns != [count; 4] || entries != [layout.node_index.len(); 3] {
        return None;
    }

    // Pseudo-elements and shadow trees are not the page's own elements; neither is anything inside them.
    let mut foreign = vec![false; count];
    for &row in rows.pseudo_type.index.iter().chain(&rows.shadow_root_type.index) {
        *foreign.get_mut(row)? = true;
    }
    let mut boxes: Vec<Option<usize>> = vec![None; count];
    for (entry, &row) in layout.node_index.iter().enumerate() {
        boxes.get_mut(row)?.get_or_insert(entry); // The first box of a node is its own, later ones are of its text.
    }

    let mut nodes: Vec<Node> = Vec::new();
    let mut facts: Vec<Facts<'_>> = Vec::new();
    let mut elements: Vec<Element<'_>> = Vec::new();
    let mut words: Vec<(u32, &str)> = Vec::new();
    let mut texts: Vec<Rect> = Vec::new();
    let mut node_of_row: Vec<Option<u32>> = vec![None; count];
    for row in 0..count {
        // Parents come before their children.
        let parent_row = usize::try_from(rows.parent_index[row]).ok().filter(|parent| *parent < row);
        foreign[row] |= parent_row.is_some_and(|parent| foreign[parent]);
        if foreign[row] {
            continue;
        }
        let parent = parent_row.and_then(|parent| node_of_row[parent]);
        match rows.node_type[row] {
            ELEMENT => {
                let written = string(rows.node_name[row])?;
                let tag = written.to_ascii_lowercase();
                let attribute = |name: &str| {
                    let mut pairs = rows.attributes[row].chunks_exact(2);
                    pairs.find(|pair| string(pair[0]) == Some(name)).map(|pair| string(pair[1]).unwrap_or_default())
                };
                let role = role_of(&tag, attribute);
                let style = attribute("style").map(str::to_owned);
                let mut node = Node { tag, parent, role, style, ..Node::default() };
                let inherited = parent.map_or(1.0, |parent| facts[parent as usize].opacity);
                let mut fact = Facts { parent, opacity: inherited, ..Facts::default() };
                if let Some(entry) = boxes[row] {
                    let computed = Style::read(&layout.styles[entry], string);
                    node.rect = rect(layout.bounds[entry]);
                    node.font_size = computed.font_size;
                    node.font_weight = computed.font_weight;
                    node.paint_order = u32::try_from(layout.paint_orders[entry]).unwrap_or_default();
                    computed.color.clone_into(&mut node.color);
                    computed.background.clone_into(&mut node.background);
                    computed.font_family.clone_into(&mut node.font_family);
                    fact = Facts {
                        parent,
                        rect: node.rect,
                        shown: computed.visible,
                        opacity: inherited * computed.opacity,
                        clips: computed.clips && !matches!(node.tag.as_str(), "html" | "body"),
                        position: computed.position,
                        clip: computed.clip,
                        clip_path: computed.clip_path,
                        opaque: computed.background.starts_with("rgb("),
                        paint_order: node.paint_order,
                    };
                }
                let element = Element {
                    tag: "",
                    role: None,
                    parent,
                    id: attribute("id"),
                    labelled_by: attribute("aria-labelledby"),
                    label: attribute("aria-label"),
                    alt: attribute("alt"),
                    title: attribute("title"),
                    placeholder: attribute("placeholder"),
                    value: attribute("value"),
                    kind: attribute("type"),
                    labels: attribute("for"),
                    texts_before: words.len(),
                    unseen: boxes[row].is_none(),
                };
                let index = nodes.len() as u32;
                if let Some(alt) = element.alt {
                    words.push((index, alt));
                }
                node_of_row[row] = Some(index);
                facts.push(fact);
                elements.push(element);
                nodes.push(node);
            }
            TEXT => {
                let Some(parent) = parent else { continue };
                let node = &mut nodes[parent as usize];
                if matches!(node.tag.as_str(), "style" | "script") {
                    continue; // Code, not text.
                }
                let text = string(rows.node_value[row]).unwrap_or_default();
                let before = node.text.len();
                for word in text.split_whitespace() {
                    if !node.text.is_empty() {
                        node.text.push(' ');
                    }
                    node.text.push_str(word);
                }
                if node.text.len() > before {
                    words.push((parent, text));
                    let fact = &facts[parent as usize];
                    if let Some(entry) = boxes[row].filter(|_| fact.shown && fact.opacity > 0.0) {
                        texts.push(rect(layout.bounds[entry]));
                    }
                }
            }
            _ => {}
        }
    }
    finish(&mut nodes, &facts, elements, &words, document);
    let (page_width, page_height) = (size(document.content_width), size(document.content_height));
    Some(Layout { page_width, page_height, nodes, texts, font_sizes: font_sizes(snapshot, string) })
}

/// What needs the whole list: names and visibility.
fn finish(
    nodes: &mut [Node],
    facts: &[Facts<'_>],
    elements: Vec<Element<'_>>,
    words: &[(u32, &str)],
    document: &DocumentSnapshot,
) {
    let ends = visibility::subtree_ends(facts);
    let names: Vec<String> = {
        let whole = |(element, node)| -> Element<'_> {
            let node: &Node = node;
            Element { tag: &node.tag, role: node.role.as_deref(), ..element }
        };
        let elements: Vec<Element<'_>> = elements.into_iter().zip(nodes.iter()).map(whole).collect();
        let names = Names::new(&elements, words, &ends);
        (0..elements.len()).map(|index| names.of(index)).collect()
    };
    let (width, height) = (size(document.content_width), size(document.content_height));
    let kinds = visibility::judge(facts, width as f32, height as f32);
    for ((node, name), kind) in nodes.iter_mut().zip(names).zip(kinds) {
        node.visible = !matches!(kind, Visibility::NoBox | Visibility::Hidden | Visibility::Transparent);
        node.name = name;
        node.visibility = kind;
    }
}

fn size(length: f64) -> u32 {
    length.max(0.0).ceil() as u32
}

fn rect(bounds: [f64; 4]) -> Rect {
    let [x, y, width, height] = bounds.map(|edge| edge as f32);
    Rect { x, y, width, height }
}

/// Each font size of a snapshot, once.
fn font_sizes<'a>(snapshot: &Snapshot, string: impl Fn(i64) -> Option<&'a str>) -> Vec<f64> {
    let boxes = snapshot.documents.iter().flat_map(|document| &document.layout.styles);
    let indexes: BTreeSet<(i64, Option<i64>)> =
        boxes.filter_map(|values| Some((*values.first()?, values.get(COMPUTED_STYLES.len() - 1).copied()))).collect();
    let px = |index: i64| string(index)?.trim_end_matches("px").parse::<f64>().ok();
    let size = |(size, fraction): (i64, Option<i64>)| Some(exact(px(size)?, fraction.and_then(px).unwrap_or_default()));
    indexes.into_iter().filter_map(size).collect()
}

/// A size that is known to six digits, by the fraction of its hundredfold, if that belongs to it.
fn exact(size: f64, fraction: f64) -> f64 {
    /// More than what rounding to six digits takes away.
    const ROUNDED: f64 = 1e-5;
    let exact = ((100.0 * size - fraction).round() + fraction) / 100.0;
    if (exact - size).abs() <= size * ROUNDED { exact } else { size }
}

/// The computed styles of a box.
struct Style<'a> {
    font_size: f32,
    color: &'a str,
    background: &'a str,
    visible: bool,
    opacity: f32,
    font_family: &'a str,
    font_weight: u16,
    clips: bool,
    position: &'a str,
    clip: &'a str,
    clip_path: &'a str,
}

impl<'a> Style<'a> {
    /// Text nodes and the document have no styles: all defaults.
    fn read(values: &[i64], string: impl Fn(i64) -> Option<&'a str>) -> Self {
        let value = |column: usize| values.get(column).and_then(|index| string(*index)).unwrap_or_default();
        Self {
            font_size: value(0).trim_end_matches("px").parse().unwrap_or_default(),
            color: value(1),
            background: value(2),
            visible: value(3) == "visible",
            opacity: value(4).parse().unwrap_or(1.0),
            font_family: value(5),
            // Weights may be fractions; columns of whole numbers are what readers expect.
            font_weight: value(6).parse::<f32>().unwrap_or_default().round() as u16,
            clips: !matches!(value(7), "visible" | ""),
            position: value(8),
            clip: value(9),
            clip_path: value(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `#document > html > (::before, body > ("a  b", i > "c", " d"))`, with boxes for html, body and i.
    fn small(i_opacity: &str) -> Snapshot {
        serde_json::from_value(serde_json::json!({
            "strings": ["HTML", "::before", "BODY", "#text", "a  b", "I", "c", " d", "16px", "red", "blue", "visible",
                        i_opacity, "role", "Note", "hidden"],
            "documents": [{
                "contentWidth": 1280, "contentHeight": 719.5,
                "nodes": {
                    "parentIndex": [-1, 0, 1, 1, 3, 3, 5, 3], "nodeType": [9, 1, 1, 1, 3, 1, 3, 3],
                    "nodeName": [-1, 0, 1, 2, 3, 5, 3, 3], "nodeValue": [-1, -1, -1, -1, 4, -1, 6, 7],
                    "attributes": [[], [], [], [], [], [13, 14], [], []],
                    "pseudoType": { "index": [2], "value": [1] },
                },
                "layout": {
                    "nodeIndex": [1, 3, 5, 5],
                    "styles": [[8, 9, 10, 11, 12], [8, 9, 10, 15, 12], [8, 9, 10, 11, 12], []],
                    "bounds": [[0, 0, 1280, 720], [8, 8, 1264, 700], [8, 8, 10, 18], [0, 0, 1, 1]],
                    "paintOrders": [0, 1, 2, 2],
                },
            }],
        }))
        .expect("as Chrome writes it")
    }

    #[test]
    fn elements_come_in_document_order_with_their_own_text() {
        let layout = read(&small("1")).expect("fits");
        let seen: Vec<_> =
            layout.nodes.iter().map(|n| (n.tag.as_str(), n.parent, n.text.as_str(), n.visible)).collect();
        let expected = [("html", None, "", true), ("body", Some(0), "a b d", false), ("i", Some(1), "c", true)];
        assert_eq!(seen, expected);
        assert_eq!((layout.page_width, layout.page_height), (1280, 720));
        assert_eq!(layout.nodes[2].role.as_deref(), Some("note"));
        assert_eq!(layout.nodes[2].rect, Rect { x: 8.0, y: 8.0, width: 10.0, height: 18.0 });
        assert_eq!((layout.nodes[1].visibility, layout.nodes[2].paint_order), (Visibility::Hidden, 2));
    }

    #[test]
    fn fractions_tell_sizes_apart_that_read_the_same() {
        let check = |size: f64, fraction: f64, expected: f64| assert!((exact(size, fraction) - expected).abs() < 1e-9);
        check(19.8, 0.999_924, 19.799_999_24);
        check(19.8, 0.0001, 19.800_001);
        check(16.0, 0.0, 16.0);
        check(13.3333, 0.333_33, 13.333_333_3);
        // Of a pseudo-element, or of a page that sets the property itself.
        check(13.3333, 0.0, 13.3333);
        check(13.3333, 40.0, 13.3333);
    }

    #[test]
    fn opacity_hides_children_too() {
        assert!(read(&small("0")).expect("fits").nodes.iter().all(|node| !node.visible));
    }

    #[test]
    fn columns_that_do_not_fit_are_refused() {
        let mut snapshot = small("1");
        snapshot.documents[0].nodes.node_name.pop();
        assert!(read(&snapshot).is_none());
    }
}
