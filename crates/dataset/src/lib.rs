//! Rows to files and back: what rests between phases, and the shards that are published.
//!
//! The one crate that knows Arrow and Parquet. A schema is one table of columns with getters; the Arrow schema, the text
//! in `schemas/`, the features that `datasets` reads and the writers' settings are all made from it.

mod batch;
mod cell;
mod column;
mod error;
mod files;
mod loss;
mod record;
pub mod rest;

pub use error::{BatchError, DatasetError};
