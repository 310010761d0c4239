//! A model: its manifest and its bytes, known to belong together.

use std::fmt::{self, Write as _};
use std::path::Path;

use item::{ContentHasher, Digest};
use sha2::{Digest as _, Sha256};

use crate::{ModelManifest, ScoreError};

/// Name of the manifest in a model's folder.
pub const MANIFEST_FILE: &str = "model.toml";

/// A manifest and the ONNX bytes whose digest it names.
#[derive(Clone)]
pub struct ScorerModel {
    manifest: ModelManifest,
    fingerprint: Digest,
    onnx: Vec<u8>,
}

impl fmt::Debug for ScorerModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScorerModel").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

impl ScorerModel {
    /// The model in `folder`: its `model.toml` and the ONNX file that names.
    pub fn from_folder(folder: &Path) -> Result<Self, ScoreError> {
        let path = folder.join(MANIFEST_FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| ScoreError::Read { path, source })?;
        let manifest = ModelManifest::parse(&text)?;
        let path = folder.join(&manifest.file);
        let onnx = std::fs::read(&path).map_err(|source| ScoreError::Read { path, source })?;
        Self::new(manifest, &text, onnx)
    }

    /// The model out of a manifest's text and ONNX bytes, such as those built into the binary.
    pub fn from_parts(manifest_text: &str, onnx: impl Into<Vec<u8>>) -> Result<Self, ScoreError> {
        Self::new(ModelManifest::parse(manifest_text)?, manifest_text, onnx.into())
    }

    fn new(manifest: ModelManifest, text: &str, onnx: Vec<u8>) -> Result<Self, ScoreError> {
        let actual = hex(&Sha256::digest(&onnx));
        if !actual.eq_ignore_ascii_case(&manifest.sha256) {
            return Err(ScoreError::Digest { model: manifest.name, expected: manifest.sha256, actual });
        }
        let fingerprint = ContentHasher::new("scorer-model").add_text(text).finish();
        Ok(Self { manifest, fingerprint, onnx })
    }

    /// What the manifest says.
    pub fn manifest(&self) -> &ModelManifest {
        &self.manifest
    }

    /// Digest of everything that decides a score: the manifest's text, which holds the SHA-256 of the weights.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    pub(crate) fn onnx(&self) -> &[u8] {
        &self.onnx
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a string never fails
        text
    })
}
