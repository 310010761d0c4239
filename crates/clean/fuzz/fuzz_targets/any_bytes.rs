//! Any bytes, at any level: no panic, and cleaning twice is cleaning once.
//!
//! `cargo +nightly fuzz run any_bytes`, in `crates/clean`.
#![no_main]

use clean::{CleanPolicy, Level, NoAssets, clean};
use item::{Capture, CharsetSource, Verdict};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let level = Level::ALL[usize::from(*first) % Level::ALL.len()];
    let policy = CleanPolicy { level, text_chars_min: 0, html_bytes_min: 0, ..CleanPolicy::default() };
    let cleaned = |html: String| {
        let capture = Capture {
            status: 200,
            headers: Vec::new(),
            mime: "text/html".to_owned(),
            charset: "utf-8".to_owned(),
            charset_source: CharsetSource::Http,
            html,
            truncated: false,
        };
        match clean(&capture, "https://example.com/", &policy, &NoAssets) {
            Verdict::Keep(kept) => Some(kept.body.html),
            _ => None,
        }
    };
    if let Some(once) = cleaned(String::from_utf8_lossy(rest).into_owned()) {
        assert_eq!(cleaned(once.clone()), Some(once));
    }
});
