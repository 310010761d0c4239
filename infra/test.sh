#!/usr/bin/env bash
# Everything that has to hold: format, lints, unit, integration and real-Chrome tests.
set -euo pipefail
cd "$(dirname "$0")/.."
infra/setup.sh --tests
cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
cargo test --workspace --locked
