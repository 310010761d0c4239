//! A graph in ONNX Runtime: pages in, tables of numbers out. What the numbers mean is the callers' business.

use std::sync::{Condvar, Mutex, PoisonError};

use item::{Failure, FailureClass};
use ort::session::{Session, SessionInputValue, SessionOutputs};
use ort::value::{Outlet, Shape, Tensor, TensorElementType, ValueType};

use crate::device::{self, Device, Placement};
use crate::manifest::{CheckInput, Inputs};
use crate::model::Model;
use crate::seen::Seen;
use crate::{Runtime, ScoreError};

/// A loaded graph. Runs for as many callers at a time as there are sessions.
pub(crate) struct Graph {
    model: String,
    inputs: Inputs,
    device: Device,
    free: Mutex<Vec<Session>>,
    freed: Condvar,
}

impl Graph {
    /// Loads the model's graph, which must have the manifest's inputs and `outputs`.
    pub(crate) fn open(
        runtime: &Runtime,
        model: &Model,
        placement: &Placement,
        outputs: &[&str],
    ) -> Result<Self, ScoreError> {
        let manifest = model.manifest();
        let name = &manifest.name;
        let (sessions, device) = device::sessions(runtime, name, model.onnx(), placement)?;
        for session in &sessions {
            check_inputs(session.inputs(), &manifest.input)
                .and_then(|()| check_outputs(session.outputs(), outputs))
                .map_err(|problem| ScoreError::Graph { model: name.clone(), problem })?;
        }
        Ok(Self {
            model: name.clone(),
            inputs: manifest.input.clone(),
            device,
            free: Mutex::new(sessions),
            freed: Condvar::new(),
        })
    }

    /// What the manifest says of the inputs.
    pub(crate) const fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Where it runs.
    pub(crate) const fn device(&self) -> Device {
        self.device
    }

    /// Runs the pages at once; `read` makes something of the answer.
    pub(crate) fn run<T>(
        &self,
        pages: &[&Seen],
        read: impl FnOnce(&Answer<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let tensors = self.tensors(pages).map_err(|error| failed(&error))?;
        let mut taken = self.take();
        let session = taken.session.as_mut().expect("it is there until it is given back");
        let outputs = session.run(tensors).map_err(|error| failed(&error))?;
        read(&Answer { outputs, count: pages.len() })
    }

    /// A session that nobody uses; waits for one.
    fn take(&self) -> Taken<'_> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(session) = free.pop() {
                return Taken { graph: self, session: Some(session) };
            }
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn tensors(&self, pages: &[&Seen]) -> ort::Result<Vec<(&str, SessionInputValue<'static>)>> {
        let Inputs { pixels, tiles, features } = &self.inputs;
        let count = pages.len() as i64;
        let [_, channels, height, width] = pixels.shape;
        let mut numbers = Vec::with_capacity((count * channels * height * width) as usize);
        for page in pages {
            page.pixels.append_to(&mut numbers, pixels);
        }
        let tensor = Tensor::from_array(([count, channels, height, width], numbers))?;
        let mut tensors = vec![(pixels.name.as_str(), tensor.into())];
        if let Some(tiles) = tiles {
            let tiled: Vec<_> = pages.iter().filter_map(|page| page.tiles.as_ref()).collect();
            let most = tiled.iter().map(|tiled| tiled.count()).max().unwrap_or(1);
            let [_, _, channels, height, width] = tiles.shape;
            let mut numbers = Vec::with_capacity((count * channels * height * width) as usize * most);
            for tiled in &tiled {
                tiled.append_to(&mut numbers, most, tiles);
            }
            let tensor = Tensor::from_array(([count, most as i64, channels, height, width], numbers))?;
            let counts: Vec<i64> = tiled.iter().map(|tiled| tiled.count() as i64).collect();
            tensors.push((&tiles.name, tensor.into()));
            tensors.push((&tiles.count, Tensor::from_array(([count], counts))?.into()));
        }
        if let Some(features) = features {
            let numbers: Vec<f32> = pages.iter().flat_map(|page| page.features.iter().copied()).collect();
            let tensor = Tensor::from_array(([count, features.columns.len() as i64], numbers))?;
            tensors.push((&features.name, tensor.into()));
        }
        Ok(tensors)
    }

    /// Runs a manifest's fixed input.
    pub(crate) fn run_fixed<T>(
        &self,
        input: CheckInput,
        read: impl FnOnce(&Answer<'_>) -> Result<T, Failure>,
    ) -> Result<T, ScoreError> {
        let fixed = Seen::of_check(input, &self.inputs);
        let refuse = |failure: Failure| ScoreError::Graph { model: self.model.clone(), problem: failure.message };
        self.run(&[&fixed], read).map_err(refuse)
    }
}

/// A session in use. It goes back also when its user panics: somebody else may be waiting for it.
struct Taken<'g> {
    graph: &'g Graph,
    session: Option<Session>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.graph.free.lock().unwrap_or_else(PoisonError::into_inner).extend(self.session.take());
        self.graph.freed.notify_one();
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

/// An input that the manifest names: its type, and its shape with -1 for what is free.
struct Wanted<'a> {
    name: &'a str,
    element: TensorElementType,
    shape: Vec<i64>,
}

fn wanted(inputs: &Inputs) -> Vec<Wanted<'_>> {
    let floats = |name, shape: &[i64]| Wanted { name, element: TensorElementType::Float32, shape: shape.to_vec() };
    let mut wanted = vec![floats(&inputs.pixels.name, &inputs.pixels.shape)];
    if let Some(tiles) = &inputs.tiles {
        wanted.push(floats(&tiles.name, &tiles.shape));
        wanted.push(Wanted { name: &tiles.count, element: TensorElementType::Int64, shape: vec![-1] });
    }
    if let Some(features) = &inputs.features {
        wanted.push(floats(&features.name, &[-1, features.columns.len() as i64]));
    }
    wanted
}

fn check_inputs(inputs: &[Outlet], manifest: &Inputs) -> Result<(), String> {
    let wanted = wanted(manifest);
    let names =
        |names: &mut dyn Iterator<Item = &str>| names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let by_graph = names(&mut inputs.iter().map(Outlet::name));
    if inputs.len() != wanted.len() {
        let by_manifest = names(&mut wanted.iter().map(|input| input.name));
        return Err(format!("the graph's inputs are {by_graph}, the manifest's {by_manifest}"));
    }
    for Wanted { name, element, shape } in &wanted {
        let Some(input) = inputs.iter().find(|input| input.name() == *name) else {
            return Err(format!("the graph's inputs are {by_graph}, the manifest has `{name}`"));
        };
        let ValueType::Tensor { ty, shape: found, .. } = input.dtype() else {
            return Err(format!("input `{name}` is no tensor"));
        };
        if ty != element {
            let kind = if *element == TensorElementType::Int64 { "64-bit integers" } else { "32-bit floats" };
            return Err(format!("input `{name}` is no tensor of {kind}"));
        }
        let fits = found.len() == shape.len()
            && found.iter().zip(shape).all(|(&graph, &wished)| graph == -1 || graph == wished);
        if !fits {
            return Err(format!("input `{name}` has shape {found:?}, the manifest says {shape:?}"));
        }
    }
    Ok(())
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
