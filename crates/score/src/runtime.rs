//! The ONNX Runtime library of this process.
//!
//! ONNX Runtime keeps process-wide state and can be loaded once, so the first [`Runtime`] is the only one; asking again
//! for the same file gives it back. Which files to try is the caller's business: this crate reads no environment.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ort::environment::Environment;

use crate::ScoreError;

static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// A loaded ONNX Runtime. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Runtime {
    path: PathBuf,
    environment: Environment,
    version: Arc<OnceLock<Option<String>>>,
}

impl Runtime {
    /// Loads the shared library at `path`.
    pub fn load(path: &Path) -> Result<Self, ScoreError> {
        let path = path.canonicalize().map_err(|source| ScoreError::Read { path: path.to_path_buf(), source })?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = loaded.as_ref() {
            let is_same = runtime.path == path;
            return if is_same {
                Ok(runtime.clone())
            } else {
                Err(ScoreError::RuntimeOther { path, loaded: runtime.path.clone() })
            };
        }
        let environment = ort::init_from(&path)
            .map_err(|source| ScoreError::RuntimeLoad { path: path.clone(), source })?
            .with_name("databuild")
            .with_telemetry(false)
            // Its own logger writes to stderr, where only the binary may; what matters comes back as an error anyway.
            .with_logger(Arc::new(|_, _, _, _, _| {}))
            .build()
            .map_err(|source| ScoreError::RuntimeStart { path: path.clone(), source })?;
        let runtime = Self { path, environment, version: Arc::default() };
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// The file it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version, such as `1.31.1`; `None` where the file does not tell.
    pub fn version(&self) -> Option<&str> {
        self.version.get_or_init(|| std::fs::read(&self.path).ok().and_then(|bytes| version_in(&bytes))).as_deref()
    }

    /// What the library says about how it was built.
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// The version out of the library's bytes. The binding does not hand on what the library says of itself; on Linux its
/// symbols carry the version as `VERS_1.31.1`.
fn version_in(library: &[u8]) -> Option<String> {
    const MARK: &[u8] = b"VERS_";
    let mut rest = library;
    loop {
        let at = rest.windows(MARK.len()).position(|window| window == MARK)?;
        rest = &rest[at + MARK.len()..];
        let version: String =
            rest.iter().map(|&byte| char::from(byte)).take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        if version.split('.').filter(|part| !part.is_empty()).count() == 3 {
            return Some(version);
        }
    }
}

/// The first of the candidates that has the library: a file, or a folder with one under its usual name.
pub fn find_runtime(candidates: &[PathBuf]) -> Result<PathBuf, ScoreError> {
    candidates
        .iter()
        .find_map(|candidate| if candidate.is_dir() { library_in(candidate) } else { file(candidate.clone()) })
        .ok_or_else(|| ScoreError::RuntimeMissing { tried: candidates.to_vec() })
}

fn library_in(folder: &Path) -> Option<PathBuf> {
    const NAMES: [&str; 3] = ["libonnxruntime.so", "libonnxruntime.dylib", "onnxruntime.dll"];
    NAMES.iter().find_map(|name| file(folder.join(name))).or_else(|| {
        // Wheels and archives name it by version only: the newest by name, so that the choice is not the disk's.
        let entries = std::fs::read_dir(folder).ok()?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| name.starts_with("libonnxruntime.so.")).max().and_then(|name| file(folder.join(name)))
    })
}

fn file(path: PathBuf) -> Option<PathBuf> {
    path.is_file().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_files_or_folders_in_order() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("wheel")).expect("new folder");
        for name in ["wheel/libonnxruntime.so.1.30.0", "wheel/libonnxruntime.so.1.31.1", "wheel/other.so", "own.so"] {
            std::fs::write(at(name), "").expect("new file");
        }
        let check = |candidates: &[&str], expected: &str| {
            let candidates: Vec<_> = candidates.iter().map(|name| at(name)).collect();
            assert_eq!(find_runtime(&candidates).expect("one is there"), at(expected));
        };
        check(&["none", "wheel"], "wheel/libonnxruntime.so.1.31.1");
        check(&["own.so", "wheel"], "own.so");
        let error = find_runtime(&[at("none")]).expect_err("nothing there");
        assert!(error.to_string().contains("none"), "{error}");
        assert!(find_runtime(&[]).is_err());
    }

    #[test]
    fn the_version_is_found_in_the_symbols() {
        assert_eq!(version_in(b"\0VERS_x\0VERS_1.2\0 VERS_1.31.1\0tail"), Some("1.31.1".to_owned()));
        assert_eq!(version_in(b"nothing"), None);
    }
}
