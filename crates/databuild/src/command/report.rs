//! `databuild report FILE`: the HTML report of the last run.

use std::collections::BTreeMap;

use engine::RunRecord;
use item::{Body, ItemId};
use pipeline::Built;
use report::ReportInput;

use super::finished::{beside_record, dataset_folder};
use super::{Outcome, build};
use crate::cli::FileArgs;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Writes the report again.
pub(crate) fn report(args: &FileArgs, printer: Printer) -> Outcome {
    let (_, built, _) = build(args)?;
    let path = write(&built, true)?;
    printer.data(&path);
    Ok(())
}

/// Writes the report of the last run, if it is not there or `always`; says where it is.
pub(super) fn write(built: &Built, always: bool) -> Result<String, CommandError> {
    let name = &built.pipeline.name;
    let record = engine::last_record(built.store.as_ref(), name)?.ok_or_else(|| {
        CommandError::usage(format!("report on `{name}`: it has not been run yet")).hint("`databuild run` comes first")
    })?;
    let store = built.store.as_ref();
    let blob = beside_record(name, "report.html");
    let place = format!("{}/{blob}", store.location());
    if !always && store.size(&blob)?.is_some() {
        return Ok(place);
    }
    let rules = stages::rules().into_iter().flat_map(|(_, rules)| rules);
    let rules: BTreeMap<String, String> = rules.map(|rule| (rule.name.to_owned(), rule.meaning.to_owned())).collect();
    let pictures = |ids: &[ItemId]| pictures(built, &record, ids);
    let dataset = dataset_folder(store, &record)?;
    let input = ReportInput { record: &record, dataset: &dataset, rules: &rules, pictures: &pictures };
    let scratch = store.scratch()?;
    let file = scratch.path().join("report.html");
    report::write_report(&input, &file).map_err(|error| CommandError::new(ExitStatus::Environment, error))?;
    store.put_file(&blob, &file)?;
    Ok(place)
}

/// Screenshots of items that did not reach the dataset, from what rests behind the render phase.
fn pictures(built: &Built, record: &RunRecord, ids: &[ItemId]) -> BTreeMap<ItemId, bytes::Bytes> {
    let wanted: std::collections::BTreeSet<ItemId> = ids.iter().copied().collect();
    let mut found = BTreeMap::new();
    let visit = &mut |item: item::Item| {
        if let Body::Snapshot(snapshot) = item.body
            && wanted.contains(&item.head.id)
        {
            found.insert(item.head.id, snapshot.screenshot);
        }
    };
    // A picture less is no reason to write no report.
    let _missing = engine::visit_items(&built.pipeline, built.store.as_ref(), record, &wanted, visit);
    found
}
