//! Items with the same bytes.

use std::collections::HashMap;

use item::ItemId;

use crate::cluster::{Assignment, Contender, Groups};

/// What the decision needs of one item.
#[derive(Debug, Clone, Copy)]
pub struct ExactNote<'a> {
    /// Identity.
    pub id: ItemId,
    /// Digest of the bytes, in any fixed form.
    pub digest: &'a str,
    /// Which of several to keep: the highest, then the smallest id.
    pub rank: f64,
}

/// One assignment per note: notes with equal digests are one group.
pub fn assign(notes: &[ExactNote<'_>]) -> Vec<Assignment> {
    let mut groups = Groups::new(notes.len());
    let mut first_of: HashMap<&str, usize> = HashMap::with_capacity(notes.len());
    for (index, note) in notes.iter().enumerate() {
        let first = *first_of.entry(note.digest).or_insert(index);
        groups.join(first, index);
    }
    let contenders: Vec<_> = notes.iter().map(|note| Contender { id: note.id, score: note.rank }).collect();
    groups.assign(&contenders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::tests::id;

    #[test]
    fn equal_digests_keep_the_best_ranked() {
        let note = |number: u64, digest, rank| ExactNote { id: id(number), digest, rank };
        let notes = [note(0, "a", 1.0), note(1, "b", 0.0), note(2, "a", 2.0), note(3, "a", 0.0)];
        let kept: Vec<_> = assign(&notes).iter().map(|a| a.kept).collect();
        assert_eq!(kept, [false, true, true, false]);
        assert_eq!(assign(&notes)[3].size, 3);
    }

    #[test]
    fn the_same_item_twice_is_kept_once() {
        let note = ExactNote { id: id(7), digest: "a", rank: 1.0 };
        let kept = assign(&[note, note]).iter().filter(|a| a.kept).count();
        assert_eq!(kept, 1);
    }
}
