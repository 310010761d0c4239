//! The static HTML report of a run: one file that shows what came in, what was lost where and why, and what the rows
//! look like. It opens from the file system, fetches nothing, and treats every word from the web as hostile.
//! And the dataset card, which says the same to those who did not make it.

mod card;
mod chart;
mod clusters;
mod error;
mod gallery;
mod histogram;
mod html;
mod losses;
mod numbers;
mod reader;
mod report;
mod sheet;
mod text;
mod thumbnail;
mod triples;

pub use card::{Card, CardConfig, CardInput};
pub use clusters::{CLUSTER_PICTURES_MAX, CLUSTERS_MAX};
pub use error::ReportError;
pub use gallery::{KEPT_PICTURES_MAX, LOST_PICTURES_MAX_PER_RULE};
pub use report::{Pictures, ReportInput, ReportSummary, write_report};
pub use sheet::{SheetPicture, write_sheet};
pub use thumbnail::PICTURES_BYTES_MAX;
pub use triples::TRIPLES_SHOWN_MAX;
