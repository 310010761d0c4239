//! Why a transfer ended.

/// A file on a web server could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("fetch `{url}`")]
pub struct RemoteError {
    /// The file.
    pub url: String,
    /// What stood in the way.
    #[source]
    pub trouble: Trouble,
}

/// What stood in the way of a transfer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// The server refuses, and asking again will not help.
    #[error("the server answered {0}")]
    Status(u16),
    /// The server still asks to slow down after every wait.
    #[error(
        "the server answered {status} {attempts} times in a row, which means: slow down, or this address is blocked"
    )]
    Throttled {
        /// Its last answer.
        status: u16,
        /// Requests without a byte in between.
        attempts: usize,
    },
    /// The connection broke again and again.
    #[error("the connection broke {attempts} times in a row")]
    Broken {
        /// Requests without a byte in between.
        attempts: usize,
        /// The last break.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file is another one than the file that was listed or begun.
    #[error("the file changed under the run: it was version {was}, it is {is}")]
    Changed {
        /// The version that was listed.
        was: String,
        /// The version that is there.
        is: String,
    },
    /// The file is no list of archives, or too large for one.
    #[error("it is no list of archives: {0}")]
    NoList(String),
    /// The user stopped the run.
    #[error("the run was stopped")]
    Stopped,
}

impl RemoteError {
    pub(super) fn new(url: &str, trouble: Trouble) -> Self {
        Self { url: url.to_owned(), trouble }
    }
}
