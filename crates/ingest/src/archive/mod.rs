//! Bytes of an archive to records, and to damage where there should have been one.
//!
//! Three layers, each knowing nothing of the next: [`input`] reads raw bytes and remembers offsets, [`unpack`] makes
//! unpacked segments of them, [`reader`] finds records in those. Damage costs what it touches: the reader goes on at the
//! next packed member that holds a record, or at the next record header.

mod arc;
mod damage;
mod exchange;
mod format;
mod grammar;
mod input;
mod lz4;
mod member;
mod packing;
mod parallel;
mod reader;
mod record;
mod summary;
mod unpack;
mod window;
mod zip;

pub use damage::{Damage, DamageReason};
pub use exchange::Exchanges;
pub use format::Format;
pub use parallel::ParallelRead;
pub use reader::{ArchiveReader, Entry, OpenError, ReadError};
pub use record::WarcRecord;
pub use summary::EntrySummary;
pub use warc::{RecordType, WarcHeader};
