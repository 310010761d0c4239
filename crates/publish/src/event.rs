//! What is said while a publication goes on.

use std::time::Duration;

use crate::transfer::Way;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// What will be sent, and what the target has already.
    Planned {
        /// Files that are sent.
        files: usize,
        /// Bytes of them.
        bytes: u64,
        /// Files that the target has already.
        present: usize,
        /// Files of an earlier publication that are removed.
        removed: usize,
    },
    /// By which way large files go.
    Carried {
        /// The way.
        way: Way,
        /// Why that one.
        why: &'static str,
    },
    /// So many bytes more have gone out; fewer, when something has to be sent again.
    Sent(i64),
    /// A file arrived.
    Arrived {
        /// Its name.
        name: String,
        /// Its size.
        bytes: u64,
    },
    /// A commit was made.
    Committed {
        /// Id of the commit.
        commit: String,
        /// Files in it.
        files: usize,
    },
    /// It waits before it asks again.
    Waiting {
        /// What for.
        reason: String,
        /// How long.
        wait: Duration,
    },
}

/// Hears what happens. Called from the threads that send.
pub trait Observer: Sync {
    /// Hears it.
    fn event(&self, event: &Event);
    /// Whether to stop: asked between files and while waiting.
    fn stopped(&self) -> bool {
        false
    }
}

/// Nobody listens.
impl Observer for () {
    fn event(&self, _: &Event) {}
}
