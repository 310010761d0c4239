//! Rest files: what rests between two phases, as Parquet that any tool opens.
//!
//! Items rest with their head and the body of one kind, losses with their reason. Writers close a row group every few
//! megabytes and readers go batch by batch, so memory does not depend on the size of a file.

mod layout;
mod reader;
mod sample;
mod writer;

pub use reader::{RestReader, read_heads, read_item_rows, read_items, read_losses};
pub(crate) use writer::RestWriter;
pub use writer::{ItemWriter, LossWriter, RestSummary};
