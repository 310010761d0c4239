//! Any bytes as an HTTP response: no panic, and a payload within its cap.

#![no_main]

use bytes::Bytes;
use ingest::Limits;
use ingest::http::{HttpResponse, sniff};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { payload_bytes_max: 1 << 20, ..Limits::default() };
    if let Ok(response) = HttpResponse::parse(&Bytes::copy_from_slice(bytes), &limits) {
        assert!(response.payload.len() <= 1 << 20);
        sniff(&response.payload);
    }
});
