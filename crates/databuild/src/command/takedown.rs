//! `databuild takedown FILE`: rows that somebody wants out of the dataset.
//!
//! What is asked for goes onto a list in the store. The rest is an ordinary run: its sink leaves out what is on the list, and
//! everything before it is there already.

use std::collections::{BTreeMap, BTreeSet};

use dataset::{Manifest, ShardFile, Subset, each_mark};
use stages::{Sieve, Takedown, TakedownError, TakedownKind, TakedownList, Takedowns, Taken};

use super::finished::Finished;
use super::{Outcome, build, plan, run};
use crate::cli::{RunArgs, TakedownArgs};
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Takes rows out of the committed dataset, or says which these are.
pub(crate) fn takedown(args: &TakedownArgs, printer: Printer) -> Outcome {
    let asked = asked(args)?;
    let finished = Finished::open(&args.file)?;
    let found = Found::of(&finished, &Takedowns::new(asked.clone()))?;
    found.tell(&finished.manifest, args.dry_run, printer);
    if args.dry_run {
        return Ok(());
    }
    let list = TakedownList::new(finished.store.clone(), &finished.record.name);
    let time = jiff::Timestamp::now().to_string();
    match list.add(&asked, &time).map_err(CommandError::environment)? {
        Some(blob) => printer.note(&format!("kept in `{blob}`: no later run brings such rows back")),
        None => printer.note("asked for already"),
    }
    if found.rows == 0 {
        return Ok(());
    }
    write_without(args, printer)?;
    let after = Finished::open(&args.file)?;
    printer.note(&moved(&finished.manifest, &after.manifest));
    printer.note("what is published has those rows until `databuild publish` replaces it");
    Ok(())
}

/// Has an ordinary run write the dataset, if it needs to do nothing else.
fn write_without(args: &TakedownArgs, printer: Printer) -> Outcome {
    let (_, built, _) = build(&args.file)?;
    let plan = engine::plan(&built.pipeline, &built.store, plan::notes(printer))?;
    if plan.dataset_reused.is_none() {
        // Settings or inputs are not those of the dataset any more: that may be hours of work, and another dataset.
        let error =
            anyhow::anyhow!("write the dataset of `{}` without those rows: its stages have work to do", plan.name);
        return Err(CommandError::environment(error)
            .hint("the rows are still in the dataset; what was asked for is kept, and `databuild run` leaves it out")
            .hint("`databuild plan` says what there is to do, and why"));
    }
    let run = RunArgs { file: args.file.clone(), events: None, metrics: None, no_report: false };
    run::run_built(&built, &run, printer)
}

/// Everything that the command line and the list name.
fn asked(args: &TakedownArgs) -> Result<BTreeSet<Takedown>, CommandError> {
    let usage = |error: TakedownError| {
        let hint = error.hint.clone();
        CommandError::new(ExitStatus::Usage, error).hint(hint)
    };
    let named = [
        (TakedownKind::Url, &args.urls),
        (TakedownKind::Domain, &args.domains),
        (TakedownKind::Id, &args.ids),
        (TakedownKind::Hash, &args.hashes),
    ];
    let mut asked = BTreeSet::new();
    for (kind, values) in named {
        for value in values {
            asked.insert(Takedown::new(kind, value).map_err(usage)?);
        }
    }
    if let Some(path) = &args.list {
        let text = std::fs::read_to_string(path)
            .map_err(|error| CommandError::usage(format!("read the list `{}`: {error}", path.display())))?;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            asked.insert(line.parse().map_err(usage)?);
        }
    }
    if asked.is_empty() {
        return Err(CommandError::usage("take rows down: none is named")
            .hint("name some by `--url`, `--domain`, `--id`, `--hash`, or by a file: `--list`"));
    }
    Ok(asked)
}

/// Rows of the committed dataset that are to go.
struct Found {
    rows: u64,
    /// By shard of any subset, with how many rows of it.
    shards: BTreeMap<String, u64>,
}

impl Found {
    fn of(finished: &Finished, takedowns: &Takedowns) -> Result<Self, CommandError> {
        let broken = |error| CommandError::new(ExitStatus::CheckFailed, error);
        let mut sieve = Sieve::new(takedowns);
        for subset in [Subset::Pages, Subset::Edit, Subset::Polish, Subset::Preference] {
            for shard in finished.shards(subset) {
                let path = finished.file(shard)?;
                each_mark(&path, subset, &mut |mark| sieve.see(mark, shard)).map_err(broken)?;
            }
        }
        let mut found = Self { rows: 0, shards: BTreeMap::new() };
        for Taken { id, note: shard, .. } in sieve.finish() {
            found.rows += 1;
            found.count(shard);
            // Rows of `meta` are those of `pages`, in shards of their own.
            let is_in = |meta: &&ShardFile| {
                let is_of_it = (&meta.split, meta.edition) == (&shard.split, shard.edition);
                is_of_it && (meta.min_id..=meta.max_id).contains(&id)
            };
            if shard.subset == Subset::Pages.name()
                && let Some(meta) = finished.shards(Subset::Meta).find(is_in)
            {
                found.count(meta);
            }
        }
        Ok(found)
    }

    fn count(&mut self, shard: &ShardFile) {
        *self.shards.entry(shard.path.clone()).or_default() += 1;
    }

    fn tell(&self, manifest: &Manifest, is_dry: bool, printer: Printer) {
        if self.rows == 0 {
            printer.note("no row of the dataset is such a one");
            return;
        }
        let would = if is_dry { "would go" } else { "go" };
        for (name, subset) in &manifest.subsets {
            let shards: Vec<&ShardFile> = subset.splits.values().flatten().collect();
            let affected = shards.iter().filter_map(|shard| self.shards.get(&shard.path));
            let (files, rows) = affected.fold((0, 0), |(files, sum), rows| (files + 1, sum + rows));
            if rows > 0 {
                let (all, of) = (subset.rows, shards.len());
                printer.data(&format!("{name}: {rows} of {all} rows {would}, {files} of {of} shards"));
            }
        }
        printer.data(&format!("rejects: {} rows more", self.rows));
        if is_dry {
            self.shards.keys().for_each(|shard| printer.data(shard));
        }
    }
}

/// How many shards are other files than before.
fn moved(before: &Manifest, after: &Manifest) -> String {
    let names =
        |manifest: &Manifest| -> BTreeSet<String> { manifest.shards().map(|shard| shard.path.clone()).collect() };
    let (old, new) = (names(before), names(after));
    let written = new.difference(&old).count();
    format!("{written} shards written anew, {} as they were", new.len() - written)
}
