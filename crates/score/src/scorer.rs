//! Screenshots in, scores out.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use item::{Digest, Failure, FailureClass};
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{Shape, Tensor, TensorElementType, ValueType};

use crate::manifest::{Activation, Calibration, Pixels, ScoreOutput};
use crate::picture::Levels;
use crate::{ModelManifest, Runtime, ScoreError, ScorerModel};

/// Where a model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// On the processor.
    #[default]
    Cpu,
    /// On the NVIDIA card of this number. Not in this build yet.
    Cuda(u32),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// How a model is run. None of it is meant to change a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScorerConfig {
    /// Threads of one run.
    pub threads: usize,
    /// Where it runs.
    pub device: Device,
    /// Pictures per run, at least 1. On a CPU more than one brings nothing and may change the last bit of a score, as
    /// sums are cut up otherwise; on a GPU it is what fills it.
    pub run_images: usize,
}

impl Default for ScorerConfig {
    fn default() -> Self {
        Self { threads: 1, device: Device::Cpu, run_images: 1 }
    }
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

/// A model that is ready to score. Pictures are prepared in the callers' threads; the model itself runs for one caller
/// at a time.
pub struct Scorer {
    model: ModelManifest,
    fingerprint: Digest,
    run_images: usize,
    session: Mutex<Session>,
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
        if config.device != Device::Cpu {
            return Err(ScoreError::Device { model: manifest.name.clone(), device: config.device.to_string() });
        }
        let session = open(runtime, model, config)
            .map_err(|source| ScoreError::Session { model: manifest.name.clone(), source })?;
        check_graph(&session, manifest)
            .map_err(|problem| ScoreError::Graph { model: manifest.name.clone(), problem })?;
        let scorer = Self {
            model: manifest.clone(),
            fingerprint: model.fingerprint(),
            run_images: config.run_images.max(1),
            session: Mutex::new(session),
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

    /// One answer per PNG, in their order. An answer does not depend on the other pictures of the call.
    pub fn score<P: AsRef<[u8]>>(&self, pngs: &[P]) -> Vec<Result<Score, Failure>> {
        let input = &self.model.input.pixels;
        // A run's pictures are decoded just before it, so that a large call does not hold all its tensors.
        pngs.chunks(self.run_images)
            .flat_map(|chunk| {
                let prepared: Vec<_> = chunk
                    .iter()
                    .map(|picture| Levels::of_encoded(picture.as_ref(), input).map_err(|error| error.failure()))
                    .collect();
                self.score_run(prepared)
            })
            .collect()
    }

    /// Runs the pictures that could be prepared and puts the answers in place.
    fn score_run(&self, prepared: Vec<Result<Levels, Failure>>) -> Vec<Result<Score, Failure>> {
        let pictures: Vec<&Levels> = prepared.iter().filter_map(|picture| picture.as_ref().ok()).collect();
        let answers = if pictures.is_empty() { Ok(Vec::new()) } else { self.run(&pictures) };
        let mut answers = match answers {
            Ok(scores) => scores.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(failure) => vec![Err(failure); pictures.len()],
        }
        .into_iter();
        prepared
            .into_iter()
            .map(|picture| picture.and_then(|_| answers.next().expect("one answer for each picture")).and_then(finite))
            .collect()
    }

    fn run(&self, pictures: &[&Levels]) -> Result<Vec<Score>, Failure> {
        let failed = |error: &ort::Error| Failure::from_error(FailureClass::Upstream, error);
        let Pixels { name, shape: [_, channels, height, width], .. } = &self.model.input.pixels;
        let mut tensor = Vec::with_capacity(pictures.len() * (channels * height * width) as usize);
        for picture in pictures {
            picture.append_to(&mut tensor, &self.model.input.pixels);
        }
        let shape = [pictures.len() as i64, *channels, *height, *width];
        let tensor = Tensor::from_array((shape, tensor)).map_err(|error| failed(&error))?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs![name.as_str() => tensor]).map_err(|error| failed(&error))?;
        let rows = |name: &str| -> Result<Vec<Vec<f64>>, Failure> {
            let (shape, numbers) = outputs[name].try_extract_tensor::<f32>().map_err(|error| failed(&error))?;
            rows(shape, numbers, pictures.len()).ok_or_else(|| Failure {
                class: FailureClass::Upstream,
                message: format!("output `{name}` has shape {shape:?} for {} pictures", pictures.len()),
            })
        };
        let score = &self.model.output.score;
        let parts = match &self.model.output.parts {
            Some(parts) => rows(&parts.name)?,
            None => vec![Vec::new(); pictures.len()],
        };
        let column = |row: Vec<f64>| row.get(score.index).copied().unwrap_or(f64::NAN);
        let raws = rows(&score.name)?.into_iter().map(column);
        Ok(raws.zip(parts).map(|(raw, parts)| self.interpret(raw, parts)).collect())
    }

