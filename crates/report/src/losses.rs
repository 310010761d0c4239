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
}

impl LossGroup {
    /// The chosen losses.
    pub(crate) fn sample(&self) -> impl Iterator<Item = &Loss> {
        self.sample.values()
    }

    fn add(&mut self, loss: Loss) {
        self.count += 1;
        self.sample.insert(sample_key(&loss.id), loss);
        if self.sample.len() > LOST_PICTURES_MAX_PER_RULE {
            self.sample.pop_last();
        }
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
            });
            group.add(loss);
        })?;
        Ok(Self { rows, groups: groups.into_values().collect() })
    }
}
