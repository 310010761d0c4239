//! The funnel as text: what came in, what went on, what was lost where and why.

use std::fmt::Write as _;

use engine::{RunRecord, StageBooks};

/// The funnel of a run, as a table.
pub(crate) fn table(record: &RunRecord) -> String {
    let mut text = format!("{:<12}{:>10}{:>10}{:>10}{:>10}\n", "stage", "seen", "kept", "rejected", "failed");
    for (number, phase) in record.phases.iter().enumerate() {
        let barrier = record.barriers.get(number).map(|barrier| &barrier.books);
        for books in phase.books.stages.iter().chain(barrier) {
            write_row(&mut text, books);
        }
    }
    if let Some(books) = &record.dataset.books {
        write_row(&mut text, books);
    }
    let aside = record.phases.first().map(|phase| &phase.books.aside).filter(|aside| !aside.is_empty());
    if let Some(aside) = aside {
        let kinds: Vec<String> = aside.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let _infallible = writeln!(text, "set aside as no pages: {}", kinds.join(", "));
    }
    text
}

fn write_row(text: &mut String, books: &StageBooks) {
    let (rejected, failed) = (books.rejected_total(), books.failed_total());
    let _infallible =
        writeln!(text, "{:<12}{:>10}{:>10}{:>10}{:>10}", books.stage, books.seen, books.kept, rejected, failed);
    for (rule, count) in &books.rejected {
        let _infallible = writeln!(text, "  {count:>8}  {rule}");
    }
    for (class, count) in &books.failed {
        let _infallible = writeln!(text, "  {count:>8}  failed: {class}");
    }
    for (kind, count) in &books.aside {
        let _infallible = writeln!(text, "  {count:>8}  ({kind})");
    }
}
