//! Screenshots in, scores out.

use std::fmt;

use item::{Digest, Failure, FailureClass};

use crate::device::{Device, Placement};
use crate::graph::{Answer, Graph};
use crate::manifest::{Activation, Calibration, PartsOutput, ScoreOutput};
use crate::seen::Seen;
use crate::together::Together;
use crate::{ModelManifest, Runtime, ScoreError, ScorerModel};

/// How a model is run. None of it is meant to change a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScorerConfig {
    /// Threads of one run.
    pub threads: usize,
    /// Where it runs.
    pub device: Device,
    /// Pictures per run, at least 1. On a CPU more than one brings nothing and may change the last bit of a score, as
    /// sums are cut up otherwise; on a GPU it is what fills it, and callers that ask at the same time share a run.
    pub run_images: usize,
    /// Runs that go on at once, at least 1: as many as there are cores on a CPU, one on a GPU.
    pub runs: usize,
}

impl Default for ScorerConfig {
    fn default() -> Self {
        Self { threads: 1, device: Device::Cpu, run_images: 1, runs: 1 }
    }
}

impl ScorerConfig {
    fn placement(&self) -> Placement {
        Placement { threads: self.threads, device: self.device, sessions: self.runs }
    }
}

/// What a model is shown.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The screenshot: PNG, WebP or JPEG.
    pub screenshot: &'a [u8],
    /// A number for each of [`Scorer::feature_columns`], or none where there is only the picture.
    pub features: &'a [f32],
}

/// What a model says of one screenshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Calibrated: 0 to 1, higher is better.
    pub value: f64,
    /// As the model gave it.
    pub raw: f64,
    /// Sub-scores, one per label of the manifest; empty where it names none.
    pub parts: Vec<f64>,
}

/// A model that is ready to score. Pictures are prepared in the callers' threads.
pub struct Scorer {
    model: ModelManifest,
    fingerprint: Digest,
    run_images: usize,
    together: Together<Seen, Result<Score, Failure>>,
    score: ScoreOutput,
    parts: Option<PartsOutput>,
    graph: Graph,
}

impl fmt::Debug for Scorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scorer").field("model", &self.model.name).finish_non_exhaustive()
    }
}

impl Scorer {
    /// Loads the model and runs its self-check.
    pub fn new(runtime: &Runtime, model: &ScorerModel, config: &ScorerConfig) -> Result<Self, ScoreError> {
        let manifest = model.manifest();
        let (score, parts) = (model.score().clone(), manifest.output.parts.clone());
        let outputs: Vec<&str> = [Some(&score.name), parts.as_ref().map(|parts| &parts.name)]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let graph = Graph::open(runtime, model.model(), &config.placement(), &outputs)?;
        let scorer = Self {
            model: manifest.clone(),
            fingerprint: model.fingerprint(),
            run_images: config.run_images.max(1),
            together: Together::new(config.run_images),
            score,
            parts,
            graph,
        };
        scorer.self_check()?;
        Ok(scorer)
    }

    /// What the manifest says.
    pub fn manifest(&self) -> &ModelManifest {
        &self.model
    }

    /// Digest of everything that decides a score.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// Where it runs: never [`Device::Auto`].
    pub const fn device(&self) -> Device {
        self.graph.device()
    }

    /// Names of the layout's numbers that the model takes, in their order; none where it looks at the picture alone.
    pub fn feature_columns(&self) -> &[String] {
        self.model.input.features.as_ref().map_or(&[], |features| &features.columns)
    }

    /// One answer per screenshot, in their order. An answer does not depend on the other pictures of the call.
    pub fn score<P: AsRef<[u8]>>(&self, screenshots: &[P]) -> Vec<Result<Score, Failure>> {
        let looks: Vec<Look<'_>> =
            screenshots.iter().map(|png| Look { screenshot: png.as_ref(), features: &[] }).collect();
        self.score_looks(&looks)
    }

