//! Fixture builders and the sample data generator.
//!
//! Tests of any crate build small archives with [`warc::WarcBuilder`]; `cargo run -p testkit --bin make-sample`
//! turns `pipelines/sample` into the two archives that the demo pipeline reads. Everything here is a function of
//! its arguments: no clock, no chance, no environment, so a fixture has the same bytes on every machine
//! (compressed bytes excepted: they depend on the deflate implementation and on the processor).

pub mod model_server;
pub mod picture;
pub mod response;
pub mod sample;
mod scene;
mod seed;
pub mod server;
pub mod tiny_vlm;
pub mod warc;

/// One gzip member, as servers and crawlers write them.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    response::gzip(bytes, flate2::Compression::default())
}
