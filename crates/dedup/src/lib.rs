//! Hashes, near-duplicate clusters, splits.
