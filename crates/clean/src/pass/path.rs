//! Numbers in SVG drawings: digits beyond what a pixel can tell apart go.

use crate::dom::{Dom, NodeId};

/// Parts that the larger side of a drawing's box has. At 1,000 px a step is a fiftieth of a pixel.
const STEPS: f64 = 50_000.0;

/// Attributes that are lists of numbers in the drawing's own unit.
const NUMBERS: &[&str] = &["d", "points"];

pub(super) fn shorten(dom: &mut Dom) {
    let drawings: Vec<NodeId> = dom
        .descendants(Dom::DOCUMENT)
        .filter(|&node| {
            dom.element(node)
                .is_some_and(|e| !e.is_html() && e.attributes.iter().any(|a| NUMBERS.contains(&&*a.name.local)))
        })
        .collect();
    for node in drawings {
        let Some(decimals) = decimals(dom, node) else { continue };
        let Some(element) = dom.element_mut(node) else { continue };
        for attribute in element.attributes.iter_mut().filter(|a| NUMBERS.contains(&&*a.name.local)) {
            if let Some(short) = rounded(&attribute.value, decimals).filter(|short| short.len() < attribute.value.len())
            {
                attribute.value = short.as_str().into();
            }
        }
    }
}

/// Decimals that are enough, by the box of the drawing that the element stands in; `None` where it has none.
fn decimals(dom: &Dom, node: NodeId) -> Option<usize> {
    let outer = |node: &NodeId| dom.element(*node).is_some_and(|e| matches!(&*e.name.local, "svg" | "symbol"));
    let svg = dom.ancestors(node).find(outer).and_then(|node| dom.element(node))?;
    let numbers: Vec<f64> = svg
        .get("viewBox")?
        .split([' ', ',', '\t', '\n'])
        .filter(|number| !number.is_empty())
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    let &[_, _, width, height] = numbers.as_slice() else { return None };
    let side = width.max(height);
    // A transform may enlarge what is drawn.
    let is_transformed =
        dom.ancestors(node).chain([node]).filter_map(|node| dom.element(node)).any(|e| e.has("transform"));
    (side > 0.0 && side.is_finite() && !is_transformed).then(|| (STEPS / side).log10().ceil().clamp(0.0, 6.0) as usize)
}

/// The list with every number rounded; `None` if it holds something that is not understood.
fn rounded(list: &str, decimals: usize) -> Option<String> {
    let bytes = list.as_bytes();
    let mut out = String::with_capacity(list.len());
    let mut at = 0;
    // Flags of arcs may be written without anything between them.
    if bytes.iter().any(|byte| matches!(byte, b'a' | b'A' | b'e' | b'E')) {
        return None;
    }
    while at < bytes.len() {
        let byte = bytes[at];
        if byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+') {
            let end = number_end(bytes, at)?;
            let text = &list[at..end];
            let places = text.split_once('.').map_or(0, |(_, places)| places.len());
            let number = if places > decimals { short(text.parse().ok()?, decimals) } else { text.to_owned() };
            let continues = out.ends_with(|c: char| c.is_ascii_digit() || c == '.');
            let is_apart = number.starts_with('-') || number.starts_with('+');
            if continues && !is_apart && at > 0 && !matches!(bytes[at - 1], b' ' | b',' | b'\n' | b'\t') {
                out.push(' ');
            }
            out.push_str(&number);
            at = end;
        } else if byte.is_ascii_alphabetic() || matches!(byte, b' ' | b',' | b'\t' | b'\n') {
            out.push(char::from(byte));
            at += 1;
        } else {
            return None;
        }
    }
    Some(out)
}

fn number_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + usize::from(matches!(bytes[start], b'-' | b'+'));
    let mut has_point = false;
    let first = at;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' => {}
            b'.' if !has_point => has_point = true,
            _ => break,
        }
        at += 1;
    }
    (at > first + usize::from(has_point)).then_some(at)
}

fn short(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    match text {
        "-0" | "" => "0".to_owned(),
        _ => text.strip_prefix("0.").map_or_else(|| text.replacen("-0.", "-.", 1), |rest| format!(".{rest}")),
    }
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn numbers_lose_what_no_pixel_shows() {
        let check = |list: &str, decimals: usize, expected: Option<&str>| {
            assert_eq!(rounded(list, decimals).as_deref(), expected, "{list}");
        };
        check("M1.23456 2.5L-0.00001,3", 2, Some("M1.23 2.5L0,3"));
        check("M1.5.5-1.26", 1, Some("M1.5 .5-1.3"));
        check("M1.04.5", 1, Some("M1 .5"));
        check("M0.5555.5", 1, Some("M.6 .5"));
        check("10.123,20.456 30,40", 0, Some("10,20 30,40"));
        check("M1 1a1 1 0 01.5.5", 1, None);
        check("M1e-3 2", 1, None);
        check("M1 x", 1, Some("M1 x"));
    }
}
