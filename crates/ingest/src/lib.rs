//! WARC files and HTTP messages: bytes to captures.
