//! Why a scorer or an embedder could not be made. Trouble with one picture is not here: that is an `item::Failure`.

use std::path::PathBuf;

/// Why there is no scorer or embedder.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// None of the places has the library.
    #[error("find ONNX Runtime (looked at {})", list(tried))]
    RuntimeMissing {
        /// The places.
        tried: Vec<PathBuf>,
    },
    /// The file is no ONNX Runtime that can be used.
    #[error("load ONNX Runtime from {}", path.display())]
    RuntimeLoad {
        /// The file.
        path: PathBuf,
        /// What the loader said.
        #[source]
        source: ort::LoadDynamicError,
    },
    /// A process can hold one.
    #[error("load ONNX Runtime from {}: this process already uses {}", path.display(), loaded.display())]
    RuntimeOther {
        /// The file asked for.
        path: PathBuf,
        /// The file in use.
        loaded: PathBuf,
    },
    /// The library was loaded and did not start.
    #[error("start ONNX Runtime from {}", path.display())]
    RuntimeStart {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: ort::Error,
    },
    /// A file of the model could not be read.
    #[error("read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The manifest is no TOML, or not one of ours.
    #[error("parse the model manifest")]
    Manifest(#[source] toml::de::Error),
    /// A key of the manifest has a value that can't be.
    #[error("use the model manifest: `{key}` {problem}")]
    ManifestValue {
        /// Dotted key.
        key: &'static str,
        /// What is wrong with it: `must be 1`.
        problem: String,
    },
    /// The ONNX file is not the one that the manifest was written for.
    #[error("use model {model}: the ONNX file has SHA-256 {actual}, the manifest says {expected}")]
    Digest {
        /// Name of the model.
        model: String,
        /// By the manifest.
        expected: String,
        /// Of the bytes.
        actual: String,
    },
    /// ONNX Runtime can't run the graph.
    #[error("load model {model} into ONNX Runtime")]
    Session {
        /// Name of the model.
        model: String,
        /// What it said.
        #[source]
        source: ort::Error,
    },
    /// Graph and manifest do not fit.
    #[error("use model {model}: {problem}")]
    Graph {
        /// Name of the model.
        model: String,
        /// What does not fit.
        problem: String,
    },
    /// The self-check of the manifest does not come out.
    #[error("check model {model}: its fixed input gives {actual}, the manifest expects {expected} ± {tolerance}")]
    Check {
        /// Name of the model.
        model: String,
        /// By the manifest.
        expected: f64,
        /// By this machine.
        actual: f64,
        /// Largest difference.
        tolerance: f64,
    },
    /// The library or the machine can't use that device.
    #[error("run model {model} on {device}, with ONNX Runtime from {}", library.display())]
    Device {
        /// Name of the model.
        model: String,
        /// The device asked for.
        device: String,
        /// The library, which may be built for the processor alone.
        library: PathBuf,
        /// What it said.
        #[source]
        source: ort::Error,
    },
}

fn list(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "no place at all".to_owned();
    }
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
