//! A TOML file to a checked plan.
//!
//! One named table per stage, every key documented, every default written down. What is not known is an error that
//! names the nearest known key, with file, line and column; nothing is ever ignored in silence.

mod build;
mod error;
mod file;
mod parse;
mod schema;
mod unknown;

pub use build::{Built, Environment, Key, S3Credentials, build, open_store};
pub use error::PipelineError;
pub use file::{PipelineFile, RunConfig};
pub use parse::{Loaded, load, parse};
pub use schema::json_schema;
