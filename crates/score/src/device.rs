//! Where a graph runs: on the processor, or on an NVIDIA card by CUDA or TensorRT.

use std::fmt;
use std::str::FromStr;

use ort::ep;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use crate::{Runtime, ScoreError};

/// Where a model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// On the first NVIDIA card, if there is one that the library can use; otherwise on the processor.
    Auto,
    /// On the processor.
    #[default]
    Cpu,
    /// On the NVIDIA card of this number.
    Cuda(u32),
    /// The same, by an engine that TensorRT builds first: minutes once, for a faster run.
    TensorRt(u32),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::TensorRt(number) => write!(f, "tensorrt:{number}"),
        }
    }
}

/// How a graph is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement {
    /// Threads of one run.
    pub(crate) threads: usize,
    pub(crate) device: Device,
    /// Runs that can go on at once.
    pub(crate) sessions: usize,
}

/// No device goes by that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no device: `auto`, `cpu`, `cuda:0` and `tensorrt:0` are, with the number of the card")]
pub struct UnknownDevice(String);

impl FromStr for Device {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        let unknown = || UnknownDevice(text.to_owned());
        let (kind, number) = text.split_once(':').unwrap_or((text, ""));
        let card = || if number.is_empty() { Ok(0) } else { number.parse().map_err(|_| unknown()) };
        match kind {
            "auto" if text == kind => Ok(Self::Auto),
            "cpu" if text == kind => Ok(Self::Cpu),
            "cuda" => card().map(Self::Cuda),
            "tensorrt" => card().map(Self::TensorRt),
            _ => Err(unknown()),
        }
    }
}

/// Sessions on the device, and which that is: never [`Device::Auto`].
pub(crate) fn sessions(
    runtime: &Runtime,
    model: &str,
    onnx: &[u8],
    placement: &Placement,
) -> Result<(Vec<Session>, Device), ScoreError> {
    let &Placement { threads, device, sessions } = placement;
    let on =
        |device| (0..sessions.max(1)).map(|_| open(runtime, onnx, threads, device)).collect::<ort::Result<Vec<_>>>();
    let no_card = |source| ScoreError::Device {
        model: model.to_owned(),
        device: device.to_string(),
        library: runtime.path().to_owned(),
        source,
    };
    match device {
        Device::Cpu => {}
        Device::Auto => {
            // What does not come up is passed over: the library may be able to and the machine not.
            if let Ok(sessions) = on(Device::Cuda(0)) {
                return Ok((sessions, Device::Cuda(0)));
            }
        }
        Device::Cuda(_) | Device::TensorRt(_) => return on(device).map(|sessions| (sessions, device)).map_err(no_card),
    }
    let sessions = on(Device::Cpu).map_err(|source| ScoreError::Session { model: model.to_owned(), source })?;
    Ok((sessions, Device::Cpu))
}

fn open(runtime: &Runtime, onnx: &[u8], threads: usize, device: Device) -> ort::Result<Session> {
    let builder = Session::builder(runtime.environment())?
        .with_intra_threads(threads.max(1))?
        .with_inter_threads(1)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_deterministic_compute(true)?
        // Waiting threads sleep: between two runs the processor belongs to Chrome.
        .with_intra_op_spinning(false)?;
    on_device(builder, device)?.commit_from_memory(onnx)
}

fn on_device(builder: SessionBuilder, device: Device) -> ort::Result<SessionBuilder> {
    let number = |card: u32| i32::try_from(card).unwrap_or(i32::MAX);
    let cuda = |card| ep::CUDA::default().with_device_id(number(card)).build().error_on_failure();
    let providers = match device {
        Device::Auto | Device::Cpu => return Ok(builder),
        Device::Cuda(card) => vec![cuda(card)],
        // What TensorRT cannot do goes to CUDA.
        Device::TensorRt(card) => {
            vec![ep::TensorRT::default().with_device_id(number(card)).build().error_on_failure(), cuda(card)]
        }
    };
    Ok(builder.with_execution_providers(providers)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_names() {
        for (text, device) in [
            ("auto", Some(Device::Auto)),
            ("cpu", Some(Device::Cpu)),
            ("cuda", Some(Device::Cuda(0))),
            ("cuda:3", Some(Device::Cuda(3))),
            ("tensorrt:1", Some(Device::TensorRt(1))),
            ("cuda:x", None),
            ("cuda:-1", None),
            ("cpu:1", None),
            ("gpu", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Device>().ok(), device, "{text}");
        }
        assert_eq!(Device::TensorRt(2).to_string().parse(), Ok(Device::TensorRt(2)));
    }
}
