//! A capture to a self-contained page.
