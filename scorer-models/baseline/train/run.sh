#!/bin/sh
# From the corpus's WARC files to scorer.onnx, evaluation.json and model.toml:
#   train/run.sh CORPUS_FOLDER WORK_FOLDER [BROWSER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
corpus=$1
work=$2
browser=${3:-/usr/bin/chromium-headless-shell}

# Large arrays come and go in training; without this glibc hands their pages back to the kernel each time (half of the processor time).
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=8000000000

python3 "$here/render.py" --corpus "$corpus" --out "$work/states" --browser "$browser" --seed 1
python3 "$here/train.py" --states "$work/states" --out "$work/model" --seed 1
# The same again without some kinds of damage, each left out once, to see how far the model carries beyond what it was shown.
for kinds in spacing,contrast,overflow,removed-elements alignment,colour-noise,overlap,dropped-rules font-sizes,removed-sheet,shrink; do
    python3 "$here/train.py" --states "$work/states" --out "$work/without-$kinds" --seed 1 --threads 1 --epochs 12 --leave-out "$kinds"
done
python3 "$here/evaluate.py" --states "$work/states" --model "$work/model" --left-out "$work"/without-* --write "$here/.."
