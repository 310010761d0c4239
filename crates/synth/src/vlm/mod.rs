//! A vision-language model behind an HTTP server that speaks OpenAI's chat completions (vLLM, SGLang, llama.cpp, mistral.rs, …).
//!
//! One flat POST with pictures as `data:` URLs; no vendor fields. Servers may be several, slow, busy, broken or lying: what was said
//! is either whole and clean, or a [`Said`] that tells what is wrong with it; what could not be asked is a [`VlmError`].

mod answer;
mod check;
mod client;
mod endpoint;
mod model;
mod server;
mod wire;

pub(crate) use answer::fenced;
pub use answer::{Cleaned, clean};
pub use check::{Probe, check};
pub use client::{Client, Key, Spent, VlmConfig, VlmError};
pub use model::{Memory, Model, NoMemory};
pub use server::Server;
pub use wire::{Answer, Ask, Part, Said, Usage};
