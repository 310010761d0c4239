//! `databuild check FILE`

use super::{Outcome, load};
use crate::cli::FileArgs;
use crate::printer::Printer;

/// Reads the file and every value in it; touches neither data nor state.
pub(crate) fn check(args: &FileArgs, printer: Printer) -> Outcome {
    let loaded = load(args)?;
    printer.note(&format!(
        "`{}` is a good pipeline file; its run is called `{}`",
        args.file.display(),
        loaded.file.run.name
    ));
    Ok(())
}
