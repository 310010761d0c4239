//! The only place that writes to the terminal: data to stdout, everything for people to stderr.

use std::io::{self, IsTerminal as _, Write as _};

use crate::error::CommandError;

/// Writes what commands have to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    quiet: bool,
}

#[expect(clippy::unused_self, reason = "whoever has no printer may not write, to whatever stream")]
impl Printer {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Whether progress bars can be drawn.
    pub(crate) fn draws_progress(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    pub(crate) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Data: what another program may read. A reader that went away is no error.
    pub(crate) fn data(self, text: &str) {
        let _broken_pipe = writeln!(io::stdout(), "{text}");
    }

    /// A note for people; not in quiet mode.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            let _closed = writeln!(io::stderr(), "{text}");
        }
    }

    /// An error; always.
    pub(crate) fn error(self, error: &CommandError) {
        let _closed = writeln!(io::stderr(), "{}", error.render());
    }
}
