//! Adapters: one file per source, stage, barrier and sink.
