//! Vision2UI's `bbox` column: the layout as one JSON tree.
//!
//! Keys, their order and the truncation to whole pixels are theirs. They drop what is hidden and what has neither area
//! nor text. We keep an element if it or anything below it can be seen, so that a wrapper without height does not take
//! its visible content with it.

use item::Node;
use serde::Serialize;

/// Levels below `body` that are kept, as in Vision2UI.
const DEPTH_MAX: usize = 20;

#[derive(Serialize)]
struct Tree<'a> {
    r#type: &'a str,
    content: &'a str,
    style: Option<&'a str>,
    bbox: [i64; 4],
    children: Vec<Tree<'a>>,
}

/// The tree from the first `body` down, as JSON; an empty `body` when the page has none that can be seen.
pub(crate) fn bbox_json(nodes: &[Node]) -> String {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        // In document order a parent stands before its children; anything else would be a cycle.
        if let Some(parent) = node.parent.map(|parent| parent as usize).filter(|&parent| parent < index) {
            children[parent].push(index);
        }
    }
    let body = nodes.iter().position(|node| node.tag == "body");
    let tree = body.and_then(|body| tree(nodes, &children, body, 0));
    let empty = || Tree { r#type: "body", content: "", style: None, bbox: [0; 4], children: Vec::new() };
    // Plain data with text keys: serialising it cannot fail.
    serde_json::to_string(&tree.unwrap_or_else(empty)).unwrap_or_default()
}

fn tree<'a>(nodes: &'a [Node], children: &[Vec<usize>], index: usize, depth: usize) -> Option<Tree<'a>> {
    if depth > DEPTH_MAX {
        return None;
    }
    let node = &nodes[index];
    let below: Vec<Tree<'a>> =
        children[index].iter().filter_map(|&child| tree(nodes, children, child, depth + 1)).collect();
    if !node.visible && below.is_empty() {
        return None;
    }
    // Theirs is the text of an element whose only child is that text; markup shown as text is left out.
    let only_text = children[index].is_empty() && !node.text.starts_with('<');
    let whole = |edge: f32| edge as i64;
    Some(Tree {
        r#type: &node.tag,
        content: if only_text { &node.text } else { "" },
        style: node.style.as_deref(),
        bbox: [whole(node.rect.x), whole(node.rect.y), whole(node.rect.width), whole(node.rect.height)],
        children: below,
    })
}

#[cfg(test)]
mod tests {
    use item::Rect;

    use super::*;

    fn node(tag: &str, parent: Option<u32>, text: &str, visible: bool) -> Node {
        let rect = Rect { x: 1.9, y: -0.5, width: 10.0, height: 2.7 };
        Node { tag: tag.to_owned(), parent, rect, text: text.to_owned(), visible, ..Node::default() }
    }

    fn check(nodes: &[Node], expected: &str) {
        assert_eq!(bbox_json(nodes), expected);
    }

    #[test]
    fn the_tree_has_their_keys_in_their_order() {
        let mut link = node("a", Some(1), "Go", true);
        link.style = Some("color:red".to_owned());
        check(
            &[node("html", None, "", true), node("body", Some(0), "mixed", true), link],
            concat!(
                r#"{"type":"body","content":"","style":null,"bbox":[1,0,10,2],"children":["#,
                r#"{"type":"a","content":"Go","style":"color:red","bbox":[1,0,10,2],"children":[]}]}"#
            ),
        );
    }

    #[test]
    fn what_cannot_be_seen_is_left_out() {
        let leaf = |tag, text: &str| {
            format!(r#"{{"type":"{tag}","content":"{text}","style":null,"bbox":[1,0,10,2],"children":"#)
        };
        check(
            &[
                node("body", None, "", true),
                node("p", Some(0), "hidden", false),
                node("div", Some(0), "", false),
                node("b", Some(2), "seen", true),
                node("pre", Some(0), "<b>", true),
            ],
            &format!(
                "{}[{}[{}[]}}]}},{}[]}}]}}",
                leaf("body", ""),
                leaf("div", ""),
                leaf("b", "seen"),
                leaf("pre", "")
            ),
        );
        let empty = r#"{"type":"body","content":"","style":null,"bbox":[0,0,0,0],"children":[]}"#;
        check(&[], empty);
        check(&[node("body", Some(0), "", false)], empty);
    }

    #[test]
    fn deep_pages_are_cut() {
        let nodes: Vec<Node> = (0..40u32)
            .map(|depth| node(if depth == 0 { "body" } else { "div" }, depth.checked_sub(1), "", true))
            .collect();
        assert_eq!(bbox_json(&nodes).matches("\"type\"").count(), DEPTH_MAX + 1);
    }
}
