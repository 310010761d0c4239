//! Numbers from ONNX models.
//!
//! A scorer is a folder with an ONNX file and a `model.toml` that says how a screenshot becomes the model's input and
//! what its output means; nothing about a particular model is in the code. ONNX Runtime is a shared library that is
//! loaded when it is needed, so building needs none and a user brings the CPU or GPU build that fits the machine.
//!
//! [`Runtime`] → [`ScorerModel`] → [`Scorer`] → [`Score`], and [`EmbedderModel`] → [`Embedder`] → [`cosine`].

mod device;
mod embedder;
mod error;
mod graph;
mod manifest;
mod model;
mod picture;
mod runtime;
mod scorer;
mod seen;
mod tiles;
mod together;

pub use device::{Device, UnknownDevice};
pub use embedder::{Embedder, cosine};
pub use error::ScoreError;
pub use manifest::{
    Activation, Calibration, Colour, EmbeddingOutput, Features, Fit, Inputs, Layout, Missing, ModelManifest, Pixels,
    Resize, Tiles,
};
pub use model::{EmbedderModel, MANIFEST_FILE, ScorerModel};
pub use picture::{PIXELS_MAX, PictureError};
pub use runtime::{Runtime, find_runtime};
pub use scorer::{Look, Score, Scorer, ScorerConfig};
