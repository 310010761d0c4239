//! No domain floods the set.

use std::collections::HashMap;

use item::ItemId;

use crate::cluster::Contender;

/// What the decision needs of one item.
#[derive(Debug, Clone, Copy)]
pub struct DomainNote<'a> {
    /// Identity.
    pub id: ItemId,
    /// Registrable domain.
    pub domain: &'a str,
    /// Which to keep: the highest, then the smallest id.
    pub rank: f64,
}

/// Where an item stands within its domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many items of the domain rank higher.
    pub place: usize,
    /// Items of the domain.
    pub of: usize,
}

impl Standing {
    /// Whether the item is among the `cap` best of its domain.
    pub fn is_within(&self, cap: usize) -> bool {
        self.place < cap
    }
}

/// One standing per note, by rank and then id.
pub fn standings(notes: &[DomainNote<'_>]) -> Vec<Standing> {
    let mut members: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, note) in notes.iter().enumerate() {
        members.entry(note.domain).or_default().push(index);
    }
    let contender = |index: usize| Contender { id: notes[index].id, score: notes[index].rank };
    let mut standings = vec![Standing { place: 0, of: 0 }; notes.len()];
    // The order of the map is not fixed, but each domain is ranked apart and lands in places of its own.
    for mut indices in members.into_values() {
        indices.sort_by(|&a, &b| contender(a).order(&contender(b)));
        let of = indices.len();
        for (place, index) in indices.into_iter().enumerate() {
            standings[index] = Standing { place, of };
        }
    }
    standings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::tests::id;

    #[test]
    fn the_best_of_each_domain_stay() {
        let note = |number: u64, domain, rank| DomainNote { id: id(number), domain, rank };
        let notes = [note(0, "a.org", 0.1), note(1, "b.org", 0.0), note(2, "a.org", 0.3), note(3, "a.org", 0.2)];
        let standings = standings(&notes);
        let kept: Vec<_> = standings.iter().map(|standing| standing.is_within(2)).collect();
        assert_eq!(kept, [false, true, true, true]);
        assert_eq!(standings[0], Standing { place: 2, of: 3 });
    }

    #[test]
    fn equal_ranks_go_by_id_in_any_order() {
        let mut notes: Vec<_> = (0..20).map(|n| DomainNote { id: id(n), domain: "a.org", rank: 1.0 }).collect();
        let kept = |notes: &[DomainNote<'_>]| {
            let mut ids: Vec<_> =
                notes.iter().zip(standings(notes)).filter(|(_, s)| s.is_within(5)).map(|(n, _)| n.id).collect();
            ids.sort();
            ids
        };
        let before = kept(&notes);
        notes.reverse();
        assert_eq!(kept(&notes), before);
        assert_eq!(before.len(), 5);
    }
}
