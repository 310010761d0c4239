//! Blobs, ledgers and atomic publication over a local folder.
