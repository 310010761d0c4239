//! What lies in a store, what of it is still needed, whether it is whole; and trying failures again.

use std::collections::BTreeSet;

use item::Digest;
use serde::Serialize;
use store::{BlobInfo, BlobName, Store};

use crate::decisions::DecisionsRecord;
use crate::lease::{self, Held};
use crate::ledger::{self, PartitionManifest, record_name};
use crate::{EngineError, RunRecord, memo};

/// Blobs under one top folder of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// The folder.
    pub folder: String,
    /// Blobs in it.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The top folders of a store, and what they are for.
pub const FOLDERS: &[(&str, &str)] = &[
    ("ledger", "results of units of work and decisions of barriers, by key"),
    ("parts", "their files: items and losses between the phases"),
    ("memo", "what Chrome and models said of single pages"),
    ("answers", "what models said to single questions"),
    ("dataset", "datasets"),
    ("runs", "run records and reports"),
    ("takedowns", "what was asked to be taken out of datasets, and stays out"),
    ("leases", "who works on what just now"),
    ("facts", "digests of local files, lists of crawls"),
];

/// How much lies where.
pub fn usage(store: &dyn Store) -> Result<Vec<Usage>, EngineError> {
    let of = |(folder, _): &(&str, &str)| {
        let blobs = store.list(folder)?;
        let bytes = blobs.iter().map(|blob| blob.bytes).sum();
        Ok(Usage { folder: (*folder).to_owned(), blobs: blobs.len() as u64, bytes })
    };
    FOLDERS.iter().map(of).collect()
}

/// Records of the last run of every pipeline that used the store.
pub fn records(store: &dyn Store) -> Result<Vec<RunRecord>, EngineError> {
    let is_record = |blob: &BlobInfo| blob.name.as_str().ends_with("/run.json");
    let read = |blob: BlobInfo| ledger::read::<RunRecord>(store, &blob.name);
    let records: Result<Vec<_>, EngineError> = store.list("runs")?.into_iter().filter(is_record).map(read).collect();
    Ok(records?.into_iter().flatten().collect())
}

/// Blobs that no last run of any pipeline needs: results of settings and inputs that are no more, files of attempts that
/// were never committed, and answers of stages that have changed since. A run that is going on is not seen, and would lose
/// what it has: ask [`held`] first.
pub fn unneeded(store: &dyn Store) -> Result<Vec<BlobInfo>, EngineError> {
    let mut needed: BTreeSet<BlobName> = BTreeSet::new();
    let mut memos: BTreeSet<String> = BTreeSet::new();
    for record in records(store)? {
        memos.extend(record.fingerprints.iter().map(|fingerprint| memo::folder(fingerprint) + "/"));
        for phase in &record.phases {
            for key in &phase.keys {
                let name = record_name("unit", &phase.phase, key);
                if let Some(manifest) = ledger::read::<PartitionManifest>(store, &name)? {
                    needed.extend(manifest.files().into_iter().map(|file| file.name.clone()));
                    needed.insert(name);
                }
            }
        }
        for barrier in &record.barriers {
            let Some(key) = &barrier.key else { continue };
            let name = record_name("decisions", &barrier.barrier, key);
            if let Some(decisions) = ledger::read::<DecisionsRecord>(store, &name)? {
                needed.insert(decisions.file.name);
                needed.insert(name);
            }
        }
        if let Ok(key) = record.dataset.key.parse::<Digest>() {
            needed.insert(record_name("dataset", "sink", &key));
        }
    }
    let is_unneeded = |blob: &BlobInfo| {
        let is_memo = blob.name.as_str().starts_with("memo/");
        let is_kept = memos.iter().any(|folder| blob.name.as_str().starts_with(folder));
        if is_memo { !is_kept } else { !needed.contains(&blob.name) }
    };
    let mut blobs = Vec::new();
    for folder in ["ledger", "parts", memo::FOLDER, lease::FOLDER] {
        blobs.extend(store.list(folder)?.into_iter().filter(&is_unneeded));
    }
    Ok(blobs)
}

/// Work that somebody does in the store just now, or did when it died.
pub fn held(store: &dyn Store) -> Result<Vec<Held>, EngineError> {
    lease::all(store)
}

/// Something in a store that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// The blob.
    pub name: String,
    /// What is wrong, and what follows from it.
    pub what: String,
}

/// Looks at everything that runs rely on: files that records name, and the checksums of remembered answers.
pub fn verify(store: &dyn Store) -> Result<Vec<Flaw>, EngineError> {
    let mut flaws = Vec::new();
    for blob in store.list("ledger")? {
        let name = blob.name.as_str().to_owned();
        let flaw = |what: String| Flaw { name: name.clone(), what };
        let files = if name.contains("/unit-") {
            ledger::read::<PartitionManifest>(store, &blob.name)
                .map(|manifest| manifest.map(|manifest| manifest.files().map(Clone::clone).to_vec()))
        } else if name.contains("/decisions-") {
            ledger::read::<DecisionsRecord>(store, &blob.name).map(|record| record.map(|record| vec![record.file]))
        } else {
            continue;
        };
        match files {
            Err(error) => {
                flaws.push(flaw(format!("it can not be read ({error}): remove it, and its work is done again")));
            }
            Ok(files) => {
                for file in files.unwrap_or_default() {
                    if store.size(&file.name)? != Some(file.bytes) {
                        let what = format!("`{}` is not there or of another size: its work is done again", file.name);
                        flaws.push(flaw(what));
                    }
                }
            }
        }
    }
    for (name, damaged) in memo::damaged(store)? {
        let what = format!("{damaged}: those answers are asked for again");
        flaws.push(Flaw { name: name.to_string(), what });
    }
    Ok(flaws)
}

/// Forgets the results of those units of the last run in which an item failed like this, so that the next run tries
/// them again; what is remembered of other items is not asked again. Gives the number of failures in them.
pub fn forget_failed(
    store: &dyn Store,
    record: &RunRecord,
    is_wanted: impl Fn(&str, &str) -> bool,
) -> Result<u64, EngineError> {
    let mut failures = 0;
    for phase in &record.phases {
        for key in &phase.keys {
            let name = record_name("unit", &phase.phase, key);
            let Some(manifest) = ledger::read::<PartitionManifest>(store, &name)? else { continue };
            let wanted: u64 = manifest
                .books
                .stages
                .iter()
                .flat_map(|stage| stage.failed.iter().map(move |(class, count)| (stage.stage.as_str(), class, count)))
                .filter(|(stage, class, _)| is_wanted(stage, class))
                .map(|(_, _, count)| count)
                .sum();
            if wanted > 0 {
                store.delete(&name)?;
                failures += wanted;
            }
        }
    }
    Ok(failures)
}
