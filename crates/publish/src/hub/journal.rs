//! What a publication did, line by line: for people, and for the day when something is not as it should be. Taking up a
//! publication does not need it; that asks the Hub.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{self, HubError, PublishError};

#[derive(Debug, Default)]
pub(super) struct Journal(Option<(PathBuf, File)>);

impl Journal {
    pub(super) fn open(path: &Path) -> Result<Self, PublishError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(error::io("create", folder))?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(error::io("open", path))?;
        Ok(Self(Some((path.to_owned(), file))))
    }

    /// One line, written at once.
    pub(super) fn note(&self, line: &serde_json::Value) -> Result<(), HubError> {
        let Some((path, file)) = &self.0 else { return Ok(()) };
        let mut file: &File = file;
        let written = file.write_all(format!("{line}\n").as_bytes());
        written.map_err(|source| HubError::Read { path: path.clone(), source })
    }
}
