//! The folder in which a run's browsers have their profiles.
//!
//! Browsers remove their own profile when they end in order. A run that is stopped or killed has browsers that do not, so
//! all profiles of a process lie in one folder that carries its id: it is removed as a whole when the run stops, and every
//! run that stops removes those of processes that are gone.

use std::path::{Path, PathBuf};
use std::time::Duration;

const PREFIX: &str = "databuild-profiles-";
/// A killed browser may write for a moment more, into a folder that is being removed.
const REMOVE_ATTEMPTS: u32 = 20;
const REMOVE_PAUSE: Duration = Duration::from_millis(100);

/// The folder of this process; removed when dropped.
#[derive(Debug)]
pub(crate) struct Profiles(PathBuf);

impl Profiles {
    /// Makes the folder in the system's temporary folder.
    pub(crate) fn create() -> std::io::Result<Self> {
        let temp = std::env::temp_dir();
        let folder = tempfile::Builder::new().prefix(&format!("{PREFIX}{}-", std::process::id())).tempdir_in(temp)?;
        Ok(Self(folder.keep()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Profiles {
    fn drop(&mut self) {
        for _ in 0..REMOVE_ATTEMPTS {
            let removed = std::fs::remove_dir_all(&self.0);
            if removed.is_ok() || !self.0.exists() {
                return;
            }
            std::thread::sleep(REMOVE_PAUSE);
        }
    }
}

/// Removes the folders of processes that are gone.
pub(crate) fn sweep_stale() {
    sweep(&std::env::temp_dir());
}

fn sweep(temp: &Path) {
    for entry in temp.read_dir().into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        let is_gone = owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists());
        if is_gone {
            // Somebody else may be sweeping, or the folder is another user's: it is only tidiness.
            let _left = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_processes_that_are_gone_are_removed() {
        let temp = tempfile::tempdir().expect("a folder");
        let make = |name: &str| {
            let folder = temp.path().join(name);
            std::fs::create_dir_all(folder.join("Default")).expect("a folder");
            folder
        };
        // No process has this number: it is above the largest that Linux gives.
        let gone = make("databuild-profiles-4999999-abc");
        let own = make(&format!("{PREFIX}{}-abc", std::process::id()));
        let foreign = make("somebody-elses");
        sweep(temp.path());
        assert!(!gone.exists() && own.exists() && foreign.exists());
    }
}
