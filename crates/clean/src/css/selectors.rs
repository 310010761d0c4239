//! The selectors and at-rules of a sheet as a flat list, to hold two sheets against each other.

use super::scan::{List, Statements};

/// Every selector, each of a list by itself, and every at-rule without rules inside, with the conditions around it before it; and
/// the bytes of it and of its share of the block.
pub(crate) fn selectors_of(css: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    // What is still to be read, and what stands around it.
    let mut open = vec![(css, List::Sheet, String::new())];
    while let Some((css, list, around)) = open.pop() {
        for statement in Statements::new(css, list) {
            let head = normal(statement.head);
            let is_group = ["@media", "@supports", "@layer", "@container", "@scope"]
                .iter()
                .any(|at| head.len() >= at.len() && head[..at.len()].eq_ignore_ascii_case(at));
            match statement.block {
                Some(block) if is_group => open.push((block, List::Rules, format!("{around}{head} "))),
                block => {
                    let selectors = split(&head);
                    let share = block.map_or(0, str::len) / selectors.len().max(1);
                    found.extend(selectors.iter().map(|one| (format!("{around}{one}"), one.len() + share)));
                }
            }
        }
    }
    found
}

/// White space is one space, and none stands where none is needed.
fn normal(head: &str) -> String {
    let words = head.split_whitespace().collect::<Vec<_>>().join(" ");
    [" > ", " + ", " ~ ", " , ", ", "].iter().fold(words, |text, spaced| text.replace(spaced, spaced.trim()))
}

/// The parts between commas that stand in no bracket.
fn split(head: &str) -> Vec<&str> {
    if head.starts_with('@') {
        return vec![head];
    }
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, c) in head.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(head[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(head[start..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::selectors_of;

    #[test]
    fn each_selector_stands_by_itself() {
        let check = |css: &str, expected: &[&str]| {
            let found: Vec<String> = selectors_of(css).into_iter().map(|(selector, _)| selector).collect();
            assert_eq!(found, expected, "{css}");
        };
        check("a , b:is(c, d) > e { x: y }", &["a", "b:is(c,d)>e"]);
        check("@media print { a { x: y } } b {}", &["b", "@media print a"]);
        check("@font-face { font-family: f }", &["@font-face"]);
        check("", &[]);
    }
}
