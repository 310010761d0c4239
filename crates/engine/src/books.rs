//! The books: seen = kept + rejected + failed, always.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one stage, source or barrier did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageBooks {
    /// Its name.
    pub stage: String,
    /// Items that entered.
    pub seen: u64,
    /// Items that went on.
    pub kept: u64,
    /// Items that came out of those: more than `kept` where a stage fans out.
    pub made: u64,
    /// Items refused, by rule.
    pub rejected: BTreeMap<String, u64>,
    /// Items that could not be processed, by failure class.
    pub failed: BTreeMap<String, u64>,
    /// What it noted that is no item, by kind: of a barrier, work that a bound left undone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aside: BTreeMap<String, u64>,
}

impl StageBooks {
    /// Empty books.
    pub fn new(stage: &str) -> Self {
        Self { stage: stage.to_owned(), ..Self::default() }
    }

    /// Items refused by any rule.
    pub fn rejected_total(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Items that failed for any reason.
    pub fn failed_total(&self) -> u64 {
        self.failed.values().sum()
    }

    /// Counts an item that goes on as `made` items.
    pub fn keep(&mut self, made: u64) {
        self.seen += 1;
        self.kept += 1;
        self.made += made;
    }

    /// Counts an item that `rule` refuses.
    pub fn reject(&mut self, rule: &str) {
        self.seen += 1;
        *self.rejected.entry(rule.to_owned()).or_default() += 1;
    }

    /// Counts an item that failed.
    pub fn fail(&mut self, class: &str) {
        self.seen += 1;
        *self.failed.entry(class.to_owned()).or_default() += 1;
    }

    /// Adds other books of the same stage.
    pub fn add(&mut self, other: &Self) {
        debug_assert_eq!(self.stage, other.stage, "books of different stages are not added");
        self.seen += other.seen;
        self.kept += other.kept;
        self.made += other.made;
        for (rule, count) in &other.rejected {
            *self.rejected.entry(rule.clone()).or_default() += count;
        }
        for (class, count) in &other.failed {
            *self.failed.entry(class.clone()).or_default() += count;
        }
        for (kind, count) in &other.aside {
            *self.aside.entry(kind.clone()).or_default() += count;
        }
    }

    fn assert_balanced(&self) {
        let accounted = self.kept + self.rejected_total() + self.failed_total();
        assert_eq!(self.seen, accounted, "`{}` has lost items: seen != kept + rejected + failed", self.stage);
    }
}

/// The books of a phase, source first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseBooks {
    /// One entry per stage, in order.
    pub stages: Vec<StageBooks>,
    /// Things the source found that are no items, by kind.
    pub aside: BTreeMap<String, u64>,
}

impl PhaseBooks {
    /// Empty books for these stages.
    pub fn new<'a>(stages: impl IntoIterator<Item = &'a str>) -> Self {
        Self { stages: stages.into_iter().map(StageBooks::new).collect(), aside: BTreeMap::new() }
    }

    /// Adds the books of another partition of the same phase.
    pub fn add(&mut self, other: &Self) {
        if self.stages.is_empty() {
            *self = other.clone();
            return;
        }
        for (mine, theirs) in self.stages.iter_mut().zip(&other.stages) {
            mine.add(theirs);
        }
        for (kind, count) in &other.aside {
            *self.aside.entry(kind.clone()).or_default() += count;
        }
    }

    /// Items that entered the phase.
    pub fn seen(&self) -> u64 {
        self.stages.first().map_or(0, |stage| stage.seen)
    }

    /// Items that left it at the end.
    pub fn made(&self) -> u64 {
        self.stages.last().map_or(0, |stage| stage.made)
    }

    /// Items that failed anywhere in it.
    pub fn failed(&self) -> u64 {
        self.stages.iter().map(StageBooks::failed_total).sum()
    }

    /// # Panics
    /// When an item went missing: that is a bug of ours, and a dataset made in spite of it could not be trusted.
    pub fn assert_balanced(&self) {
        for stage in &self.stages {
            stage.assert_balanced();
        }
        for pair in self.stages.windows(2) {
            assert_eq!(
                pair[0].made, pair[1].seen,
                "items went missing between `{}` and `{}`",
                pair[0].stage, pair[1].stage
            );
        }
    }
}

/// The books of a whole run, in order: phases and barriers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Books {
    /// Every source, stage and barrier, in pipeline order.
    pub stages: Vec<StageBooks>,
    /// Things the source found that are no items, by kind.
    pub aside: BTreeMap<String, u64>,
}

impl Books {
    pub(crate) fn add_phase(&mut self, books: &PhaseBooks) {
        self.stages.extend(books.stages.iter().cloned());
        for (kind, count) in &books.aside {
            *self.aside.entry(kind.clone()).or_default() += count;
        }
    }

    pub(crate) fn add_barrier(&mut self, books: StageBooks) {
        self.stages.push(books);
    }

    /// # Panics
    /// When the parts do not connect; see [`PhaseBooks::assert_balanced`].
    pub(crate) fn assert_balanced(&self) {
        PhaseBooks { stages: self.stages.clone(), aside: BTreeMap::new() }.assert_balanced();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_books_pass_and_a_lost_item_does_not() {
        let mut books = PhaseBooks::new(["source", "clean"]);
        books.stages[0].keep(1);
        books.stages[0].reject("not-html");
        books.stages[1].fail("panic");
        books.assert_balanced();
        books.stages[1].seen += 1;
        assert!(std::panic::catch_unwind(|| books.assert_balanced()).is_err());
    }

    #[test]
    fn a_fan_makes_more_than_it_keeps() {
        let mut books = PhaseBooks::new(["clean", "render"]);
        books.stages[0].keep(3);
        for _ in 0..3 {
            books.stages[1].keep(1);
        }
        books.assert_balanced();
    }
}
