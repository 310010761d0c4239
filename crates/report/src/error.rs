//! What can go wrong while a report is written.

use std::path::PathBuf;

/// Trouble with a report. Each message fits after "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file system said no.
    #[error("{action} {}", path.display())]
    Io {
        /// What was tried: `read`, `write`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The dataset's manifest cannot be understood.
    #[error("read manifest {}", path.display())]
    Manifest {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
    /// A shard cannot be read.
    #[error("read the rows of the dataset")]
    Rows(#[from] dataset::DatasetError),
}
