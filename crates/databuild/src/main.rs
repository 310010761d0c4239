//! `databuild`: web archives to verified UI training data.

mod cli;
mod command;
mod environment;
mod error;
mod events;
mod exit;
mod funnel;
mod http;
mod metrics;
mod printer;
mod progress;

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Screenshots come and go on many threads; the system's allocator keeps ever more of what they leave (docs/performance.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = cli::parse();
    let printer = printer::Printer::new(cli.quiet);
    match command::dispatch(cli, printer) {
        Ok(()) => exit::ExitStatus::Ok.into(),
        Err(error) => {
            printer.error(&error);
            error.status().into()
        }
    }
}
