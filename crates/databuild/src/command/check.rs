//! `databuild check PATH`: a pipeline file, or a dataset.

use std::path::Path;

use dataset::Weight;

use super::{Outcome, load};
use crate::cli::FileArgs;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Reads the file and every value in it, and touches neither data nor state; of a folder, looks whether everybody can read
/// the Parquet files below it.
pub(crate) fn check(args: &FileArgs, printer: Printer) -> Outcome {
    if args.file.is_dir() {
        return limits(&args.file, printer);
    }
    let loaded = load(args)?;
    printer.note(&format!(
        "`{}` is a good pipeline file; its run is called `{}`",
        args.file.display(),
        loaded.file.run.name
    ));
    Ok(())
}

fn limits(folder: &Path, printer: Printer) -> Outcome {
    let report = dataset::check_limits(folder).map_err(|error| CommandError::new(ExitStatus::CheckFailed, error))?;
    for finding in &report.findings {
        let weight = match finding.weight {
            Weight::Advice => "advice",
            Weight::Broken => "broken",
        };
        printer.data(&format!("{weight}\t{}\t{}", finding.place, finding.problem));
    }
    printer.note(&format!(
        "{} files, {} rows, {:.1} MB; row groups of at most {} rows and {:.1} MB",
        report.files,
        report.rows,
        report.bytes as f64 / 1e6,
        report.group_rows_max,
        report.group_bytes_max as f64 / 1e6
    ));
    if report.files == 0 {
        return Err(CommandError::usage(format!("check `{}`: there are no Parquet files below it", folder.display())));
    }
    if !report.is_readable() {
        let broken = report.findings.iter().filter(|finding| finding.weight == Weight::Broken).count();
        return Err(CommandError::new(
            ExitStatus::CheckFailed,
            anyhow::anyhow!("find `{}` readable for everybody: {broken} limits are not kept", folder.display()),
        ));
    }
    Ok(())
}
