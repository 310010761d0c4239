//! Where Chrome is.
//!
//! Real binaries are preferred to the wrapper scripts of distributions, which add flags of their own, and
//! `headless-shell` to the full browser, which costs half as much again for the same pixels.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Absolute paths that are tried first: real binaries that are not on the search path.
const KNOWN_BINARIES: &[&str] = &[
    "/usr/lib/chromium/chromium-headless-shell",
    "/usr/lib/chromium-browser/headless_shell",
    "/opt/chrome-headless-shell/chrome-headless-shell",
    "/headless-shell/headless-shell",
];

/// Names that are looked up on the search path, best first.
const NAMES: &[&str] = &[
    "chromium-headless-shell",
    "chrome-headless-shell",
    "headless-shell",
    "headless_shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
];

/// No browser can be used.
#[derive(Debug, Error)]
pub enum ChromeNotFound {
    /// The path that was asked for is no executable file.
    #[error("{} is not an executable file", .0.display())]
    NotExecutable(PathBuf),
    /// Nothing was found.
    #[error("no Chrome or Chromium found; install chromium-headless-shell or name the binary")]
    Nowhere,
}

/// The browser to use: `explicit` if given, else the best one in the usual places and on the search path.
pub fn find_chrome(explicit: Option<&Path>, path_var: &OsStr) -> Result<PathBuf, ChromeNotFound> {
    if let Some(path) = explicit {
        let found = is_executable(path).then(|| path.to_owned());
        return found.ok_or_else(|| ChromeNotFound::NotExecutable(path.to_owned()));
    }
    let known = KNOWN_BINARIES.iter().map(PathBuf::from).find(|path| is_executable(path));
    known.or_else(|| NAMES.iter().find_map(|name| find_program(name, path_var))).ok_or(ChromeNotFound::Nowhere)
}

/// The first executable file of that name on the search path.
pub(crate) fn find_program(name: &str, path_var: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path_var).map(|folder| folder.join(name)).find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explicit_path_is_taken_or_refused_but_never_replaced() {
        let path_var = OsStr::new("/bin:/usr/bin");
        assert_eq!(find_chrome(Some(Path::new("/bin/sh")), path_var).expect("there"), Path::new("/bin/sh"));
        assert!(matches!(find_chrome(Some(Path::new("/bin/none")), path_var), Err(ChromeNotFound::NotExecutable(_))));
    }

    #[test]
    fn programs_are_found_on_the_given_path_only() {
        assert!(find_program("sh", OsStr::new("/nowhere:/bin")).is_some());
        assert!(find_program("sh", OsStr::new("/nowhere")).is_none());
    }
}
