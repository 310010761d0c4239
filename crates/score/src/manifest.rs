//! `model.toml`: what a model wants to see and what it says.
//!
//! Whoever trains a model writes this file beside it, and the engine does what it says. Unknown keys are errors: a
//! setting that is silently ignored would give other numbers than in training.

mod input;

use serde::Deserialize;

use crate::ScoreError;

pub use input::{Colour, Features, Fit, Inputs, Layout, Missing, Pixels, Resize, Tiles};

/// The only form of the manifest so far.
const FORMAT: u32 = 1;

/// A parsed and checked `model.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelManifest {
    /// Form of the manifest: 1.
    pub format: u32,
    /// Name of the model, as in the dataset.
    pub name: String,
    /// Version of the model.
    pub version: String,
    /// The ONNX file, beside the manifest.
    pub file: String,
    /// SHA-256 of the ONNX file (hex).
    pub sha256: String,
    /// ONNX operator set, for readers.
    pub opset: Option<u32>,
    /// Licence of the weights (SPDX expression).
    #[serde(alias = "licence")]
    pub license: String,
    /// What goes in.
    pub input: Inputs,
    /// What comes out.
    pub output: Outputs,
    /// Self-check that is run when the model is loaded.
    pub check: Option<Check>,
}

/// The outputs of the graph.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outputs {
    /// The score; a scorer has one.
    pub score: Option<ScoreOutput>,
    /// Sub-scores.
    pub parts: Option<PartsOutput>,
    /// The embedding; an embedder has one.
    pub embedding: Option<EmbeddingOutput>,
}

/// A vector that is near those of pictures alike.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingOutput {
    /// Name of the graph's output, `[N, K]`, or `[N, tokens, K]` with `token`.
    pub name: String,
    /// Which of a picture's tokens stands for all of it; 0 where the model has a class token.
    pub token: Option<usize>,
}

/// The number that matters.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreOutput {
    /// Name of the graph's output, `[N]` or `[N, K]`.
    pub name: String,
    /// Column of it.
    #[serde(default)]
    pub index: usize,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// How the raw number becomes a score of 0 to 1.
    #[serde(default)]
    pub calibration: Calibration,
    /// Calibrated score from which on a page should be kept, by whoever trained the model.
    pub keep_at: Option<f64>,
}

/// How a raw number becomes a score of 0 to 1, higher being better. The raw number is negated first when lower is
/// better.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Calibration {
    /// Cut to 0 to 1; where lower is better, 1 minus that.
    #[default]
    None,
    /// `1 / (1 + exp(-(a s + b)))`.
    Platt {
        /// Slope.
        a: f64,
        /// Offset.
        b: f64,
    },
}

/// Sub-scores, one per label.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartsOutput {
    /// Name of the graph's output, `[N, labels]`.
    pub name: String,
    /// What the columns are.
    pub labels: Vec<String>,
    /// What to do with the raw numbers.
    #[serde(default)]
    pub activation: Activation,
}

/// What to do with a raw number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `1 / (1 + exp(-s))`.
    Sigmoid,
}

/// A fixed input and what comes out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The fixed input.
    pub input: CheckInput,
    /// The raw score, or the first numbers of the embedding.
    pub expect: Vec<f64>,
    /// Largest difference.
    pub tolerance: f64,
}

impl Check {
    /// Whether a model gave what is expected.
    pub(crate) fn compare(&self, model: &str, actual: impl IntoIterator<Item = f64>) -> Result<(), ScoreError> {
        let mut actual = actual.into_iter();
        for &expected in &self.expect {
            let actual = actual.next().unwrap_or(f64::NAN);
            // Not a number is not within any tolerance.
            let is_met = (actual - expected).abs() <= self.tolerance;
            if !is_met {
                return Err(ScoreError::Check { model: model.to_owned(), expected, actual, tolerance: self.tolerance });
            }
        }
        Ok(())
    }
}

/// A fixed input, made at the size of the model's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckInput {
    /// Level `(x + y + 85 c) mod 256` at column x, row y, channel c, before mean and std.
    Ramp,
}

impl ModelManifest {
    /// Parses and checks the text of a `model.toml`.
    pub fn parse(text: &str) -> Result<Self, ScoreError> {
        let manifest: Self = toml::from_str(text).map_err(ScoreError::Manifest)?;
        manifest.check_values()?;
        Ok(manifest)
    }

