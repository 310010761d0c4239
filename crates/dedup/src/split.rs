//! Train, validation and test without leaks.
//!
//! Pages of one registrable domain share their design, pages of one near-duplicate cluster their looks, so both stay
//! together: domains and clusters are joined by union-find, and each component goes to one split as a whole.
//!
//! Each domain has a number, a hash of the seed and its name, and the component takes the smallest number of its
//! domains. Low numbers are train, high ones validation and test. What holds when data is added:
//!
//! - **with the standing index of what is published, no row ever moves**: a domain stays where its published rows are, and
//!   a component without a place goes where the published rows it is tied to are. Where those are in different splits, a
//!   domain that is new belongs to both and so to none ([`Placement::Between`]): its rows are refused;
//! - without the index, a component that gains rows but no domain stays where it is, and one that gains a domain, or melts
//!   with another, can only move towards train (test → validation → train): what a published train split held is never
//!   tested on later;
//! - large components, such as a theme that links a thousand domains, end up in train, so that validation and test are
//!   many small independent groups. Their real shares are therefore a little below the asked ones.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use item::{ContentHasher, ItemId};

use crate::cluster::Groups;

/// Where a row goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// To learn from.
    Train,
    /// To tune on.
    Validation,
    /// To measure on.
    Test,
}

impl Split {
    /// The name, as in attributes and file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// The split of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Train, Self::Validation, Self::Test].into_iter().find(|split| split.name() == name)
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Shares of validation and test; train is the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitPolicy {
    seed: String,
    validation_share: f64,
    test_share: f64,
}

/// The shares make no sense.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a validation share of {validation} and a test share of {test} leave no share for train between 0 and 1")]
pub struct SharesError {
    validation: f64,
    test: f64,
}

impl SplitPolicy {
    /// A policy; another seed gives another split.
    pub fn new(seed: impl Into<String>, validation_share: f64, test_share: f64) -> Result<Self, SharesError> {
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        let is_sound = is_share(validation_share) && is_share(test_share) && is_share(validation_share + test_share);
        if !is_sound {
            return Err(SharesError { validation: validation_share, test: test_share });
        }
        Ok(Self { seed: seed.into(), validation_share, test_share })
    }

    /// The domain's number, evenly spread over 0 to 1.
    fn number(&self, domain: &str) -> f64 {
        let digest = ContentHasher::new("split").add_text(&self.seed).add_text(domain).finish();
        let leading = u64::from_be_bytes(*digest.as_bytes().first_chunk().expect("a digest has 32 bytes"));
        // 53 bits are what a double holds exactly; the number is always below 1.
        (leading >> 11) as f64 / (1u64 << 53) as f64
    }

    fn split_at(&self, number: f64) -> Split {
        let test_from = 1.0 - self.test_share;
        let validation_from = test_from - self.validation_share;
        if number >= test_from {
            Split::Test
        } else if number >= validation_from {
            Split::Validation
        } else {
            Split::Train
        }
    }
}

/// What the decision needs of one item.
#[derive(Debug, Clone, Copy)]
pub struct SplitNote<'a> {
    /// Registrable domain.
    pub domain: &'a str,
    /// Near-duplicate cluster, by its representative; the item's own id when it is alone.
    pub cluster: ItemId,
    /// Where the row is published.
    pub published: Option<Split>,
}

/// Where a row may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Into this split.
    In(Split),
    /// Into none: its domain is new, and near-duplicates tie it to published rows of different splits.
    Between,
}

