//! Archives that lie on a web server, such as Common Crawl's: streamed, politely, and resumed where they broke.
//!
//! A [`Client`] is shared by everything that fetches: its requests are paced together, and when a server says "slow
//! down" (403, 429 and 503 all mean that at Common Crawl) everybody waits. A [`RemoteReader`] is the archive's bytes as
//! one stream: a broken connection goes on at the byte reached. Nothing is stored on the way, unless a [`DiskCache`] is asked
//! to.

mod cache;
mod client;
mod crawl;
mod error;
mod hosts;
mod listing;
mod pace;
mod reader;
mod s3;

pub use cache::DiskCache;
pub use client::{Client, ClientPolicy, RemoteFile, Watch};
pub use crawl::{CRAWL_MIRROR, crawl_archives, is_crawl_id, list, list_lines};
pub use error::{RemoteError, Trouble};
pub use listing::list_objects;
pub(crate) use pace::sleep_until;
pub use reader::RemoteReader;
pub use s3::{S3Access, S3Credentials, S3UrlError, bucket_and_key, is_s3};