    fn check_values(&self) -> Result<(), ScoreError> {
        let is_plain_name = !self.file.is_empty() && !self.file.contains(['/', '\\']) && self.file != "..";
        if self.format != FORMAT {
            return refuse("format", "must be 1");
        }
        if self.name.is_empty() {
            return refuse("name", "must not be empty");
        }
        if !is_plain_name {
            return refuse("file", "must be the name of a file beside the manifest");
        }
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return refuse("sha256", "must be 64 hex digits");
        }
        self.input.check()?;
        if self.output.score.is_none() && self.output.embedding.is_none() {
            return refuse("output", "must have `score` or `embedding`");
        }
        if self.output.score.is_none() && self.output.parts.is_some() {
            return refuse("output.parts", "goes with `output.score` only");
        }
        if let Some(score) = &self.output.score {
            check_score(score)?;
        }
        let is_sound = |check: &Check| {
            let is_finite = check.expect.iter().all(|number| number.is_finite());
            check.tolerance >= 0.0 && is_finite && !check.expect.is_empty()
        };
        if self.check.as_ref().is_some_and(|check| !is_sound(check)) {
            return refuse("check", "must have a finite expectation and a tolerance of at least 0");
        }
        Ok(())
    }
}

fn check_score(score: &ScoreOutput) -> Result<(), ScoreError> {
    if let Calibration::Platt { a, b } = score.calibration
        && !(a.is_finite() && b.is_finite())
    {
        return refuse("output.score.calibration", "must have finite a and b");
    }
    if score.keep_at.is_some_and(|at| !(0.0..=1.0).contains(&at)) {
        return refuse("output.score.keep_at", "must be a calibrated score of 0 to 1");
    }
    Ok(())
}

fn refuse(key: &'static str, problem: &str) -> Result<(), ScoreError> {
    Err(ScoreError::ManifestValue { key, problem: problem.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../tests/data/model.toml");

    #[test]
    fn a_whole_manifest_parses() {
        let manifest = ModelManifest::parse(TEXT).expect("the manifest of the tests");
        assert_eq!((manifest.input.pixels.height(), manifest.input.pixels.width()), (16, 8));
        assert_eq!(manifest.input.pixels.fit, Fit::TopPad);
        let score = manifest.output.score.expect("a scorer");
        assert!(matches!(score.calibration, Calibration::Platt { .. }));
    }

    #[test]
    fn what_can_not_be_is_refused_by_key() {
        let check = |from: &str, to: &str, message: &str| {
            let text = TEXT.replacen(from, to, 1);
            assert_ne!(text, TEXT, "{from}");
            let error = ModelManifest::parse(&text).expect_err(to);
            let chain = match std::error::Error::source(&error) {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            };
            assert!(chain.contains(message), "{to}: {chain}");
        };
        check("format = 1", "format = 2", "`format` must be 1");
        check("[-1, 3, 16, 8]", "[1, 3, 16, 8]", "any number of pictures");
        check("[-1, 3, 16, 8]", "[-1, 3, 16, 100000]", "1 to 4096");
        check("file = \"", "file = \"../", "beside the manifest");
        check("sha256 = \"", "sha256 = \"0", "64 hex digits");
        check("std = [0.5", "std = [0.0", "other than 0");
        check("fit = ", "fitt = ", "unknown field `fitt`");
        check("\"box\"", "\"nearest\"", "unknown variant `nearest`");
        check("kind = \"platt\"", "kind = \"spline\"", "unknown variant `spline`");
        check("keep_at = 0.4", "keep_at = 40", "0 to 1");
        check("pad = 255", "short_side = 16", "`centre-crop` only");
        check("\"top-pad\"", "\"centre-crop\"\nshort_side = 15", "at least the input's sides");
        check("expect = [-0.197059]", "expect = []", "finite expectation");
    }

    #[test]
    fn an_output_is_a_score_or_an_embedding() {
        let check = |output: &str, message: Option<&str>| {
            let head = TEXT.split("[output.score]").next().expect("all before the outputs");
            let answer = ModelManifest::parse(&format!("{head}{output}"));
            let error = answer.as_ref().err().map(ToString::to_string);
            assert_eq!(error.is_some(), message.is_some(), "{output}: {error:?}");
            assert!(error.unwrap_or_default().contains(message.unwrap_or_default()), "{output}");
        };
        let parts = "parts = { name = \"p\", labels = [] }";
        check("[output.embedding]\nname = \"e\"", None);
        check("[output]\nscore = { name = \"s\", higher_is_better = true }\nembedding = { name = \"e\" }", None);
        check("[output]", Some("`output` must have `score` or `embedding`"));
        check(&format!("[output]\nembedding = {{ name = \"e\" }}\n{parts}"), Some("`output.parts` goes with"));
    }
}
