//! `databuild score`: numbers for pictures, and what a scorer is trained and tested on.

mod states;

use super::Outcome;
use crate::cli::ScoreCommand;
use crate::printer::Printer;

pub(crate) fn score(command: &ScoreCommand, printer: Printer) -> Outcome {
    match command {
        ScoreCommand::States(args) => states::states(args, printer),
    }
}