    fn interpret(&self, raw: f64, parts: Vec<f64>) -> Score {
        let is_sigmoid = self.model.output.parts.as_ref().is_some_and(|parts| parts.activation == Activation::Sigmoid);
        let parts = if is_sigmoid { parts.into_iter().map(sigmoid).collect() } else { parts };
        Score { value: calibrate(&self.model.output.score, raw), raw, parts }
    }

    fn self_check(&self) -> Result<(), ScoreError> {
        let Some(check) = &self.model.check else { return Ok(()) };
        let fixed = Levels::of_check(check.input, &self.model.input.pixels);
        let refuse = |problem: String| ScoreError::Graph { model: self.model.name.clone(), problem };
        let scores = self.run(&[&fixed]).map_err(|failure| refuse(failure.message))?;
        let actual = scores.first().map_or(f64::NAN, |score| score.raw);
        let [expected] = check.expect;
        // Not a number is not within any tolerance.
        let is_met = (actual - expected).abs() <= check.tolerance;
        if is_met {
            return Ok(());
        }
        Err(ScoreError::Check { model: self.model.name.clone(), expected, actual, tolerance: check.tolerance })
    }
}

fn open(runtime: &Runtime, model: &ScorerModel, config: &ScorerConfig) -> ort::Result<Session> {
    Session::builder(runtime.environment())?
        .with_intra_threads(config.threads.max(1))?
        .with_inter_threads(1)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_deterministic_compute(true)?
        // Waiting threads sleep: between two runs the processor belongs to Chrome.
        .with_intra_op_spinning(false)?
        .commit_from_memory(model.onnx())
}

/// Whether the graph has what the manifest names.
fn check_graph(session: &Session, manifest: &ModelManifest) -> Result<(), String> {
    let pixels = &manifest.input.pixels;
    let [input] = session.inputs() else {
        return Err(format!("the graph has {} inputs, the manifest one", session.inputs().len()));
    };
    if input.name() != pixels.name {
        return Err(format!("the graph's input is `{}`, the manifest's `{}`", input.name(), pixels.name));
    }
    let ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } = input.dtype() else {
        return Err(format!("input `{}` is no tensor of 32-bit floats", pixels.name));
    };
    let fits =
        shape.len() == 4 && shape.iter().zip(pixels.shape).all(|(&graph, wished)| graph == -1 || graph == wished);
    if !fits {
        return Err(format!("input `{}` has shape {shape:?}, the manifest says {:?}", pixels.name, pixels.shape));
    }
    let outputs = [Some(&manifest.output.score.name), manifest.output.parts.as_ref().map(|parts| &parts.name)];
    for name in outputs.into_iter().flatten() {
        let output = session.outputs().iter().find(|output| output.name() == name);
        match output.map(ort::value::Outlet::dtype) {
            Some(ValueType::Tensor { ty: TensorElementType::Float32, .. }) => {}
            Some(_) => return Err(format!("output `{name}` is no tensor of 32-bit floats")),
            None => return Err(format!("the graph has no output `{name}`")),
        }
    }
    Ok(())
}

/// `[N]` or `[N, K]` as N rows; `None` when it is something else.
fn rows(shape: &Shape, numbers: &[f32], count: usize) -> Option<Vec<Vec<f64>>> {
    let is_table = matches!(shape.len(), 1 | 2) && usize::try_from(shape[0]) == Ok(count);
    let width = numbers.len().checked_div(count).filter(|&width| is_table && width > 0)?;
    Some(numbers.chunks(width).map(|row| row.iter().map(|&number| number.into()).collect()).collect())
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

    #[test]
    fn outputs_are_rows() {
        let check = |shape: &[i64], count, expected: Option<usize>| {
            let numbers = vec![0.5; shape.iter().product::<i64>() as usize];
            let rows = rows(&Shape::new(shape.iter().copied()), &numbers, count);
            assert_eq!(rows.map(|rows| rows[0].len()), expected, "{shape:?}");
        };
        check(&[3], 3, Some(1));
        check(&[3, 2], 3, Some(2));
        check(&[3, 2], 2, None);
        check(&[3, 2, 2], 3, None);
        check(&[3, 0], 3, None);
    }
}
