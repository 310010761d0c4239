//! Rows to files and back: what rests between phases, and the shards that are published.
//!
//! The one crate that knows Arrow and Parquet. A schema is one table of columns with getters; the Arrow schema, the text
//! in `schemas/`, the features that `datasets` reads and the writers' settings are all made from it.

mod batch;
mod bbox;
mod cell;
mod column;
mod crawl_index;
mod cutter;
mod encoder;
mod error;
mod features;
mod files;
mod footer;
mod limits;
mod loss;
mod manifest;
#[doc(hidden)]
pub mod measure;
mod meta;
mod node;
mod pages;
mod reader;
mod record;
pub mod rest;
mod runs;
mod schema;
mod shard_files;
mod shards;
mod spool;
mod states;
mod summary;
mod takedown;
mod triple_reader;
mod triples;
mod webdataset;

pub use crawl_index::{CrawlIndexReader, CrawlIndexRow, RangeRead};
pub use error::{BatchError, DatasetError};
pub use limits::{Finding, LimitsReport, Weight, check_limits};
pub use manifest::{CheckError, MANIFEST_FORMAT, Manifest, SubsetManifest};
pub use reader::{Columns, PageRow, PageRows, ShardReader};
pub use schema::{ColumnInfo, ColumnKind, Subset};
pub use shards::{FIRST_EDITION, ShardFile, ShardPolicy, ShardSetWriter};
pub use states::{StateReader, StateRow, StateWriter};
pub use summary::{ColumnSummary, FileSummary, RowGroupSummary};
pub use takedown::{RowMark, TAKEDOWN, each_mark};
pub use triple_reader::{TripleRow, WorseRow, each_triple, triple_ids};
pub use webdataset::{ExportSummary, RowFiles, export_webdataset};
