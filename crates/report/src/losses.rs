//! What did not reach the dataset: counts by rule, and a few of each to show.

use std::collections::BTreeMap;

use dataset::DatasetError;
use engine::RunRecord;
use item::{Loss, LossKind};

use crate::gallery::{LOST_PICTURES_MAX_PER_RULE, SampleKey, sample_key};
use crate::reader::DatasetFiles;

/// Losses of one rule at one stage, or of one class of failure.
#[derive(Debug)]
pub(crate) struct LossGroup {
    pub(crate) stage: String,
    pub(crate) kind: LossKind,
    pub(crate) rule: String,
    pub(crate) count: u64,
    sample: BTreeMap<SampleKey, Loss>,
    /// Those that were refused by the least, where the rule has a limit.
    nearest: BTreeMap<(Distance, SampleKey), Loss>,
}

/// Those nearest to the limit that are shown: half of all.
pub(crate) const NEAREST_MAX: usize = LOST_PICTURES_MAX_PER_RULE / 2;

impl LossGroup {
    /// The losses nearest to the limit, the nearest first: whether a limit is right shows there.
    pub(crate) fn nearest(&self) -> impl Iterator<Item = &Loss> {
        self.nearest.values()
    }

    /// The chosen losses: the nearest to the limit, then a fair sample of the others.
    pub(crate) fn chosen(&self) -> impl Iterator<Item = &Loss> {
        let others = self.sample.values().filter(|loss| !self.nearest().any(|near| near.id == loss.id));
        self.nearest().chain(others.take(LOST_PICTURES_MAX_PER_RULE - self.nearest.len()))
    }

    fn add(&mut self, loss: Loss) {
        self.count += 1;
        let key = sample_key(&loss.id);
        if let Some(distance) = Distance::of(&loss.detail) {
            self.nearest.insert((distance, key), loss.clone());
            if self.nearest.len() > NEAREST_MAX {
                self.nearest.pop_last();
            }
        }
        self.sample.insert(key, loss);
        if self.sample.len() > LOST_PICTURES_MAX_PER_RULE {
            self.sample.pop_last();
        }
    }
}

/// How far what was measured is from the limit, as a share of the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Distance(u64);

impl Distance {
    /// Details of rules with a limit say both: `120 characters, the least is 200`.
    fn of(detail: &str) -> Option<Self> {
        let sides = [", the least is ", ", the most is "].into_iter().find_map(|words| detail.split_once(words));
        let number = |side: &str| side.split_whitespace().find_map(|word| word.parse::<f64>().ok());
        let (measured, limit) = sides.and_then(|(measured, limit)| number(measured).zip(number(limit)))?;
        let distance = (measured - limit).abs() / limit.abs().max(f64::MIN_POSITIVE);
        // Bits of floats that are not negative are in the order of the floats.
        distance.is_finite().then(|| Self(distance.to_bits()))
    }
}

/// All losses.
#[derive(Debug)]
pub(crate) struct Losses {
    /// Rows of `rejects`.
    pub(crate) rows: u64,
    /// In pipeline order: by stage, refused before failed, then by rule.
    pub(crate) groups: Vec<LossGroup>,
}

impl Losses {
    pub(crate) fn collect(files: &DatasetFiles, record: &RunRecord) -> Result<Self, DatasetError> {
        let stages: Vec<&str> = crate::html::steps(record).map(|step| step.books.stage.as_str()).collect();
        let mut rows = 0;
        let mut groups: BTreeMap<(usize, String, LossKind, String), LossGroup> = BTreeMap::new();
        files.each_loss(|loss| {
            rows += 1;
            let position = stages.iter().position(|stage| *stage == loss.stage).unwrap_or(stages.len());
            let key = (position, loss.stage.clone(), loss.kind, loss.rule.clone());
            let group = groups.entry(key).or_insert_with(|| LossGroup {
                stage: loss.stage.clone(),
                kind: loss.kind,
                rule: loss.rule.clone(),
                count: 0,
                sample: BTreeMap::new(),
                nearest: BTreeMap::new(),
            });
            group.add(loss);
        })?;
        Ok(Self { rows, groups: groups.into_values().collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_to_the_limit() {
        let far = |detail: &str| Distance::of(detail);
        assert!(far("score 0.290, the least is 0.300") < far("score 0.200, the least is 0.300"));
        assert!(far("4100 px tall, the most is 4096") < far("9000 px tall, the most is 4096"));
        assert!(far("199 characters, the least is 200") < far("score 0.290, the least is 0.300"));
        assert_eq!(far("3 explicit words, the most is 0").map(|_| ()), Some(()));
        for odd in ["the MIME type is application/pdf", "none, the least is 3", "", "3, the most is many"] {
            assert_eq!(far(odd), None, "{odd}");
        }
    }
}
