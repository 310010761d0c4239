//! `databuild failed FILE` and `databuild retry FILE`: what could not be processed, and trying it again.

use item::LossKind;

use super::finished::Finished;
use super::{Outcome, run};
use crate::cli::{FailedArgs, FailureArgs, RetryArgs};
use crate::printer::Printer;

impl FailureArgs {
    fn wants(&self, stage: &str, class: &str) -> bool {
        self.stage.as_deref().is_none_or(|wanted| wanted == stage)
            && self.class.as_deref().is_none_or(|wanted| wanted == class)
    }
}

/// Lists the failures of the last run.
pub(crate) fn failed(args: &FailedArgs, printer: Printer) -> Outcome {
    let finished = Finished::open(&args.file)?;
    let mut count = 0_u64;
    finished.each_loss(|loss| {
        if loss.kind != LossKind::Failed || !args.which.wants(&loss.stage, &loss.rule) {
            return;
        }
        count += 1;
        if args.json {
            let line = serde_json::json!({
                "id": loss.id, "url": loss.provenance.url, "stage": loss.stage, "class": loss.rule,
                "message": loss.detail, "warc": loss.provenance.warc_filename,
                "offset": loss.provenance.warc_record_offset,
            });
            printer.data(&line.to_string());
        } else {
            let place = format!("{}@{}", loss.provenance.warc_filename, loss.provenance.warc_record_offset);
            let url = if loss.provenance.url.is_empty() { &place } else { &loss.provenance.url };
            printer.data(&format!("{} {:<8} {:<9} {url}\n    {}", loss.id, loss.stage, loss.rule, loss.detail));
        }
    })?;
    printer.note(&format!("{count} failures; `databuild retry` tries them again"));
    Ok(())
}

/// Tries failures of the last run again, and runs what follows from it.
pub(crate) fn retry(args: &RetryArgs, printer: Printer) -> Outcome {
    let finished = Finished::open(&args.run.file)?;
    let wants = |stage: &str, class: &str| args.which.wants(stage, class);
    let failures = engine::housekeeping::forget_failed(finished.store.as_ref(), &finished.record, wants)?;
    if failures == 0 {
        printer.note("no such failure in the last run: nothing to do");
        return Ok(());
    }
    printer.note(&format!("{failures} failures are tried again"));
    run::run(&args.run, printer)
}
