#!/usr/bin/env bash
# Runs the main job on the sample data of this repository: WARC in, dataset and report out.
set -euo pipefail
cd "$(dirname "$0")/.."
infra/setup.sh
cargo run --release --locked --quiet --bin databuild -- run pipelines/demo.toml "$@"
