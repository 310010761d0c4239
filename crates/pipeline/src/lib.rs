//! A TOML file to a checked plan.
//!
//! One named table per stage, every key documented, every default written down. What is not known is an error that
//! names the nearest known key, with file, line and column; nothing is ever ignored in silence.

mod build;
mod error;
mod file;
mod parse;
mod schema;
mod store;
mod unknown;

pub use build::{Built, Environment, Key, S3Credentials, build};
pub use error::PipelineError;
pub use file::{Addressing, PipelineFile, RunConfig, S3Config};
pub use parse::{Loaded, load, parse};
pub use schema::json_schema;
pub use store::{S3Environment, S3Place, open_store};