    /// The same, with the numbers of their layouts.
    pub fn score_looks(&self, looks: &[Look<'_>]) -> Vec<Result<Score, Failure>> {
        let inputs = self.graph.inputs();
        // A run's pictures are decoded just before it, so that a large call does not hold all its tensors.
        looks
            .chunks(self.run_images)
            .flat_map(|chunk| {
                let seen = |look: &Look<'_>| Seen::of_encoded(look.screenshot, look.features, inputs);
                self.score_run(chunk.iter().map(seen).collect())
            })
            .collect()
    }

    /// Runs the pictures that could be prepared and puts the answers in place.
    fn score_run(&self, prepared: Vec<Result<Seen, Failure>>) -> Vec<Result<Score, Failure>> {
        let (mut pages, mut verdicts) = (Vec::new(), Vec::new());
        for page in prepared {
            verdicts.push(page.map(|page| pages.push(page)));
        }
        let answers =
            if self.run_images > 1 { self.together.ask(pages, |pages| self.run(pages)) } else { self.run(&pages) };
        let mut answers = answers.into_iter();
        let answer =
            |verdict: Result<(), Failure>| verdict.and_then(|()| answers.next().expect("one answer for each picture"));
        verdicts.into_iter().map(answer).collect()
    }

    /// One answer per page.
    fn run(&self, pages: &[Seen]) -> Vec<Result<Score, Failure>> {
        if pages.is_empty() {
            return Vec::new();
        }
        let pages: Vec<&Seen> = pages.iter().collect();
        match self.graph.run(&pages, |answer| self.read(answer)) {
            Ok(scores) => scores.into_iter().map(finite).collect(),
            Err(failure) => vec![Err(failure); pages.len()],
        }
    }

    fn read(&self, answer: &Answer<'_>) -> Result<Vec<Score>, Failure> {
        let raws = answer.rows(&self.score.name)?;
        let parts = match &self.parts {
            Some(parts) => answer.rows(&parts.name)?,
            None => vec![Vec::new(); raws.len()],
        };
        let column = |row: Vec<f32>| row.get(self.score.index).map_or(f64::NAN, |&raw| raw.into());
        Ok(raws.into_iter().map(column).zip(parts).map(|(raw, parts)| self.interpret(raw, &parts)).collect())
    }

    fn interpret(&self, raw: f64, parts: &[f32]) -> Score {
        let is_sigmoid = self.parts.as_ref().is_some_and(|parts| parts.activation == Activation::Sigmoid);
        let part = |&part: &f32| if is_sigmoid { sigmoid(part.into()) } else { part.into() };
        Score { value: calibrate(&self.score, raw), raw, parts: parts.iter().map(part).collect() }
    }

    fn self_check(&self) -> Result<(), ScoreError> {
        let Some(check) = &self.model.check else { return Ok(()) };
        let scores = self.graph.run_fixed(check.input, |answer| self.read(answer))?;
        let raw = scores.first().map_or(f64::NAN, |score| score.raw);
        check.compare(&self.model.name, [raw])
    }
}

fn finite(score: Score) -> Result<Score, Failure> {
    let is_finite = score.raw.is_finite() && score.parts.iter().all(|part| part.is_finite());
    if is_finite {
        return Ok(score);
    }
    let message = format!("the model's answer is no number: {} {:?}", score.raw, score.parts);
    Err(Failure { class: FailureClass::Upstream, message })
}

fn calibrate(output: &ScoreOutput, raw: f64) -> f64 {
    match output.calibration {
        Calibration::None if output.higher_is_better => raw.clamp(0.0, 1.0),
        Calibration::None => 1.0 - raw.clamp(0.0, 1.0),
        Calibration::Platt { a, b } => sigmoid(a * if output.higher_is_better { raw } else { -raw } + b),
    }
}

fn sigmoid(number: f64) -> f64 {
    1.0 / (1.0 + (-number).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calibration_gives_more_for_better() {
        let check = |calibration, higher_is_better, raw: f64, expected: f64| {
            let output = ScoreOutput { name: "s".into(), index: 0, higher_is_better, calibration, keep_at: None };
            assert!((calibrate(&output, raw) - expected).abs() < 1e-9, "{calibration:?} {raw}");
        };
        check(Calibration::None, true, 1.5, 1.0);
        check(Calibration::None, false, 0.25, 0.75);
        check(Calibration::Platt { a: 2.0, b: 0.0 }, true, 0.0, 0.5);
        check(Calibration::Platt { a: 1.0, b: 0.0 }, true, 100.0, 1.0);
        check(Calibration::Platt { a: 1.0, b: 0.0 }, false, 100.0, 0.0);
        check(Calibration::Platt { a: 1.0, b: -1.0 }, false, -1.0, 0.5);
    }
}
