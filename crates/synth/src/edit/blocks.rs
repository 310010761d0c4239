//! Search/replace blocks: the form in which models write edits of a file.

use std::ops::Range;

use super::patch::Patch;

/// One block: text that stands in the file exactly once, and what it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What stands there.
    pub search: String,
    /// What shall stand there.
    pub replace: String,
}

const SEARCH: &str = "<<<<<<< SEARCH";
const MIDDLE: &str = "=======";
const REPLACE: &str = ">>>>>>> REPLACE";

/// Lines that are longer are cut to the neighbourhood of the change.
const LINE_BYTES: usize = 240;

/// Blocks that do what the patch does. Each search text is unique in `html`; blocks do not overlap, so that they can be
/// applied in any order.
pub fn search_replace(html: &str, patch: &Patch) -> Vec<Block> {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for change in patch.changes() {
        let span = unique_span(html, change.range.start, change.range.end);
        match spans.last_mut() {
            // What reaches into its neighbour becomes one block with it: a union of unique texts is unique.
            Some(last) if span.0 <= last.1 => last.1 = last.1.max(span.1),
            _ => spans.push(span),
        }
    }
    spans.into_iter().map(|(start, end)| block(html, patch, start, end)).collect()
}

fn block(html: &str, patch: &Patch, start: usize, end: usize) -> Block {
    let mut replace = String::new();
    let mut from = start;
    for change in patch.changes().iter().filter(|change| start <= change.range.start && change.range.end <= end) {
        replace.push_str(&html[from..change.range.start]);
        replace.push_str(&change.text);
        from = change.range.end;
    }
    replace.push_str(&html[from..end]);
    Block { search: html[start..end].to_owned(), replace }
}

/// The whole lines around a range, or its neighbourhood in long ones, widened until the text is unique.
fn unique_span(html: &str, start: usize, end: usize) -> (usize, usize) {
    let line_start = html[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = html[end..].find('\n').map_or(html.len(), |at| end + at);
    let mut margin = 24;
    let (mut from, mut to) = if line_end - line_start <= LINE_BYTES && line_end > line_start {
        (line_start, line_end)
    } else {
        (floor(html, start.saturating_sub(margin)), ceil(html, end + margin))
    };
    while !is_unique(html, &html[from..to]) {
        margin *= 2;
        (from, to) = (floor(html, start.saturating_sub(margin)).min(from), ceil(html, end + margin).max(to));
    }
    (from, to)
}

fn floor(html: &str, at: usize) -> usize {
    html.floor_char_boundary(at.min(html.len()))
}

fn ceil(html: &str, at: usize) -> usize {
    html.ceil_char_boundary(at.min(html.len()))
}

/// Overlapping repetitions count too: nobody could say which one is meant.
fn is_unique(html: &str, text: &str) -> bool {
    let Some(first) = html.find(text) else { return false };
    let next = ceil(html, first + 1);
    text.is_empty() && html.is_empty() || !text.is_empty() && !html[next..].contains(text)
}

/// Blocks as text.
pub fn write_blocks(blocks: &[Block]) -> String {
    let block = |block: &Block| format!("{SEARCH}\n{}\n{MIDDLE}\n{}\n{REPLACE}\n", block.search, block.replace);
    blocks.iter().map(block).collect()
}

/// Blocks out of a text that may say other things around them. `Err` says what is wrong, in words that a model can use.
pub fn parse_blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_end() != SEARCH {
            continue;
        }
        let search = take_until(&mut lines, MIDDLE).ok_or("a block has no `=======` line")?;
        let replace = take_until(&mut lines, REPLACE).ok_or("a block has no `>>>>>>> REPLACE` line")?;
        if search.is_empty() {
            return Err("a block searches for nothing".to_owned());
        }
        blocks.push(Block { search, replace });
    }
    if blocks.is_empty() { Err("there is no search/replace block".to_owned()) } else { Ok(blocks) }
}

fn take_until<'a>(lines: &mut impl Iterator<Item = &'a str>, end: &str) -> Option<String> {
    let mut taken = Vec::new();
    for line in lines {
        if line.trim_end() == end {
            return Some(taken.join("\n"));
        }
        taken.push(line);
    }
    None
}

