//! Long texts.
//!
//! A text is what stands in one block between two others: words, links and emphasis. It is measured in units: a word, a
//! character of a script without spaces, or a piece of a word that is longer than words are. It ends with a sentence if one
//! ends in the second half of what may stay, otherwise with an ellipsis, which counts as nothing. So a text that was cut
//! is short enough.

use html5ever::{LocalName, local_name};

use super::refer::Referred;
use crate::dom::{Dom, NodeId};

/// Characters of a unit in a long word: links and hashes are one word and many tokens.
const UNIT_CHARS: usize = 24;

/// Letters before a full stop that ends a sentence: abbreviations are shorter.
const LAST_WORD_CHARS_MIN: usize = 3;

const ELLIPSIS: char = '…';

/// Elements that are part of a text.
pub(super) fn is_phrasing(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("a")
            | local_name!("abbr")
            | local_name!("acronym")
            | local_name!("b")
            | local_name!("bdi")
            | local_name!("bdo")
            | local_name!("big")
            | local_name!("br")
            | local_name!("cite")
            | local_name!("code")
            | local_name!("data")
            | local_name!("del")
            | local_name!("dfn")
            | local_name!("em")
            | local_name!("font")
            | local_name!("i")
            | local_name!("ins")
            | local_name!("kbd")
            | local_name!("mark")
            | local_name!("nobr")
            | local_name!("q")
            | local_name!("s")
            | local_name!("samp")
            | local_name!("small")
            | local_name!("span")
            | local_name!("strike")
            | local_name!("strong")
            | local_name!("sub")
            | local_name!("sup")
            | local_name!("time")
            | local_name!("tt")
            | local_name!("u")
            | local_name!("var")
            | local_name!("wbr")
    )
}

/// Elements whose text is not shortened.
fn is_closed(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("audio")
            | local_name!("canvas")
            | local_name!("datalist")
            | local_name!("iframe")
            | local_name!("listing")
            | local_name!("map")
            | local_name!("object")
            | local_name!("pre")
            | local_name!("ruby")
            | local_name!("select")
            | local_name!("style")
            | local_name!("textarea")
            | local_name!("title")
            | local_name!("video")
            | local_name!("xmp")
    )
}

/// Cuts each text to `most` units; gives the nodes that the cut ones begin with.
pub(super) fn cut(dom: &mut Dom, most: usize, referred: &Referred) -> Vec<NodeId> {
    let mut cut = Vec::new();
    let mut open: Vec<NodeId> = dom.html_child(&local_name!("body")).into_iter().collect();
    while let Some(parent) = open.pop() {
        let (texts, others) = texts_in(dom, parent);
        open.extend(others);
        for text in texts {
            if !text.iter().any(|&node| referred.has_any_in(dom, node))
                && let Some(end) = end_of(dom, &text, most)
            {
                shorten(dom, &text, &end);
                cut.extend(text.first());
            }
        }
    }
    cut
}

/// The texts among the children, and the children that may have texts of their own.
fn texts_in(dom: &Dom, parent: NodeId) -> (Vec<Vec<NodeId>>, Vec<NodeId>) {
    let (mut texts, mut others) = (Vec::new(), Vec::new());
    let mut run: Vec<NodeId> = Vec::new();
    let mut close = |run: &mut Vec<NodeId>, others: &mut Vec<NodeId>| {
        let run = std::mem::take(run);
        // A row of links is a row of links; what has words beside them is a text.
        if run.iter().any(|&node| dom.text(node).is_some_and(|text| !text.trim().is_empty())) {
            texts.push(run);
        } else {
            others.extend(run.into_iter().filter(|&node| dom.element(node).is_some()));
        }
    };
    for child in dom.children(parent) {
        if is_of_text(dom, child) {
            run.push(child);
            continue;
        }
        close(&mut run, &mut others);
        if dom.element(child).and_then(|element| element.html_name()).is_some_and(|name| !is_closed(name)) {
            others.push(child);
        }
    }
    close(&mut run, &mut others);
    (texts, others)
}

fn is_of_text(dom: &Dom, node: NodeId) -> bool {
    std::iter::once(node).chain(dom.descendants(node)).all(|node| {
        dom.text(node).is_some() || dom.element(node).and_then(|element| element.html_name()).is_some_and(is_phrasing)
    })
}

/// Where a text is to end.
struct End {
    node: NodeId,
    at: usize,
    is_sentence: bool,
}

/// The end of a text that has more than `most` units.
fn end_of(dom: &Dom, text: &[NodeId], most: usize) -> Option<End> {
    let nodes = text.iter().flat_map(|&node| std::iter::once(node).chain(dom.descendants(node)));
    let mut units = 0;
    let mut sentence = None;
    for node in nodes {
        let Some(content) = dom.text(node) else { continue };
        let mut word = 0;
        for (at, c) in content.char_indices() {
            if c.is_whitespace() {
                word = 0;
            } else if c != ELLIPSIS {
                if is_wide(c) || word % UNIT_CHARS == 0 {
                    if units == most {
                        return Some(sentence.unwrap_or(End { node, at, is_sentence: false }));
                    }
                    units += 1;
                }
                word = if is_wide(c) { 0 } else { word + 1 };
            }
            let after = at + c.len_utf8();
            if units * 2 >= most && ends_sentence(content, at, c) {
                sentence = Some(End { node, at: after, is_sentence: true });
            }
        }
    }
    None
}

fn ends_sentence(text: &str, at: usize, c: char) -> bool {
    match c {
        '。' | '！' | '？' => true,
        '.' | '!' | '?' => {
            let is_last = text[at + 1..].starts_with(char::is_whitespace);
            let word = text[..at].chars().rev().take_while(|c| c.is_alphanumeric());
            is_last && (c != '.' || word.take(LAST_WORD_CHARS_MIN).count() == LAST_WORD_CHARS_MIN)
        }
        _ => false,
    }
}

/// Characters of scripts that part no words by spaces.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

fn shorten(dom: &mut Dom, text: &[NodeId], end: &End) {
    let content = dom.text(end.node).unwrap_or_default();
    let kept = content.get(..end.at).unwrap_or_default().trim_end();
    let kept = if end.is_sentence { kept.to_owned() } else { format!("{kept} {ELLIPSIS}") };
    dom.set_text(end.node, &kept);
    // What follows inside the elements around the end, then what follows those.
    let mut node = end.node;
    while !text.contains(&node) {
        while let Some(next) = dom.next_sibling(node) {
            dom.detach(next);
        }
        let Some(parent) = dom.parent(node) else { return };
        node = parent;
    }
    for &later in text.iter().skip_while(|&&member| member != node).skip(1) {
        dom.detach(later);
    }
}
