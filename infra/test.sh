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

# Publishing by Xet, which no build has unless it is asked for: the tests of `publish` once more, over a store of chunks.
xet=(--manifest-path tests/xet/Cargo.toml)
cargo fmt "${xet[@]}" --check
cargo clippy "${xet[@]}" --target-dir target/xet --all-targets --locked -- -D warnings
cargo test "${xet[@]}" --target-dir target/xet --locked
