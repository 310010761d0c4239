//! Who stands for whom.
//!
//! Pairs that were found alike are joined by union-find; the groups that come out are the connected components. In each
//! the best scored member stays, then the one with the smallest id: a total order, so the answer does not depend on the
//! order in which notes or pairs arrive.

use std::cmp::Ordering;

use item::ItemId;

/// What the decision about one note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// The member that stands for the group; the note itself when it is alone.
    pub representative: ItemId,
    /// Members of the group.
    pub size: usize,
    /// Whether this note is the one that stays. True for exactly one note of each group.
    pub kept: bool,
}

/// One item in a contest: more is better, then the smaller id. A score that is not a number loses against all others.
#[derive(Debug, Clone, Copy)]
pub struct Contender {
    /// Identity.
    pub id: ItemId,
    /// What decides first.
    pub score: f64,
}

impl Contender {
    /// `Less` when `self` goes before `other`.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let sortable = |score: f64| if score.is_nan() { f64::NEG_INFINITY } else { score + 0.0 };
        sortable(other.score).total_cmp(&sortable(self.score)).then_with(|| self.id.cmp(&other.id))
    }
}

/// One assignment per contender, in their order; `links` are pairs of indices that belong together.
pub fn assign(contenders: &[Contender], links: impl IntoIterator<Item = (usize, usize)>) -> Vec<Assignment> {
    let mut groups = Groups::new(contenders.len());
    for (a, b) in links {
        groups.join(a, b);
    }
    groups.assign(contenders)
}

/// Union-find over the indices `0..len`.
#[derive(Debug, Clone)]
pub struct Groups {
    parent: Vec<u32>,
    size: Vec<u32>,
}

impl Groups {
    /// Every index on its own. At most 2³² of them: notes of more items do not fit in memory anyway.
    pub fn new(len: usize) -> Self {
        let len = u32::try_from(len).expect("a barrier holds fewer than 2^32 notes");
        Self { parent: (0..len).collect(), size: vec![1; len as usize] }
    }

    /// The index that names the group of `index` for now.
    pub fn find(&mut self, index: usize) -> usize {
        let mut at = index as u32;
        while self.parent[at as usize] != at {
            let grandparent = self.parent[self.parent[at as usize] as usize];
            self.parent[at as usize] = grandparent;
            at = grandparent;
        }
        at as usize
    }

    /// Makes the groups of `a` and `b` one.
    pub fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        let (large, small) = if self.size[a] >= self.size[b] { (a, b) } else { (b, a) };
        self.parent[small] = large as u32;
        self.size[large] += self.size[small];
    }

    /// One assignment per contender; index `i` of the groups is `contenders[i]`.
    pub fn assign(mut self, contenders: &[Contender]) -> Vec<Assignment> {
        let mut best: Vec<Option<usize>> = vec![None; contenders.len()];
        for (index, contender) in contenders.iter().enumerate() {
            let slot = &mut best[self.find(index)];
            let is_better = slot.is_none_or(|holder| contender.order(&contenders[holder]).is_lt());
            if is_better {
                *slot = Some(index);
            }
        }
        (0..contenders.len())
            .map(|index| {
                let root = self.find(index);
                let holder = best[root].expect("every group has a member");
                Assignment {
                    representative: contenders[holder].id,
                    size: self.size[root] as usize,
                    kept: holder == index,
                }
            })
            .collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn id(number: u64) -> ItemId {
        ItemId::of_place("test", number)
    }

    fn contenders(scores: &[f64]) -> Vec<Contender> {
        scores.iter().enumerate().map(|(index, &score)| Contender { id: id(index as u64), score }).collect()
    }

    #[test]
    fn the_best_scored_member_stays() {
        let all = contenders(&[0.1, 0.9, 0.5, 0.9, f64::NAN]);
        let assignments = assign(&all, [(0, 1), (1, 2), (3, 4)]);
        assert!(assignments[1].kept && assignments[3].kept);
        assert_eq!(assignments.iter().filter(|a| a.kept).count(), 2);
        assert_eq!(assignments[2], Assignment { representative: id(1), size: 3, kept: false });
        assert_eq!(assignments[4].representative, id(3));
    }

    #[test]
    fn ties_go_to_the_smaller_id() {
        let all = contenders(&[0.5, 0.5, 0.5]);
        let smallest = all.iter().map(|c| c.id).min().expect("three of them");
        assert!(assign(&all, [(0, 1), (1, 2)]).iter().all(|a| a.representative == smallest));
        let zeros = contenders(&[0.0, -0.0]);
        let smaller = zeros[0].id.min(zeros[1].id);
        assert!(assign(&zeros, [(0, 1)]).iter().all(|a| a.representative == smaller));
    }

    proptest! {
        #[test]
        fn order_does_not_matter(
            scores in proptest::collection::vec(0u8..4, 1..40),
            links in proptest::collection::vec((0usize..40, 0usize..40), 0..40),
            seed in any::<u64>(),
        ) {
            let all = contenders(&scores.iter().map(|&s| f64::from(s)).collect::<Vec<_>>());
            let links: Vec<_> = links.into_iter().map(|(a, b)| (a % all.len(), b % all.len())).collect();
            // A permutation by sorting on a hash of the id and the seed.
            let mut order: Vec<usize> = (0..all.len()).collect();
            order.sort_by_key(|&index| id(seed.wrapping_add(index as u64)));
            let mut place = vec![0; all.len()];
            order.iter().enumerate().for_each(|(new, &old)| place[old] = new);

            let straight = assign(&all, links.iter().copied());
            let shuffled_contenders: Vec<_> = order.iter().map(|&old| all[old]).collect();
            let shuffled = assign(&shuffled_contenders, links.iter().rev().map(|&(a, b)| (place[b], place[a])));
            for old in 0..all.len() {
                prop_assert_eq!(straight[old], shuffled[place[old]]);
            }
            let groups: std::collections::BTreeSet<_> = straight.iter().map(|a| a.representative).collect();
            prop_assert_eq!(straight.iter().filter(|a| a.kept).count(), groups.len());
        }
    }
}
