//! From Chrome's snapshot to our node list.

use item::{Node, Rect};

use crate::protocol::{CaptureSnapshot, Snapshot};
use crate::role::role_of;

const ELEMENT: u32 = 1;
const TEXT: u32 = 3;

/// Computed styles that are asked for; [`Style`] reads them in this order.
const COMPUTED_STYLES: &[&str] = &["font-size", "color", "background-color", "visibility", "opacity"];

pub(crate) const CAPTURE: CaptureSnapshot = CaptureSnapshot { computed_styles: COMPUTED_STYLES };

/// A laid-out page.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Whole document, CSS px.
    pub(crate) page_width: u32,
    pub(crate) page_height: u32,
    pub(crate) nodes: Vec<Node>,
}

/// Reads the main document of a snapshot; `None` if its columns do not fit together.
pub(crate) fn read(snapshot: &Snapshot) -> Option<Layout> {
    let document = snapshot.documents.first()?;
    let string = |index: i64| usize::try_from(index).ok().and_then(|i| snapshot.strings.get(i)).map(String::as_str);
    let rows = &document.nodes;
    let count = rows.node_type.len();
    let columns = [rows.parent_index.len(), rows.node_name.len(), rows.node_value.len(), rows.attributes.len()];
    if columns != [count; 4] {
        return None;
    }

    // Pseudo-elements and shadow trees are not the page's own elements; neither is anything inside them.
    let mut foreign = vec![false; count];
    for &row in rows.pseudo_type.index.iter().chain(&rows.shadow_root_type.index) {
        *foreign.get_mut(row)? = true;
    }
    let mut boxes: Vec<Option<usize>> = vec![None; count];
    for (entry, &row) in document.layout.node_index.iter().enumerate() {
        boxes.get_mut(row)?.get_or_insert(entry); // The first box of a node is its own, later ones are of its text.
    }

    let mut nodes: Vec<Node> = Vec::new();
    let mut opacities: Vec<f32> = Vec::new();
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
                let tag = string(rows.node_name[row])?.to_ascii_lowercase();
                let attribute = |name: &str| {
                    let mut pairs = rows.attributes[row].chunks_exact(2);
                    pairs.find(|pair| string(pair[0]) == Some(name)).map(|pair| string(pair[1]).unwrap_or_default())
                };
                let role = role_of(&tag, attribute);
                let style = attribute("style").map(str::to_owned);
                let mut node = Node { tag, parent, role, style, ..Node::default() };
                let inherited = parent.map_or(1.0, |parent| opacities[parent as usize]);
                let mut opacity = inherited;
                if let Some(entry) = boxes[row] {
                    let computed = Style::read(document.layout.styles.get(entry)?, string);
                    let [x, y, width, height] = document.layout.bounds.get(entry)?.map(|edge| edge as f32);
                    opacity *= computed.opacity;
                    node.rect = Rect { x, y, width, height };
                    node.visible = width > 0.0 && height > 0.0 && computed.visible && opacity > 0.0;
                    node.font_size = computed.font_size;
                    computed.color.clone_into(&mut node.color);
                    computed.background.clone_into(&mut node.background);
                }
                node_of_row[row] = Some(nodes.len() as u32);
                opacities.push(opacity);
                nodes.push(node);
            }
            TEXT => {
                let Some(parent) = parent else { continue };
                let node = &mut nodes[parent as usize];
                if matches!(node.tag.as_str(), "style" | "script") {
                    continue; // Code, not text.
                }
                for word in string(rows.node_value[row]).unwrap_or_default().split_whitespace() {
                    if !node.text.is_empty() {
                        node.text.push(' ');
                    }
                    node.text.push_str(word);
                }
            }
            _ => {}
        }
    }
    let size = |length: f64| length.max(0.0).ceil() as u32;
    Some(Layout { page_width: size(document.content_width), page_height: size(document.content_height), nodes })
}

/// The computed styles of a box.
struct Style<'a> {
    font_size: f32,
    color: &'a str,
    background: &'a str,
    visible: bool,
    opacity: f32,
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
