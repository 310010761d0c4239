//! Changes of a text, exactly.

use std::ops::Range;

use similar::TextDiff;

/// One range of bytes, and what stands there afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Bytes of the text before; empty to insert.
    pub range: Range<usize>,
    /// The new text.
    pub text: String,
}

impl Change {
    /// Puts text in at a place.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { range: at..at, text: text.into() }
    }

    /// Puts text in the place of a range.
    pub fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, text: text.into() }
    }

    /// Takes a range out.
    pub fn remove(range: Range<usize>) -> Self {
        Self { range, text: String::new() }
    }
}

/// Changes cannot be made together, or not of this text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// Two changes touch one place.
    #[error("two changes touch byte {0}")]
    Overlap(usize),
    /// A range ends outside of the text, or inside of a character.
    #[error("byte {0} is no place in the text")]
    Place(usize),
}

/// Changes in the order of their places; no two of them touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch(Vec<Change>);

impl Patch {
    /// Orders the changes and checks them against the text that they are made for.
    pub fn new(html: &str, mut changes: Vec<Change>) -> Result<Self, PatchError> {
        changes.sort_by_key(|change| (change.range.start, change.range.end));
        let mut free_from = None;
        for Change { range, .. } in &changes {
            for place in [range.start, range.end] {
                if range.start > range.end || !html.is_char_boundary(place) {
                    return Err(PatchError::Place(place));
                }
            }
            // Two insertions at one place would have no order.
            if free_from.is_some_and(|end| range.start <= end) {
                return Err(PatchError::Overlap(range.start));
            }
            free_from = Some(range.end);
        }
        Ok(Self(changes))
    }

    /// What makes one text of another, tag by tag and declaration by declaration: [`pieces`].
    pub fn between(before: &str, after: &str) -> Self {
        let (old, new) = (pieces(before), pieces(after));
        let mut changes: Vec<Change> = Vec::new();
        let mut at = 0;
        for op in similar::capture_diff_slices(similar::Algorithm::Myers, &old, &new) {
            let (tag, old_range, new_range) = op.as_tag_tuple();
            let start = at;
            at += old[old_range].iter().map(|piece| piece.len()).sum::<usize>();
            if tag == similar::DiffTag::Equal {
                continue;
            }
            let text = new[new_range].concat();
            match changes.last_mut() {
                // Operations that touch are one change.
                Some(last) if last.range.end == start => {
                    last.range.end = at;
                    last.text.push_str(&text);
                }
                _ => changes.push(Change { range: start..at, text }),
            }
        }
        Self(changes)
    }

    /// The changes, by place.
    pub fn changes(&self) -> &[Change] {
        &self.0
    }

    /// The text afterwards.
    pub fn apply(&self, html: &str) -> String {
        let mut after =
            String::with_capacity(html.len() + self.0.iter().map(|change| change.text.len()).sum::<usize>());
        let mut from = 0;
        for Change { range, text } in &self.0 {
            after.push_str(&html[from..range.start]);
            after.push_str(text);
            from = range.end;
        }
        after.push_str(&html[from..]);
        after
    }

    /// The patch that makes `html` again out of what [`Patch::apply`] made of it.
    pub fn inverse(&self, html: &str) -> Self {
        let mut changes = Vec::with_capacity(self.0.len());
        let (mut grown, mut shrunk) = (0, 0);
        for Change { range, text } in &self.0 {
            let start = range.start + grown - shrunk;
            changes.push(Change { range: start..start + text.len(), text: html[range.clone()].to_owned() });
            grown += text.len();
            shrunk += range.len();
        }
        Self(changes)
    }
}

/// A text in pieces that belong together: tags, texts, rules, declarations, lines.
pub(crate) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut cut = |end: usize| {
        if end > start {
            pieces.push(&text[start..end]);
            start = end;
        }
    };
    for (at, letter) in text.char_indices() {
        match letter {
            '<' => cut(at),
            '>' | '}' | ';' | '\n' => cut(at + 1),
            _ => {}
        }
    }
    cut(text.len());
    pieces
}

/// A unified diff of two texts with three lines of context, as `diff -u` and `patch` speak it.
pub fn unified_diff(before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after).unified_diff().header("a.html", "b.html").context_radius(3).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn changes_that_touch_are_refused() {
        let html = "0123456789";
        for (ranges, expected) in [
            (vec![1..2, 4..5], Ok(())),
            (vec![1..3, 2..5], Err(PatchError::Overlap(2))),
            (vec![1..3, 3..5], Err(PatchError::Overlap(3))),
            (vec![4..4, 4..4], Err(PatchError::Overlap(4))),
            (vec![1..2, 8..11], Err(PatchError::Place(11))),
        ] {
            let changes = ranges.into_iter().map(Change::remove).collect();
            assert_eq!(Patch::new(html, changes).map(drop), expected);
        }
        assert_eq!(Patch::new("é", vec![Change::insert(1, "x")]), Err(PatchError::Place(1)));
    }

    proptest! {
        #[test]
        fn the_inverse_gives_the_bytes_back(
            html in "[a-z<>é]{0,40}",
            cuts in proptest::collection::vec((0..60_usize, 0..6_usize, "[A-Z]{0,8}"), 0..5),
        ) {
            let changes = cuts.into_iter().map(|(start, length, text)| Change::replace(start..start + length, text));
            if let Ok(patch) = Patch::new(&html, changes.collect()) {
                let after = patch.apply(&html);
                prop_assert_eq!(patch.inverse(&html).apply(&after), html);
            }
        }
    }

    proptest! {
        #[test]
        fn what_lies_between_leads_from_one_to_the_other(
            before in "(<p>|</p>|a;|b|é|\n|\\}){0,30}",
            after in "(<p>|</p>|a;|b|é|\n|\\}){0,30}",
        ) {
            prop_assert_eq!(pieces(&before).concat(), before.as_str());
            let patch = Patch::between(&before, &after);
            prop_assert_eq!(patch.apply(&before), after.as_str());
            prop_assert_eq!(Patch::new(&before, patch.changes().to_vec()), Ok(patch), "no two changes touch");
        }
    }

    #[test]
    fn diffs_are_of_the_common_form() {
        let diff = unified_diff("a\nb\nc\n", "a\nx\nc\n");
        assert_eq!(diff, "--- a.html\n+++ b.html\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
        assert_eq!(unified_diff("a\n", "a\n"), "");
    }
}
