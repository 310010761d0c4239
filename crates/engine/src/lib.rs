//! Runs a plan within limits and accounts for every item.
