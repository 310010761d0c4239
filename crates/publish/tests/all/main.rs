//! Publishing to servers on loopback. One program, because all of it needs the servers.

mod hub;
mod python;
mod shelf;
mod stub;
mod way;
