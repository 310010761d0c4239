//! Edit and polish triples, by program and by a model; components; and how alike two pages are.
//!
//! Nothing here starts a browser: whoever calls hands a function that renders. The only connections are those to model servers
//! ([`vlm`]). Nothing prints, reads the environment or the pipeline file.

pub mod author;
pub mod component;
pub mod edit;
#[cfg(test)]
mod fixture;
mod make;
pub mod metric;
pub mod operator;
mod rng;
mod rule;
pub mod states;
mod tries;
pub mod verify;
pub mod vlm;

pub use make::{OPERATORS_VERSION, Policy, make};
pub use rng::Rng;
pub use rule::*;
pub use tries::Made;