/// Applies blocks to a text: each must be found exactly once in it, as it was before any of them. Where the very bytes are not there, lines that differ
/// in blanks at their ends alone will do.
pub fn apply_blocks(html: &str, blocks: &[Block]) -> Result<String, String> {
    let mut changes = Vec::new();
    for Block { search, replace } in blocks {
        let place = match html.find(search.as_str()) {
            Some(_) if !is_unique(html, search) => {
                return Err(format!("found more than once in the file: {search:.200}"));
            }
            Some(at) => at..at + search.len(),
            None => lines_like(html, search).ok_or_else(|| format!("not found in the file: {search:.200}"))?,
        };
        changes.push(super::Change::replace(place, replace.as_str()));
    }
    let patch = Patch::new(html, changes).map_err(|error| error.to_string())?;
    Ok(patch.apply(html))
}

/// The only place where whole lines stand that are equal but for blanks at their ends.
fn lines_like(html: &str, search: &str) -> Option<Range<usize>> {
    let wanted: Vec<&str> = search.lines().map(str::trim_end).collect();
    let mut at = 0;
    let mut lines: Vec<(usize, &str)> = Vec::new();
    for line in html.split_inclusive('\n') {
        lines.push((at, line.trim_end()));
        at += line.len();
    }
    let is_like = |window: &[(usize, &str)]| window.iter().map(|(_, line)| *line).eq(wanted.iter().copied());
    let mut found = lines.windows(wanted.len().max(1)).filter(|window| is_like(window));
    let (window, others) = (found.next()?, found.next());
    let (start, (last, line)) = (window.first()?.0, window.last()?);
    others.is_none().then_some(start..last + line.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Change;
    use super::*;

    #[test]
    fn a_block_shows_its_lines() {
        let html = "<p>\n<b>one</b>\n</p>\n";
        let patch = Patch::new(html, vec![Change::replace(7..10, "two")]).expect("fits");
        let blocks = search_replace(html, &patch);
        assert_eq!(write_blocks(&blocks), "<<<<<<< SEARCH\n<b>one</b>\n=======\n<b>two</b>\n>>>>>>> REPLACE\n");
        assert_eq!(apply_blocks(html, &blocks), Ok("<p>\n<b>two</b>\n</p>\n".to_owned()));
    }

    #[test]
    fn what_models_get_wrong() {
        for (text, expected) in [
            ("no blocks", "there is no search/replace block"),
            ("<<<<<<< SEARCH\na\n", "a block has no `=======` line"),
            ("<<<<<<< SEARCH\na\n=======\nb", "a block has no `>>>>>>> REPLACE` line"),
            ("<<<<<<< SEARCH\n=======\nb\n>>>>>>> REPLACE", "a block searches for nothing"),
        ] {
            assert_eq!(parse_blocks(text), Err(expected.to_owned()), "{text}");
        }
        let block = |search: &str| [Block { search: search.to_owned(), replace: "x".to_owned() }];
        assert_eq!(apply_blocks("a \n\tb\nc", &block("a\n\tb  ")), Ok("x\nc".to_owned()));
        assert_eq!(apply_blocks("a \na\t\n", &block("a  ")), Err("not found in the file: a  ".to_owned()));
        assert_eq!(apply_blocks("aba", &block("c")), Err("not found in the file: c".to_owned()));
        assert_eq!(apply_blocks("aba", &block("a")), Err("found more than once in the file: a".to_owned()));
    }

    proptest! {
        #[test]
        fn blocks_do_what_the_patch_does(
            html in "[ab\n]{1,60}",
            cuts in proptest::collection::vec((0..60_usize, 0..6_usize, "[A-Z\n]{0,8}"), 1..4),
        ) {
            let changes = cuts.into_iter().map(|(start, length, text)| Change::replace(start..start + length, text));
            if let Ok(patch) = Patch::new(&html, changes.collect()) {
                let blocks = search_replace(&html, &patch);
                prop_assert_eq!(apply_blocks(&html, &blocks), Ok(patch.apply(&html)));
            }
        }
    }
}
