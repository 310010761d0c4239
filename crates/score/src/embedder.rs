//! Pictures in, vectors out: those of pictures that look alike to the model point the same way.
//!
//! Which model is the user's choice: CLIP, DINO or any other with one vector a picture. Its manifest says how the
//! pictures of its training were made, and a vector is as good as that description is exact.

use std::fmt;

use image::RgbImage;
use item::{Failure, FailureClass};

use crate::device::{Device, Placement};
use crate::graph::{Answer, Graph};
use crate::manifest::{Check, CheckInput, EmbeddingOutput};
use crate::picture::{Decoded, PictureError};
use crate::seen::Seen;
use crate::{EmbedderModel, ModelManifest, Runtime, ScoreError};

/// A model that is ready to embed.
pub struct Embedder {
    model: ModelManifest,
    embedding: EmbeddingOutput,
    graph: Graph,
}

impl fmt::Debug for Embedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedder").field("model", &self.model.name).finish_non_exhaustive()
    }
}

impl Embedder {
    /// Loads the model, which runs on `threads` of the processor, and tries it.
    pub fn new(runtime: &Runtime, model: &EmbedderModel, threads: usize) -> Result<Self, ScoreError> {
        let embedding = model.embedding().clone();
        let placement = Placement { threads, device: Device::Cpu, sessions: 1 };
        let graph = Graph::open(runtime, model.model(), &placement, &[&embedding.name])?;
        let embedder = Self { model: model.manifest().clone(), embedding, graph };
        embedder.self_check()?;
        Ok(embedder)
    }

    /// What the manifest says.
    pub fn manifest(&self) -> &ModelManifest {
        &self.model
    }

    /// The vector of a picture; as long as the model made it, of whatever length.
    pub fn embed(&self, picture: &RgbImage) -> Result<Vec<f32>, Failure> {
        self.embed_decoded(Decoded::of_rgb(picture))
    }

    /// The vector of a screenshot.
    pub fn embed_encoded(&self, screenshot: &[u8]) -> Result<Vec<f32>, Failure> {
        self.embed_decoded(Decoded::of_encoded(screenshot))
    }

    fn embed_decoded(&self, picture: Result<Decoded, PictureError>) -> Result<Vec<f32>, Failure> {
        let seen = picture.and_then(|picture| Seen::of(&picture, &[], self.graph.inputs()));
        let seen = seen.map_err(|error| error.failure())?;
        self.graph.run(&[&seen], |answer| self.read(answer))
    }

    fn read(&self, answer: &Answer<'_>) -> Result<Vec<f32>, Failure> {
        let EmbeddingOutput { name, token } = &self.embedding;
        let (rows, form) = match token {
            Some(token) => (answer.token_rows(name, *token), format!("[N, tokens, K] with a token {token}")),
            None => (answer.rows(name), "[N, K]".to_owned()),
        };
        let wrong = |message: String| Failure { class: FailureClass::Upstream, message };
        let rows = rows.map_err(|failure| wrong(format!("{}, where an embedding has {form}", failure.message)))?;
        let vector = rows.into_iter().next().unwrap_or_default();
        if vector.iter().all(|number| number.is_finite()) {
            return Ok(vector);
        }
        Err(wrong(format!("the model's answer in output `{name}` holds what is no number")))
    }

    /// Runs the fixed input even where the manifest expects nothing of it: the shape of an output is known for sure only
    /// once it is there, and a wrong one should be told before pages are rendered.
    fn self_check(&self) -> Result<(), ScoreError> {
        let check = self.model.check.as_ref();
        let vector =
            self.graph.run_fixed(check.map_or(CheckInput::Ramp, |check| check.input), |answer| self.read(answer))?;
        let numbers = vector.into_iter().map(f64::from);
        check.map_or(Ok(()), |check: &Check| check.compare(&self.model.name, numbers))
    }
}

/// Cosine of the angle between two vectors of one model, -1 to 1; 0 when one of them has no direction.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "vectors of one model");
    let product = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum() };
    let lengths = product(a, a).sqrt() * product(b, b).sqrt();
    if lengths == 0.0 { 0.0 } else { (product(a, b) / lengths).clamp(-1.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_is_that_of_the_angle() {
        let check = |a: &[f32], b: &[f32], expected: f64| {
            assert!((cosine(a, b) - expected).abs() < 1e-9, "{a:?} {b:?}: {}", cosine(a, b));
        };
        check(&[3.0, 4.0], &[3.0, 4.0], 1.0);
        check(&[3.0, 4.0], &[6.0, 8.0], 1.0);
        check(&[3.0, 4.0], &[-3.0, -4.0], -1.0);
        check(&[3.0, 4.0], &[4.0, -3.0], 0.0);
        check(&[1.0, 0.0], &[1.0, 1.0], 0.5f64.sqrt());
        check(&[0.0, 0.0], &[1.0, 1.0], 0.0);
        check(&[], &[], 0.0);
        check(&[1e-30, 0.0], &[1e-30, 0.0], 1.0);
        check(&[3e38, 3e38], &[3e38, 3e38], 1.0);
    }
}
