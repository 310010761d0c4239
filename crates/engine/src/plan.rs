//! What a run would do, and why.

use serde::Serialize;
use serde_json::Value;

use crate::{Fingerprint, RunRecord};

/// Why a unit of work has to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Why {
    /// This run has never finished before.
    First,
    /// A stage is another than last time.
    StageChanged {
        /// The stage.
        stage: String,
        /// What changed, from what to what.
        changes: Vec<String>,
    },
    /// The source has a new partition.
    NewInput,
    /// The partition's content changed.
    InputChanged,
    /// What reaches the phase is not what reached it last time.
    ItemsChanged,
    /// The result is not in the store: the last run was interrupted, or somebody removed it.
    NoResult,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::First => f.write_str("first run"),
            Self::StageChanged { stage, changes } => write!(f, "`{stage}` changed: {}", changes.join(", ")),
            Self::NewInput => f.write_str("new input"),
            Self::InputChanged => f.write_str("the input's content changed"),
            Self::ItemsChanged => f.write_str("other items reach it than last time"),
            Self::NoResult => f.write_str("no result in the store"),
        }
    }
}

/// A unit that has to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedUnit {
    /// What people call it.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// Items that enter, where that is known.
    pub items: Option<u64>,
    /// Items among them whose answer is remembered and need not be asked for again; `None` where that is not known.
    pub remembered: Option<u64>,
    /// Why it has to run.
    pub why: Why,
}

/// A phase of the plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedPhase {
    /// Its name.
    pub phase: String,
    /// Its stages.
    pub stages: Vec<String>,
    /// Units of work whose result is there.
    pub reused: usize,
    /// Units that have to run; `None` when that depends on a phase before.
    pub run: Option<Vec<PlannedUnit>>,
    /// Seconds that this will take, at the pace of the last run that worked in the phase; an upper bound where it depends on a phase before. `None`
    /// where no run has.
    pub estimate_s: Option<f64>,
}

impl PlannedPhase {
    /// A phase with what it will take.
    pub(crate) fn new(
        phase: &str,
        stages: Vec<String>,
        reused: usize,
        run: Option<Vec<PlannedUnit>>,
        last: Option<&RunRecord>,
    ) -> Self {
        let estimate_s = last.and_then(|last| estimate(last, phase, run.as_deref()));
        Self { phase: phase.to_owned(), stages, reused, run, estimate_s }
    }
}

/// Seconds for the items that have to be worked on.
fn estimate(last: &RunRecord, phase: &str, run: Option<&[PlannedUnit]>) -> Option<f64> {
    let ms_an_item = last.pace.get(phase)?;
    let seen = last.phases.iter().find(|record| record.phase == phase)?.books.seen() as f64;
    let Some(units) = run else { return Some(seen * ms_an_item / 1e3) };
    let bytes: u64 = last.partitions.iter().map(|partition| partition.bytes).sum();
    let items = |unit: &PlannedUnit| match unit.items {
        Some(items) => items.saturating_sub(unit.remembered.unwrap_or_default()) as f64,
        // What is in an archive is not known before it is read: as much as was in the others.
        None => unit.bytes as f64 * seen / (bytes as f64).max(1.0),
    };
    Some(units.iter().map(items).sum::<f64>() * ms_an_item / 1e3)
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Name of the run.
    pub name: String,
    /// Its phases.
    pub phases: Vec<PlannedPhase>,
    /// The dataset is there already; `None` when that depends on a phase.
    pub dataset_reused: Option<bool>,
}

impl Plan {
    /// Nothing has to run.
    pub fn is_done(&self) -> bool {
        self.dataset_reused == Some(true)
    }
}

/// Why a unit of the first phase runs.
pub(crate) fn why_source(last: Option<&RunRecord>, fingerprints: &[Fingerprint], partition: &crate::Partition) -> Why {
    let Some(last) = last else { return Why::First };
    if let Some(changed) = changed_stage(last, fingerprints) {
        return changed;
    }
    match last.partitions.iter().find(|old| old.name == partition.name) {
        None => Why::NewInput,
        Some(old) if old.digest != partition.digest => Why::InputChanged,
        Some(_) => Why::NoResult,
    }
}

/// Why a unit of a later phase runs.
pub(crate) fn why_slice(last: Option<&RunRecord>, fingerprints: &[Fingerprint]) -> Why {
    let Some(last) = last else { return Why::First };
    changed_stage(last, fingerprints).unwrap_or(Why::ItemsChanged)
}

fn changed_stage(last: &RunRecord, fingerprints: &[Fingerprint]) -> Option<Why> {
    fingerprints.iter().find_map(|new| {
        let changes = match last.fingerprints.iter().find(|old| old.name == new.name) {
            None => vec!["it is new".to_owned()],
            Some(old) if old.digest() == new.digest() => return None,
            Some(old) => differences(old, new),
        };
        Some(Why::StageChanged { stage: new.name.clone(), changes })
    })
}

fn differences(old: &Fingerprint, new: &Fingerprint) -> Vec<String> {
    let mut found = Vec::new();
    if old.version != new.version {
        found.push(format!("version {} -> {}", old.version, new.version));
    }
    compare("", &old.settings, &new.settings, &mut found);
    found
}

fn compare(path: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    if old == new {
        return;
    }
    let (Value::Object(old_map), Value::Object(new_map)) = (old, new) else {
        found.push(format!("{path} {old} -> {new}"));
        return;
    };
    let keys: std::collections::BTreeSet<&String> = old_map.keys().chain(new_map.keys()).collect();
    for key in keys {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let side = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
        compare(&path, &side(old_map), &side(new_map), found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_the_key_and_both_values() {
        let fingerprint = |version, settings: Value| Fingerprint { name: "clean".into(), version, settings };
        let check = |old: Fingerprint, new: Fingerprint, expected: &[&str]| {
            assert_eq!(differences(&old, &new), expected);
        };
        let old = serde_json::json!({"text_chars_min": 200, "images": {"policy": "placeholder"}});
        let new = serde_json::json!({"text_chars_min": 300, "images": {"policy": "inline"}});
        check(fingerprint(1, old.clone()), fingerprint(1, old.clone()), &[]);
        check(
            fingerprint(1, old),
            fingerprint(2, new),
            &["version 1 -> 2", "images.policy \"placeholder\" -> \"inline\"", "text_chars_min 200 -> 300"],
        );
    }
}
