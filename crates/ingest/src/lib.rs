//! WARC files and HTTP messages: bytes to captures.
//!
//! [`ArchiveReader`] turns the bytes of an archive into [`Entry`]s: records, and damage where there should have been
//! one. [`CaptureReader`] turns the responses among them into captures, each with a verdict. [`AssetIndex`] answers
//! "what did this URL give?" from archives of assets, and a [`fetch::Fetcher`] asks the web for what they lack. Everything streams and every size is capped by [`Limits`]: the
//! input is hostile, and damaged input costs one record, not a file.

pub mod archive;
pub mod assets;
pub mod capture;
pub mod charset;
pub mod digest;
pub mod fetch;
pub mod http;
pub mod index;
mod limits;
pub mod remote;

pub use archive::{
    ArchiveReader, Damage, DamageReason, Entry, EntrySummary, Format, OpenError, ParallelRead, ReadError, WarcRecord,
};
pub use assets::{Asset, AssetError, AssetIndex};
pub use capture::{
    CaptureMaker, CaptureOutcome, CapturePolicy, CaptureReader, NOT_SAMPLED, RULES, Sample, SignalPolicy,
};
pub use limits::Limits;
