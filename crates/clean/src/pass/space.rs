//! White space that shows the same in less or more regular code.
//!
//! Runs of collapsible white space shrink, but one never vanishes and none is made: what is a gap between two boxes
//! stays one. Runs with a line feed become a line feed with the indentation of what follows. Where white space shows
//! (`<pre>`, `white-space`) nothing changes.

use html5ever::local_name;

use crate::css::{Format, Purge};
use crate::dom::{Dom, Element, NodeId};

/// One step of indentation.
const STEP: &str = "  ";

/// Deepest indentation: beyond, lines would be mostly white space.
const STEPS_MAX: usize = 24;

/// Makes the white space of the body regular.
pub(super) fn settle(dom: &mut Dom, purge: &Purge<'_>, format: Format) {
    let Some(body) = dom.html_child(&local_name!("body")) else { return };
    let Some(keeping) = purge.keeping_space(dom) else { return };
    let mut keeps = vec![false; dom.size()];
    for node in keeping {
        keeps[node.index()] = true;
    }
    if dom.ancestors(body).chain([body]).any(|node| keeps[node.index()]) {
        return;
    }
    let mut changes = Vec::new();
    let mut next = dom.following(body, body, false);
    let mut depth = 0;
    let mut at = body;
    while let Some(node) = next {
        depth = depth_after_step(dom, at, node, depth);
        at = node;
        let is_kept = keeps[node.index()] || dom.element(node).is_some_and(keeps_space);
        if let Some(text) = dom.text(node) {
            let after = if dom.next_sibling(node).is_some() { depth - 1 } else { depth.saturating_sub(2) };
            let regular = regular(text, &line_start(depth - 1, format), &line_start(after, format));
            if *regular != *text {
                changes.push((node, regular));
            }
        }
        next = dom.following(node, body, is_kept);
    }
    for (node, text) in changes {
        dom.set_text(node, &text);
    }
}

/// Depth of `to` below the body, 1 for its children, when a walk in document order comes from `from`.
fn depth_after_step(dom: &Dom, from: NodeId, to: NodeId, depth: usize) -> usize {
    if dom.parent(to) == Some(from) {
        return depth + 1;
    }
    let mut depth = depth;
    let mut node = from;
    while dom.parent(node) != dom.parent(to) {
        let Some(parent) = dom.parent(node) else { break };
        node = parent;
        depth -= 1;
    }
    depth
}

fn line_start(depth: usize, format: Format) -> String {
    match format {
        Format::Readable => format!("\n{}", STEP.repeat(depth.min(STEPS_MAX))),
        Format::Dense => "\n".to_owned(),
    }
}

/// Elements whose text is not what CSS collapses, or not by the same rules.
fn keeps_space(element: &Element) -> bool {
    let by_name = match element.html_name() {
        Some(name) => matches!(
            *name,
            local_name!("pre")
                | local_name!("textarea")
                | local_name!("listing")
                | local_name!("xmp")
                | local_name!("iframe")
                | local_name!("noembed")
                | local_name!("noframes")
                | local_name!("style")
                | local_name!("title")
        ),
        None => matches!(&*element.name.local, "text" | "math" | "style" | "title"),
    };
    let by_style = || {
        let Some(style) = element.get("style") else { return false };
        let mut declarations = style.split(';').filter_map(|declaration| declaration.split_once(':'));
        declarations.any(|(name, value)| {
            let name = name.trim().to_ascii_lowercase();
            let value = value.trim().to_ascii_lowercase();
            (name.starts_with("white-space") && !matches!(value.as_str(), "normal" | "nowrap")) || name == "all"
        })
    };
    let by_attribute = || element.attributes.iter().any(|a| &*a.name.local == "space");
    by_name || by_style() || (!element.is_html() && by_attribute())
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n')
}

/// Scripts that part no words by spaces: there a line feed vanishes where a space would show.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{a4cf}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ffef}' | '\u{1b000}'..='\u{1b2ff}' | '\u{1f000}'..='\u{3ffff}')
}

/// The text with regular white space; `before` and `after` are line starts for what stands in it and after it.
fn regular(text: &str, before: &str, after: &str) -> String {
    let short = |run: &str, line: &str| match run {
        "" => String::new(),
        run if run.contains('\n') => line.to_owned(),
        _ => " ".to_owned(),
    };
    let inner = text.trim_start_matches(is_space);
    let leading = &text[..text.len() - inner.len()];
    if inner.is_empty() {
        return short(leading, after);
    }
    let core = inner.trim_end_matches(is_space);
    let trailing = &inner[core.len()..];
    let mut out = short(leading, before);
    let mut rest = core;
    while let Some(at) = rest.find(is_space) {
        out.push_str(&rest[..at]);
        let following = rest[at..].trim_start_matches(is_space);
        let run = &rest[at..rest.len() - following.len()];
        let is_between_wide = || out.ends_with(is_wide) || following.starts_with(is_wide);
        out.push(if run.contains('\n') && is_between_wide() { '\n' } else { ' ' });
        rest = following;
    }
    out.push_str(rest);
    out.push_str(&short(trailing, after));
    out
}

/// A line for each element of the head; none of its white space shows.
pub(super) fn settle_head(dom: &mut Dom) {
    let (Some(html), Some(head)) = (dom.html(), dom.html_child(&local_name!("head"))) else { return };
    let title = dom.children(head).find(|&node| dom.is(node, &local_name!("title")));
    if let Some(text) = title.and_then(|title| dom.children(title).next()) {
        let words = dom.text(text).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        dom.set_text(text, &words);
    }
    for parent in [html, head] {
        let spaces: Vec<NodeId> = dom
            .children(parent)
            .filter(|&node| dom.text(node).is_some_and(|text| text.chars().all(char::is_whitespace)))
            .collect();
        for space in spaces {
            dom.detach(space);
        }
    }
    let children: Vec<NodeId> = dom.children(head).collect();
    for child in children {
        let line = dom.add_text("\n");
        dom.insert_before(child, line);
    }
    let line = dom.add_text("\n");
    dom.append(head, line);
    if let Some(body) = dom.html_child(&local_name!("body")) {
        let line = dom.add_text("\n");
        dom.insert_before(body, line);
    }
}

#[cfg(test)]
mod tests {
    use super::regular;

    #[test]
    fn runs_shrink_and_never_vanish() {
        let check = |text: &str, expected: &str| assert_eq!(regular(text, "\n  ", "\n "), expected, "{text:?}");
        check("", "");
        check("  ", " ");
        check(" \n\t ", "\n ");
        check("a  b\n c", "a b c");
        check("\n  a \n", "\n  a\n ");
        check(" a\u{a0} b ", " a\u{a0} b ");
        check("漢\n字", "漢\n字");
        check("漢 字", "漢 字");
    }
}