/// One placement per note; notes of one domain or one cluster get the same, published ones theirs.
pub fn assign(notes: &[SplitNote<'_>], policy: &SplitPolicy) -> Vec<Placement> {
    let mut groups = Groups::new(notes.len());
    let mut first_of_domain: HashMap<&str, usize> = HashMap::new();
    let mut first_of_cluster: HashMap<ItemId, usize> = HashMap::new();
    // A domain is published in one split; should an index say otherwise, the one nearest to train holds.
    let mut split_of_domain: HashMap<&str, Split> = HashMap::new();
    for (index, note) in notes.iter().enumerate() {
        groups.join(*first_of_domain.entry(note.domain).or_insert(index), index);
        groups.join(*first_of_cluster.entry(note.cluster).or_insert(index), index);
        if let Some(split) = note.published {
            let slot = split_of_domain.entry(note.domain).or_insert(split);
            *slot = split.min(*slot);
        }
    }
    // The order of the maps is not fixed, but a minimum does not mind, nor does a set.
    let mut lowest = vec![f64::INFINITY; notes.len()];
    for (domain, &index) in &first_of_domain {
        let slot = &mut lowest[groups.find(index)];
        *slot = slot.min(policy.number(domain));
    }
    let mut published: HashMap<usize, BTreeSet<Split>> = HashMap::new();
    for (domain, &split) in &split_of_domain {
        published.entry(groups.find(first_of_domain[domain])).or_default().insert(split);
    }
    let mut place = |index: usize, note: &SplitNote<'_>| {
        if let Some(split) = note.published.or_else(|| split_of_domain.get(note.domain).copied()) {
            return Placement::In(split);
        }
        let root = groups.find(index);
        match published.get(&root) {
            None => Placement::In(policy.split_at(lowest[root])),
            Some(splits) if splits.len() > 1 => Placement::Between,
            Some(splits) => splits.first().map_or(Placement::Between, |&split| Placement::In(split)),
        }
    };
    notes.iter().enumerate().map(|(index, note)| place(index, note)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::tests::id;
    use proptest::prelude::*;

    fn policy() -> SplitPolicy {
        SplitPolicy::new("seed", 0.2, 0.2).expect("sound shares")
    }

    #[test]
    fn shares_are_met_among_lone_domains() {
        let domains: Vec<_> = (0..5000).map(|n| format!("d{n}.org")).collect();
        let notes: Vec<_> =
            domains.iter().zip(0..).map(|(domain, n)| SplitNote { domain, cluster: id(n), published: None }).collect();
        let splits = assign(&notes, &policy());
        let share = |split| splits.iter().filter(|&&s| s == Placement::In(split)).count() as f64 / 5000.0;
        assert!((share(Split::Test) - 0.2).abs() < 0.02, "{}", share(Split::Test));
        assert!((share(Split::Validation) - 0.2).abs() < 0.02, "{}", share(Split::Validation));
    }

    #[test]
    fn impossible_shares_are_refused() {
        for (validation, test) in [(0.6, 0.6), (-0.1, 0.1), (f64::NAN, 0.1)] {
            assert!(SplitPolicy::new("s", validation, test).is_err(), "{validation} {test}");
        }
        assert!(SplitPolicy::new("s", 0.0, 1.0).is_ok());
    }

    #[test]
    fn a_share_of_nothing_gets_nothing() {
        let policy = SplitPolicy::new("s", 0.0, 0.0).expect("sound shares");
        let domains: Vec<_> = (0..500).map(|n| format!("d{n}.org")).collect();
        let notes: Vec<_> =
            domains.iter().map(|domain| SplitNote { domain, cluster: id(0), published: None }).collect();
        assert!(assign(&notes, &policy).iter().all(|&split| split == Placement::In(Split::Train)));
    }

    type Row = (u8, u8);

    fn splits_of(rows: &[Row]) -> Vec<Split> {
        let domains: Vec<_> = (0..=255u8).map(|n| format!("d{n}.org")).collect();
        let notes: Vec<_> = rows
            .iter()
            .map(|&(domain, cluster)| SplitNote {
                domain: &domains[domain as usize],
                cluster: id(u64::from(cluster)),
                published: None,
            })
            .collect();
        let place = |placement| match placement {
            Placement::In(split) => split,
            Placement::Between => panic!("nothing is published"),
        };
        assign(&notes, &policy()).into_iter().map(place).collect()
    }

    proptest! {
        #[test]
        fn nothing_leaks(rows in proptest::collection::vec((0u8..60, 0u8..60), 1..60)) {
            let splits = splits_of(&rows);
            for a in 0..rows.len() {
                for b in 0..rows.len() {
                    if rows[a].0 == rows[b].0 || rows[a].1 == rows[b].1 {
                        prop_assert_eq!(splits[a], splits[b]);
                    }
                }
            }
        }

        #[test]
        fn order_does_not_matter(rows in proptest::collection::vec((0u8..60, 0u8..60), 1..60)) {
            let mut back = rows.clone();
            back.reverse();
            let mut splits = splits_of(&back);
            splits.reverse();
            prop_assert_eq!(splits, splits_of(&rows));
        }

        #[test]
        fn more_data_moves_rows_only_towards_train(
            rows in proptest::collection::vec((0u8..200, 0u8..200), 1..60),
            more in proptest::collection::vec((0u8..200, 0u8..200), 0..20),
        ) {
            let before = splits_of(&rows);
            let all: Vec<Row> = rows.iter().chain(&more).copied().collect();
            for (before, after) in before.iter().zip(splits_of(&all)) {
                prop_assert!(after <= *before);
            }
        }

        #[test]
        fn with_what_is_published_no_row_moves_and_nothing_leaks(
            rows in proptest::collection::vec((0u8..200, 0u8..200), 1..60),
            more in proptest::collection::vec((0u8..200, 0u8..200), 0..60),
        ) {
            let before = splits_of(&rows);
            let domains: Vec<_> = (0..=255u8).map(|n| format!("d{n}.org")).collect();
            let published = before.iter().map(|&split| Some(split)).chain(more.iter().map(|_| None));
            let all: Vec<SplitNote<'_>> = rows.iter().chain(&more).zip(published).map(|(row, published)| SplitNote {
                domain: &domains[row.0 as usize],
                cluster: id(u64::from(row.1)),
                published,
            }).collect();
            let after = assign(&all, &policy());
            for (before, after) in before.iter().zip(&after) {
                prop_assert_eq!(*after, Placement::In(*before));
            }
            for (a, note) in after.iter().zip(&all) {
                for (b, other) in after.iter().zip(&all) {
                    // A domain is in one split. A cluster, too, but where new rows tie published ones together: there
                    // its members are published, or of domains that are, or refused.
                    if note.domain == other.domain {
                        prop_assert_eq!(a, b);
                    } else if note.cluster == other.cluster && a != b {
                        let is_tied = |domain| all.iter().any(|n| n.domain == domain && n.published.is_some());
                        prop_assert!(is_tied(note.domain) || *a == Placement::Between);
                        prop_assert!(is_tied(other.domain) || *b == Placement::Between);
                    }
                }
            }
        }
    }
}
