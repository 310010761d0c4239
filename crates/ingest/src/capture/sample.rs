//! A share of the captures, picked by what they are.

use item::ItemId;

/// What responses outside of the sample are counted as.
pub const NOT_SAMPLED: &str = "response outside of the sample";

/// Takes a capture or passes it over, by the hash of its identity: the same captures in every run, and a larger share
/// takes those of the smaller one and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Ids whose first eight bytes, as a number, are at most this are taken.
    last: u64,
}

impl Default for Sample {
    fn default() -> Self {
        Self { last: u64::MAX }
    }
}

impl Sample {
    /// Takes this share of all captures; `None` unless it is above 0 and at most 1.
    pub fn share(share: f64) -> Option<Self> {
        let valid = share > 0.0 && share <= 1.0;
        // The product of the share with 2^64 saturates at the largest number, which takes all.
        valid.then_some(Self { last: (share * 2.0_f64.powi(64)) as u64 })
    }

    /// Whether the capture of this id is taken.
    pub fn takes(&self, id: &ItemId) -> bool {
        let (first, _) = id.as_bytes().split_at(8);
        let number = first.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        number <= self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(share: f64) -> Vec<u64> {
        let sample = Sample::share(share).expect("a share");
        (0..10_000).filter(|n| sample.takes(&ItemId::of_place("f", *n))).collect()
    }

    #[test]
    fn samples_are_nested_and_of_their_size() {
        let (tenth, third, all) = (taken(0.1), taken(0.33), taken(1.0));
        assert!((900..1100).contains(&tenth.len()), "{}", tenth.len());
        assert!((3100..3500).contains(&third.len()), "{}", third.len());
        assert_eq!(all.len(), 10_000);
        assert!(tenth.iter().all(|n| third.contains(n)));
    }

    #[test]
    fn shares_are_above_0_and_at_most_1() {
        let check = |share, expected: bool| assert_eq!(Sample::share(share).is_some(), expected, "{share}");
        check(0.0, false);
        check(-1.0, false);
        check(f64::NAN, false);
        check(1.5, false);
        check(1e-9, true);
        check(1.0, true);
    }
}
