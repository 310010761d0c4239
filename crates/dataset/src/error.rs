//! What can go wrong between rows and files.

use std::path::{Path, PathBuf};

/// Trouble with a file of rows. Each message fits after "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The file system said no.
    #[error("{action} {}", path.display())]
    Io {
        /// What was tried: `create`, `read`, `rename`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Parquet could not be written or read.
    #[error("{action} Parquet file {}", path.display())]
    Parquet {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: parquet::errors::ParquetError,
    },
    /// Columns could not be put together to a batch.
    #[error("build a batch of rows for {}", path.display())]
    Batch {
        /// For which file.
        path: PathBuf,
        /// Why not.
        source: BatchError,
    },
    /// The file is Parquet, but not what was asked for.
    #[error("read {}: {problem}", path.display())]
    Unexpected {
        /// Which file.
        path: PathBuf,
        /// What is different.
        problem: String,
    },
    /// The item has another body than the file is for.
    #[error("write an item with a {found:?} body into a file of {expected:?} bodies")]
    BodyKind {
        /// What the file is for.
        expected: item::BodyKind,
        /// What came.
        found: item::BodyKind,
    },
}

/// A value that does not fit its column.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The column always has a value, and here is none.
    #[error("column `{column}` has no value, and must have one")]
    Missing {
        /// Name of the column.
        column: &'static str,
    },
    /// The row ends in front of the column's value.
    #[error("the row ends in front of column `{column}`")]
    Short {
        /// Name of the column.
        column: &'static str,
    },
    /// The row goes on behind its last column.
    #[error("the row has more values than there are columns")]
    Long,
    /// The value is of another kind than the column.
    #[error("the value for column `{column}` is of another type")]
    Kind {
        /// Name of the column.
        column: &'static str,
    },
    /// Arrow refused the column.
    #[error("the columns do not fit together")]
    Arrow(#[from] arrow_schema::ArrowError),
}

pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> DatasetError + use<> {
    let path = path.to_owned();
    move |source| DatasetError::Io { action, path, source }
}

pub(crate) fn parquet(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(parquet::errors::ParquetError) -> DatasetError + use<> {
    let path = path.to_owned();
    move |source| DatasetError::Parquet { action, path, source }
}

pub(crate) fn batch(path: &Path) -> impl FnOnce(BatchError) -> DatasetError + use<> {
    let path = path.to_owned();
    move |source| DatasetError::Batch { path, source }
}
