//! The installed fonts as a digest: the same page has other pixels where other fonts are installed.
//!
//! Fontconfig is asked through `fc-list`, because it is what Chrome asks. File names and font versions are hashed, sorted
//! and without their folders, so that two machines with the same packages agree.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, io};

use item::{ContentHasher, Digest};
use thiserror::Error;

use crate::finder::find_program;

/// Folders that are read where there is no `fc-list`: fontconfig's own defaults.
const FONT_FOLDERS: &[&str] = &["/usr/share/fonts", "/usr/local/share/fonts"];
/// Deepest folder that is read; font packages use two or three levels, and a loop of links must end.
const FOLDER_DEPTH_MAX: usize = 8;

/// The fonts could not be listed.
#[derive(Debug, Error)]
pub enum FontsError {
    /// `fc-list` did not start.
    #[error("fc-list did not start")]
    Start(#[source] io::Error),
    /// `fc-list` ended badly.
    #[error("fc-list ended with {0}")]
    Status(std::process::ExitStatus),
}

/// Digest of the fonts that Chrome can use on this machine. `path_var` is searched for `fc-list`.
pub fn font_set_digest(path_var: &OsStr) -> Result<Digest, FontsError> {
    let fonts = match find_program("fc-list", path_var) {
        Some(program) => ask_fontconfig(&program)?,
        None => read_folders(),
    };
    let mut hasher = ContentHasher::new("render font set");
    for font in &fonts {
        hasher.add_text(font);
    }
    Ok(hasher.finish())
}

fn ask_fontconfig(program: &Path) -> Result<BTreeSet<String>, FontsError> {
    let mut command = Command::new(program);
    // The browsers run without a home folder and without settings from the environment: so does this.
    command.env_clear().env("HOME", "/nonexistent").stdin(Stdio::null()).stderr(Stdio::null());
    let output =
        command.args(["--format", "%{file}\t%{index}\t%{fontversion}\n"]).output().map_err(FontsError::Start)?;
    if !output.status.success() {
        return Err(FontsError::Status(output.status));
    }
    let lines = String::from_utf8_lossy(&output.stdout);
    Ok(lines.lines().map(|line| line.rsplit_once('/').map_or(line, |(_, name)| name).to_owned()).collect())
}

fn read_folders() -> BTreeSet<String> {
    let mut fonts = BTreeSet::new();
    let mut open: Vec<_> = FONT_FOLDERS.iter().map(|folder| (Path::new(folder).to_owned(), 0)).collect();
    while let Some((folder, depth)) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(meta) = fs::metadata(entry.path()) else { continue };
            if meta.is_dir() && depth < FOLDER_DEPTH_MAX {
                open.push((entry.path(), depth + 1));
            } else if meta.is_file() {
                fonts.insert(format!("{}\t{}", entry.file_name().to_string_lossy(), meta.len()));
            }
        }
    }
    fonts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_same_twice_with_and_without_fontconfig() {
        for path_var in ["/usr/bin:/bin", "/nowhere"] {
            let path_var = OsStr::new(path_var);
            assert_eq!(font_set_digest(path_var).expect("listed"), font_set_digest(path_var).expect("listed"));
        }
    }
}
