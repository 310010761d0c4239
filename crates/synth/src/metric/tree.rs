//! TreeBLEU: how many small subtrees two documents share.
//!
//! Gui et al., "WebCode2M: A Real-World Dataset for Code Generation from Webpage Designs", 2024. A subtree is an element
//! with at least one child and the ordered tags of its children. The paper's TreeBLEU is the share of the reference's *set*
//! of subtrees that the candidate has: it neither counts repetition nor minds what is too much, so two more numbers stand
//! beside it.

use std::collections::HashMap;

/// What two trees have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TreeScore {
    /// TreeBLEU as the paper has it: recall of the set of subtrees.
    pub recall: f64,
    /// Share of the candidate's subtrees, each counted as often as it occurs, that the reference's set has: what the
    /// published code calls `tree_bleu`.
    pub precision: f64,
    /// F1 of the multisets of subtrees: repetition counts on both sides.
    pub multiset_f1: f64,
}

/// Compares a candidate with a reference; each tree is a list of elements in document order, with tag and index of the
/// parent. Zero where one of them has no subtree.
pub fn tree_score<'a>(
    reference: impl IntoIterator<Item = (&'a str, Option<usize>)>,
    candidate: impl IntoIterator<Item = (&'a str, Option<usize>)>,
) -> TreeScore {
    let (reference, candidate) = (subtrees(reference), subtrees(candidate));
    if reference.is_empty() || candidate.is_empty() {
        return TreeScore::default();
    }
    let total = |trees: &HashMap<String, usize>| trees.values().sum::<usize>() as f64;
    let shared = candidate.iter().filter(|(tree, _)| reference.contains_key(*tree));
    let (kinds, occurrences) = shared.fold((0, 0), |(kinds, all), (_, count)| (kinds + 1, all + count));
    let pairs: usize =
        candidate.iter().map(|(tree, count)| reference.get(tree).map_or(0, |other| *other.min(count))).sum();
    TreeScore {
        recall: f64::from(kinds) / reference.len() as f64,
        precision: occurrences as f64 / total(&candidate),
        multiset_f1: 2.0 * pairs as f64 / (total(&reference) + total(&candidate)),
    }
}

/// `parent_child1_child2` with how often it occurs.
fn subtrees<'a>(elements: impl IntoIterator<Item = (&'a str, Option<usize>)>) -> HashMap<String, usize> {
    let mut trees: Vec<(String, bool)> = Vec::new();
    for (tag, parent) in elements {
        let tag = tag.to_ascii_lowercase();
        if let Some((tree, has_child)) = parent.and_then(|parent| trees.get_mut(parent)) {
            tree.push('_');
            tree.push_str(&tag);
            *has_child = true;
        }
        trees.push((tag, false));
    }
    let mut counts = HashMap::new();
    for (tree, has_child) in trees {
        if has_child {
            *counts.entry(tree).or_default() += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reference: &[(&str, Option<usize>)], candidate: &[(&str, Option<usize>)], expected: [f64; 3]) {
        let found = tree_score(reference.iter().copied(), candidate.iter().copied());
        assert_eq!([found.recall, found.precision, found.multiset_f1], expected);
    }

    #[test]
    fn sets_and_multisets() {
        // ul > (li > a) x 2
        let list = [("ul", None), ("li", Some(0)), ("a", Some(1)), ("li", Some(0)), ("a", Some(3))];
        // ul > (li > a) x 1
        let one = [("ul", None), ("li", Some(0)), ("a", Some(1))];
        check(&list, &list, [1.0, 1.0, 1.0]);
        // Of {ul_li_li, li_a} the candidate has li_a; of its {ul_li, li_a} one is known.
        check(&list, &one, [0.5, 0.5, 2.0 / 5.0]);
        check(&one, &list, [0.5, 2.0 / 3.0, 2.0 / 5.0]);
        check(&list, &[("ul", None)], [0.0; 3]);
    }
}
