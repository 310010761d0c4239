//! Publishing by Xet: the tests of `publish` once more, over a Hub that offers it and has a store of chunks behind it; and what only
//! goes that way.

#![cfg(test)]

mod chunks;
#[path = "../../../crates/publish/tests/all/hub.rs"]
mod hub;
#[path = "../../../crates/publish/tests/all/python.rs"]
mod python;
#[path = "../../../crates/publish/tests/all/shelf.rs"]
mod shelf;
mod store;
#[path = "../../../crates/publish/tests/all/stub/mod.rs"]
mod stub;
mod way;
