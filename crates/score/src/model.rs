//! A model: its manifest and its bytes, known to belong together.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use item::{ContentHasher, Digest};
use sha2::{Digest as _, Sha256};

use crate::manifest::{EmbeddingOutput, ScoreOutput};
use crate::{ModelManifest, ScoreError};

/// Name of the manifest in a model's folder.
pub const MANIFEST_FILE: &str = "model.toml";

/// A manifest and the ONNX bytes whose digest it names, whatever they say.
#[derive(Clone)]
pub(crate) struct Model {
    manifest: ModelManifest,
    fingerprint: Digest,
    onnx: Vec<u8>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

impl Model {
    /// The manifest at `path` and the ONNX file that it names, beside it.
    fn from_file(path: &Path) -> Result<Self, ScoreError> {
        let read = |path: PathBuf, source| ScoreError::Read { path, source };
        let text = std::fs::read_to_string(path).map_err(|source| read(path.to_owned(), source))?;
        let manifest = ModelManifest::parse(&text)?;
        let path = path.with_file_name(&manifest.file);
        let onnx = std::fs::read(&path).map_err(|source| read(path, source))?;
        Self::new(manifest, &text, onnx)
    }

    fn from_parts(manifest_text: &str, onnx: Vec<u8>) -> Result<Self, ScoreError> {
        Self::new(ModelManifest::parse(manifest_text)?, manifest_text, onnx)
    }

    fn new(manifest: ModelManifest, text: &str, onnx: Vec<u8>) -> Result<Self, ScoreError> {
        let actual = hex(&Sha256::digest(&onnx));
        if !actual.eq_ignore_ascii_case(&manifest.sha256) {
            return Err(ScoreError::Digest { model: manifest.name, expected: manifest.sha256, actual });
        }
        let fingerprint = ContentHasher::new("scorer-model").add_text(text).finish();
        Ok(Self { manifest, fingerprint, onnx })
    }

    pub(crate) fn manifest(&self) -> &ModelManifest {
        &self.manifest
    }

    pub(crate) fn onnx(&self) -> &[u8] {
        &self.onnx
    }
}

/// A model that scores.
#[derive(Debug, Clone)]
pub struct ScorerModel {
    model: Model,
    score: ScoreOutput,
}

impl ScorerModel {
    /// The model in `folder`: its `model.toml` and the ONNX file that names.
    pub fn from_folder(folder: &Path) -> Result<Self, ScoreError> {
        Self::new(Model::from_file(&folder.join(MANIFEST_FILE))?)
    }

    /// The model out of a manifest's text and ONNX bytes, such as those built into the binary.
    pub fn from_parts(manifest_text: &str, onnx: impl Into<Vec<u8>>) -> Result<Self, ScoreError> {
        Self::new(Model::from_parts(manifest_text, onnx.into())?)
    }

    fn new(model: Model) -> Result<Self, ScoreError> {
        let score = model.manifest.output.score.clone().ok_or_else(|| missing("output.score", "score"))?;
        if model.manifest.check.as_ref().is_some_and(|check| check.expect.len() != 1) {
            return Err(ScoreError::ManifestValue { key: "check.expect", problem: "must be one raw score".into() });
        }
        Ok(Self { model, score })
    }

    /// What the manifest says.
    pub fn manifest(&self) -> &ModelManifest {
        &self.model.manifest
    }

    /// Digest of everything that decides a score: the manifest's text, which holds the SHA-256 of the weights.
    pub fn fingerprint(&self) -> Digest {
        self.model.fingerprint
    }

    pub(crate) fn score(&self) -> &ScoreOutput {
        &self.score
    }

    pub(crate) fn model(&self) -> &Model {
        &self.model
    }
}

/// A model that says where a picture lies among others.
#[derive(Debug, Clone)]
pub struct EmbedderModel {
    model: Model,
    embedding: EmbeddingOutput,
}

impl EmbedderModel {
    /// The model of a `model.toml`, under whatever name; the ONNX file lies beside it.
    pub fn from_file(manifest: &Path) -> Result<Self, ScoreError> {
        Self::new(Model::from_file(manifest)?)
    }

    /// The model out of a manifest's text and ONNX bytes.
    pub fn from_parts(manifest_text: &str, onnx: impl Into<Vec<u8>>) -> Result<Self, ScoreError> {
        Self::new(Model::from_parts(manifest_text, onnx.into())?)
    }

    fn new(model: Model) -> Result<Self, ScoreError> {
        let embedding =
            model.manifest.output.embedding.clone().ok_or_else(|| missing("output.embedding", "embedding"))?;
        Ok(Self { model, embedding })
    }

    /// What the manifest says.
    pub fn manifest(&self) -> &ModelManifest {
        &self.model.manifest
    }

    pub(crate) fn embedding(&self) -> &EmbeddingOutput {
        &self.embedding
    }

    pub(crate) fn model(&self) -> &Model {
        &self.model
    }
}

fn missing(key: &'static str, what: &str) -> ScoreError {
    ScoreError::ManifestValue { key, problem: format!("is missing: this model gives no {what}") }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a string never fails
        text
    })
}
