//! Fixture builders and the sample data generator.
