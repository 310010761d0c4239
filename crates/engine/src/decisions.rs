//! What a barrier decided, at rest.
//!
//! Decisions are a file of JSON lines beside the ledger record that names it, keyed by the barrier's fingerprint and the
//! outputs of the phase before it.

use std::collections::HashMap;

use item::{Attributes, Digest, ItemId, Loss};
use serde::{Deserialize, Serialize};
use store::{BlobName, Store};

use crate::ledger::{self, FileRef};
use crate::{EngineError, StageBooks};

/// The published record of a barrier's decisions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DecisionsRecord {
    pub(crate) barrier: String,
    pub(crate) key: Digest,
    pub(crate) books: StageBooks,
    pub(crate) file: FileRef,
    /// Digest of the decisions.
    pub(crate) output: Digest,
}

/// Where an item rests: the unit's number in its phase, and the row in the unit's file. The same capture can stand in two
/// archives; only the one in the place that was kept goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) unit: u32,
    pub(crate) row: u32,
}

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DecisionRow {
    /// The item goes on with more attributes.
    Keep { id: ItemId, place: Place, attributes: Attributes },
    /// The item is refused; the row is what the `rejects` subset will say.
    Reject(Box<Loss>),
}

/// All decisions of a barrier, by item.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    kept: HashMap<ItemId, (Place, Attributes)>,
    pub(crate) losses: Vec<Loss>,
}

impl Decisions {
    /// The attributes to add to a kept item; `None` when it was refused.
    pub(crate) fn kept(&self, id: &ItemId, place: Place) -> Option<&Attributes> {
        self.kept.get(id).filter(|(kept, _)| *kept == place).map(|(_, attributes)| attributes)
    }

    pub(crate) fn from_rows(rows: Vec<DecisionRow>) -> Self {
        let mut decisions = Self::default();
        for row in rows {
            match row {
                DecisionRow::Keep { id, place, attributes } => {
                    decisions.kept.insert(id, (place, attributes));
                }
                DecisionRow::Reject(loss) => decisions.losses.push(*loss),
            }
        }
        decisions
    }
}

/// Reads published decisions, if they are there.
pub(crate) fn find(
    store: &dyn Store,
    barrier: &str,
    key: &Digest,
) -> Result<Option<(DecisionsRecord, Decisions)>, EngineError> {
    let name = ledger::record_name("decisions", barrier, key);
    let Some(record) = ledger::read_result::<DecisionsRecord>(store, &name)? else { return Ok(None) };
    if store.size(&record.file.name)? != Some(record.file.bytes) {
        store.delete(&name)?;
        return Ok(None);
    }
    let bytes = store.get(&record.file.name)?;
    let rows: Result<Vec<DecisionRow>, _> = serde_json::Deserializer::from_slice(&bytes).into_iter().collect();
    let rows = rows.map_err(|source| EngineError::Record { name: record.file.name.to_string(), source })?;
    Ok(Some((record, Decisions::from_rows(rows))))
}

/// Publishes decisions.
pub(crate) fn commit(
    store: &dyn Store,
    barrier: &str,
    key: &Digest,
    books: StageBooks,
    rows: Vec<DecisionRow>,
) -> Result<(DecisionsRecord, Decisions), EngineError> {
    let file = BlobName::join(&["parts", barrier, &key.to_string(), "decisions.jsonl"]);
    let mut bytes = Vec::new();
    for row in &rows {
        serde_json::to_writer(&mut bytes, row)
            .map_err(|source| EngineError::Record { name: file.to_string(), source })?;
        bytes.push(b'\n');
    }
    // Pure function of the key, so a second writer writes the same bytes.
    store.put(&file, &bytes)?;
    let output = Digest::of(&bytes);
    let file = FileRef { name: file, bytes: bytes.len() as u64 };
    let record = DecisionsRecord { barrier: barrier.to_owned(), key: *key, books, file, output };
    let record = ledger::commit(store, &ledger::record_name("decisions", barrier, key), record)?;
    Ok((record, Decisions::from_rows(rows)))
}
