#!/usr/bin/env bash
# Everything that has to hold: format, lints, unit, integration and real-Chrome tests.
set -euo pipefail
cd "$(dirname "$0")/.."
infra/setup.sh --tests
cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
cargo test --workspace --locked

# Archives and stores in a real S3 server: a workspace of its own, whose features would build half of the house a second time.
s3=(--manifest-path tests/s3/Cargo.toml)
cargo fmt "${s3[@]}" --check
cargo clippy "${s3[@]}" --target-dir target/s3 --all-targets --locked -- -D warnings
# The program is the one that was tested above.
DATABUILD_BIN="$PWD/target/debug/databuild" cargo test "${s3[@]}" --target-dir target/s3 --locked
