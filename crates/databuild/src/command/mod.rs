//! The commands, one file each.

mod bench;
mod check;
mod dedup;
mod doctor;
mod explain;
mod export;
mod failed;
mod finished;
mod hashlist;
mod inspect;
mod metrics;
mod pages_of;
mod pixels;
mod plan;
mod publish;
mod report;
mod run;
mod schema;
mod score;
mod serve;
mod status;
mod store;
mod takedown;
mod tune;
mod verify;
mod vlm;

use ::store::s3::S3Address;
use pipeline::{Built, Environment, Loaded};

use crate::cli::{BenchCommand, Cli, Command, FileArgs, VlmCommand};
use crate::environment;
use crate::error::CommandError;
use crate::printer::Printer;

pub(crate) type Outcome = Result<(), CommandError>;

pub(crate) fn dispatch(cli: Cli, printer: Printer) -> Outcome {
    match cli.command {
        Command::Run(args) => run::run(&args, printer),
        Command::Plan(args) => plan::plan(&args, printer),
        Command::Status(args) => status::status(&args, printer),
        Command::Check(args) => check::check(&args, printer),
        Command::Inspect(args) => inspect::inspect(&args, printer),
        Command::Verify(args) => verify::verify(&args, printer),
        Command::Export(args) => export::export(&args, printer),
        Command::Metrics(args) => metrics::metrics(&args, printer),
        Command::Report(args) => report::report(&args, printer),
        Command::Publish(args) => publish::publish(&args, printer),
        Command::Serve(args) => serve::serve(&args, printer),
        Command::Failed(args) => failed::failed(&args, printer),
        Command::Retry(args) => failed::retry(&args, printer),
        Command::Explain(args) => explain::explain(&args, printer),
        Command::Takedown(args) => takedown::takedown(&args, printer),
        Command::Store(command) => store::store(&command, printer),
        Command::Score(args) => score::score(&args, printer),
        Command::Hashlist(args) => hashlist::hashlist(&args, printer),
        Command::Dedup(command) => dedup::dedup(&command, printer),
        Command::Vlm(VlmCommand::Check(args)) => vlm::check(&args, printer),
        Command::Bench { of: BenchCommand::Render(args) } => bench::render(&args, printer),
        Command::Doctor(args) => doctor::doctor(&args, printer),
        Command::Schema { of } => schema::schema(&of, printer),
        Command::Completions { shell } => {
            schema::completions(shell);
            Ok(())
        }
    }
}

/// Reads a pipeline file with its options.
fn load(args: &FileArgs) -> Result<Loaded, CommandError> {
    let mut loaded = pipeline::load(&args.file, &args.sets)?;
    if let Some(store) = &args.store {
        loaded.file.run.store = if S3Address::is_meant(store) {
            store.clone()
        } else {
            // Relative to where the user stands, not to the file.
            let store = std::path::absolute(store).map_err(CommandError::environment)?;
            store.to_string_lossy().into_owned()
        };
    }
    Ok(loaded)
}

/// Reads a pipeline file and sets it up.
fn build(args: &FileArgs) -> Result<(Loaded, Built, Environment), CommandError> {
    let loaded = load(args)?;
    let environment = environment::read();
    let built = pipeline::build(&loaded, &environment)?;
    Ok((loaded, built, environment))
}
