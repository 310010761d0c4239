//! The elements of a document, without anything else.

use crate::CleanPolicy;
use crate::dom::{Caps, Dom, NodeData, parse};

/// Tag and index of the parent of each element as the HTML standard's parser builds the tree, in document order; contents of
/// templates are left out. `None` for a document that is larger than the parser takes.
pub fn outline(html: &str) -> Option<Vec<(String, Option<usize>)>> {
    let policy = CleanPolicy::default();
    let dom = parse(html, Caps { elements_max: policy.elements_max, depth_max: policy.depth_max }).ok()?;
    let mut places = vec![None; dom.size()];
    let mut elements: Vec<(String, Option<usize>)> = Vec::new();
    for id in dom.descendants(Dom::DOCUMENT) {
        if let NodeData::Element(element) = dom.data(id) {
            let parent = dom.parent(id).and_then(|parent| places[parent.index()]);
            places[id.index()] = Some(elements.len());
            elements.push((element.name.local.to_string(), parent));
        }
    }
    Some(elements)
}

#[cfg(test)]
mod tests {
    use super::outline;

    #[test]
    fn implied_elements_are_there() {
        let found = outline("<p>one<p>two<ul><li>x").expect("small");
        let shown: Vec<String> = found.iter().map(|(tag, parent)| format!("{tag}<{parent:?}")).collect();
        assert_eq!(
            shown,
            ["html<None", "head<Some(0)", "body<Some(0)", "p<Some(2)", "p<Some(2)", "ul<Some(2)", "li<Some(5)"]
        );
    }
}
