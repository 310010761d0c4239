//! Edit and polish triples, components, and how alike two pages are.
//!
//! Nothing here starts a browser: whoever calls hands a function that renders. Nothing prints, reads the environment or the
//! pipeline file.

pub mod component;
pub mod edit;
#[cfg(test)]
mod fixture;
mod make;
pub mod metric;
pub mod operator;
mod rng;
mod rule;
pub mod verify;

pub use make::{Made, OPERATORS_VERSION, Policy, make};
pub use rng::Rng;
pub use rule::{
    CODE_IN_INSTRUCTION, DOES_NOT_RENDER, DRAFT_TOO_FAR, DRAFT_TOO_NEAR, INVERSE_DIFFERS, INVISIBLE_EDIT, RULES,
    SAME_INSTRUCTION, SPILLING_EDIT, TOO_LARGE_EDIT, UNSTABLE_PAGE,
};
