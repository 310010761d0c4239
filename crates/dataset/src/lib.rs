//! Rows to shards: schema, manifest, verification reads.
