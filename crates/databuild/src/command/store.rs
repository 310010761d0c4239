//! `databuild store`: how much lies in it, what can go, whether it is whole.

use engine::housekeeping::{self, FOLDERS};

use super::{Outcome, load};
use crate::cli::{PruneArgs, StoreCommand};
use crate::environment;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

pub(crate) fn store(command: &StoreCommand, printer: Printer) -> Outcome {
    match command {
        StoreCommand::Du(args) => {
            let store = pipeline::open_store(&load(args)?, &environment::read())?;
            for (usage, (_, meaning)) in housekeeping::usage(store.as_ref())?.iter().zip(FOLDERS) {
                let megabytes = usage.bytes as f64 / 1e6;
                printer.data(&format!("{megabytes:>10.1} MB {:>8} {:<9} {meaning}", usage.blobs, usage.folder));
            }
            let unneeded = housekeeping::unneeded(store.as_ref())?;
            let bytes: u64 = unneeded.iter().map(|blob| blob.bytes).sum();
            printer
                .note(&format!("{:.1} MB of it are of no use any more: `databuild store prune`", bytes as f64 / 1e6));
            Ok(())
        }
        StoreCommand::Prune(args) => prune(args, printer),
        StoreCommand::Verify(args) => {
            let store = pipeline::open_store(&load(args)?, &environment::read())?;
            let flaws = housekeeping::verify(store.as_ref())?;
            for flaw in &flaws {
                printer.data(&format!("{}: {}", flaw.name, flaw.what));
            }
            if flaws.is_empty() {
                printer.note("the store is whole");
                return Ok(());
            }
            let message = format!("verify the store `{}`: {} flaws", store.location(), flaws.len());
            Err(CommandError::new(ExitStatus::CheckFailed, anyhow::anyhow!(message))
                .hint("nothing of it is read as if it were good; `databuild run` does that work again"))
        }
    }
}

fn prune(args: &PruneArgs, printer: Printer) -> Outcome {
    let store = pipeline::open_store(&load(&args.file)?, &environment::read())?;
    if !args.dry_run
        && let Some(held) = housekeeping::held(store.as_ref())?.into_iter().find(|held| !held.is_gone)
    {
        // What a run has made and not yet named in its record would count as of no use.
        let (pid, since) = (held.lease.owner.pid, &held.lease.renewed_at);
        let message = format!("prune the store: process {pid} works in it (`{}`, last seen {since})", held.kind);
        let hint = "wait for that run or stop it; a lease of a machine that is gone is taken over by the next run";
        return Err(CommandError::environment(anyhow::anyhow!(message)).hint(hint));
    }
    let unneeded = housekeeping::unneeded(store.as_ref())?;
    let bytes: u64 = unneeded.iter().map(|blob| blob.bytes).sum();
    for blob in &unneeded {
        if args.dry_run {
            printer.data(blob.name.as_str());
        } else {
            store.delete(&blob.name)?;
        }
    }
    let done = if args.dry_run { "would be removed" } else { "removed" };
    printer.note(&format!("{} files, {:.1} MB {done}", unneeded.len(), bytes as f64 / 1e6));
    Ok(())
}
