//! A graph in ONNX Runtime: pictures in, tables of numbers out. What the numbers mean is the callers' business.

use std::sync::{Mutex, PoisonError};

use item::{Failure, FailureClass};
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionOutputs};
use ort::value::{Outlet, Shape, Tensor, TensorElementType, ValueType};

use crate::manifest::{CheckInput, Pixels};
use crate::model::Model;
use crate::picture::Levels;
use crate::{Runtime, ScoreError};

/// A loaded graph. Runs for one caller at a time.
pub(crate) struct Graph {
    model: String,
    pixels: Pixels,
    session: Mutex<Session>,
}

impl Graph {
    /// Loads the model's graph, which must have the manifest's input and `outputs`.
    pub(crate) fn open(runtime: &Runtime, model: &Model, threads: usize, outputs: &[&str]) -> Result<Self, ScoreError> {
        let manifest = model.manifest();
        let name = &manifest.name;
        let pixels = &manifest.input.pixels;
        let session = session(runtime, model.onnx(), threads)
            .map_err(|source| ScoreError::Session { model: name.clone(), source })?;
        check_input(session.inputs(), pixels)
            .and_then(|()| check_outputs(session.outputs(), outputs))
            .map_err(|problem| ScoreError::Graph { model: name.clone(), problem })?;
        Ok(Self { model: name.clone(), pixels: pixels.clone(), session: Mutex::new(session) })
    }

    /// Runs the pictures at once; `read` makes something of the answer.
    pub(crate) fn run<T>(
        &self,
        pictures: &[&Levels],
        read: impl FnOnce(&Answer<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Pixels { name, shape: [_, channels, height, width], .. } = &self.pixels;
        let mut tensor = Vec::with_capacity(pictures.len() * (channels * height * width) as usize);
        for picture in pictures {
            picture.append_to(&mut tensor, &self.pixels);
        }
        let shape = [pictures.len() as i64, *channels, *height, *width];
        let tensor = Tensor::from_array((shape, tensor)).map_err(|error| failed(&error))?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs![name.as_str() => tensor]).map_err(|error| failed(&error))?;
        read(&Answer { outputs, count: pictures.len() })
    }

    /// Runs a manifest's fixed input.
    pub(crate) fn run_fixed<T>(
        &self,
        input: CheckInput,
        read: impl FnOnce(&Answer<'_>) -> Result<T, Failure>,
    ) -> Result<T, ScoreError> {
        let fixed = Levels::of_check(input, &self.pixels);
        let refuse = |failure: Failure| ScoreError::Graph { model: self.model.clone(), problem: failure.message };
        self.run(&[&fixed], read).map_err(refuse)
    }
}

fn failed(error: &ort::Error) -> Failure {
    Failure::from_error(FailureClass::Upstream, error)
}

/// What the graph says of a run's pictures.
pub(crate) struct Answer<'s> {
    outputs: SessionOutputs<'s>,
    count: usize,
}

impl Answer<'_> {
    /// One row of numbers a picture, out of an output `[N]` or `[N, K]`.
    pub(crate) fn rows(&self, name: &str) -> Result<Vec<Vec<f32>>, Failure> {
        self.read(name, rows)
    }

    /// Row `token` of each picture's table, out of an output `[N, tokens, K]`.
    pub(crate) fn token_rows(&self, name: &str, token: usize) -> Result<Vec<Vec<f32>>, Failure> {
        self.read(name, |shape, numbers, count| token_rows(shape, numbers, count, token))
    }

    fn read<T>(&self, name: &str, read: impl FnOnce(&Shape, &[f32], usize) -> Option<T>) -> Result<T, Failure> {
        let (shape, numbers) = self.outputs[name].try_extract_tensor::<f32>().map_err(|error| failed(&error))?;
        read(shape, numbers, self.count).ok_or_else(|| Failure {
            class: FailureClass::Upstream,
            message: format!("output `{name}` has shape {shape:?} for {} pictures", self.count),
        })
    }
}

fn session(runtime: &Runtime, onnx: &[u8], threads: usize) -> ort::Result<Session> {
    Session::builder(runtime.environment())?
        .with_intra_threads(threads.max(1))?
        .with_inter_threads(1)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_deterministic_compute(true)?
        // Waiting threads sleep: between two runs the processor belongs to Chrome.
        .with_intra_op_spinning(false)?
        .commit_from_memory(onnx)
}

fn check_input(inputs: &[Outlet], pixels: &Pixels) -> Result<(), String> {
    let [input] = inputs else {
        return Err(format!("the graph has {} inputs, the manifest one", inputs.len()));
    };
    if input.name() != pixels.name {
        return Err(format!("the graph's input is `{}`, the manifest's `{}`", input.name(), pixels.name));
    }
    let ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } = input.dtype() else {
        return Err(format!("input `{}` is no tensor of 32-bit floats", pixels.name));
    };
    let fits =
        shape.len() == 4 && shape.iter().zip(pixels.shape).all(|(&graph, wished)| graph == -1 || graph == wished);
    if fits {
        return Ok(());
    }
    Err(format!("input `{}` has shape {shape:?}, the manifest says {:?}", pixels.name, pixels.shape))
}

fn check_outputs(outputs: &[Outlet], names: &[&str]) -> Result<(), String> {
    for name in names {
        let output = outputs.iter().find(|output| output.name() == *name);
        match output.map(Outlet::dtype) {
            Some(ValueType::Tensor { ty: TensorElementType::Float32, .. }) => {}
            Some(_) => return Err(format!("output `{name}` is no tensor of 32-bit floats")),
            None => return Err(format!("the graph has no output `{name}`")),
        }
    }
    Ok(())
}

/// `[N]` or `[N, K]` as N rows; `None` when it is something else.
fn rows(shape: &Shape, numbers: &[f32], count: usize) -> Option<Vec<Vec<f32>>> {
    let is_table = matches!(shape.len(), 1 | 2) && usize::try_from(shape[0]) == Ok(count);
    let width = numbers.len().checked_div(count).filter(|&width| is_table && width > 0)?;
    Some(numbers.chunks(width).map(<[f32]>::to_vec).collect())
}

/// `[N, tokens, K]` as N rows, the one of `token` each; `None` when it is something else.
fn token_rows(shape: &Shape, numbers: &[f32], count: usize, token: usize) -> Option<Vec<Vec<f32>>> {
    let [pictures, tokens, width] = shape[..] else { return None };
    let (tokens, width) = (usize::try_from(tokens).ok()?, usize::try_from(width).ok()?);
    let is_there = usize::try_from(pictures) == Ok(count) && token < tokens && width > 0;
    let row = |table: &[f32]| table[token * width..][..width].to_vec();
    is_there.then(|| numbers.chunks_exact(tokens * width).map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_token_is_a_row() {
        let check = |shape: &[i64], count, token, expected: Option<&[&[f32]]>| {
            let numbers: Vec<f32> = (0..shape.iter().product::<i64>()).map(|number| number as f32).collect();
            let rows = token_rows(&Shape::new(shape.iter().copied()), &numbers, count, token);
            let expected = expected.map(|rows| rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>());
            assert_eq!(rows, expected, "{shape:?} {token}");
        };
        check(&[2, 3, 2], 2, 0, Some(&[&[0.0, 1.0], &[6.0, 7.0]]));
        check(&[2, 3, 2], 2, 2, Some(&[&[4.0, 5.0], &[10.0, 11.0]]));
        check(&[2, 3, 2], 2, 3, None);
        check(&[2, 3, 2], 1, 0, None);
        check(&[2, 3], 2, 0, None);
        check(&[2, 3, 0], 2, 0, None);
    }
}
