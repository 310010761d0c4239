#!/bin/sh
# From rendered states to everything that the card reports: run.sh STATES WORK [STEPS] [SHORT_STEPS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
states=$1
work=$2
steps=${3:-1800}
short=${4:-500}
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=8000000000

train() {
    name=$1
    shift
    python3 "$here/train.py" "$states" --cache "$work/cache" --out "$work/$name" --bfloat16 "$@"
}

train main --steps "$steps"
train main-seed-2 --steps "$steps" --seed 2
# Comparisons at fewer steps, all alike: the whole page against a centre crop, and fewer sites.
train short-page --steps "$short"
train short-centre --steps "$short" --view centre
train short-half --steps "$short" --share 0.5
train short-quarter --steps "$short" --share 0.25
train layout-only --steps 600 --layout-only
# Damage that training did not see: some kinds at a time with pictures, each alone with layout features.
train without-a --steps "$short" --leave-out color.contrast-loss,pos.offset,space.chaos
train without-b --steps "$short" --leave-out color.noise,pos.overlap,type.chaos
for kind in color.contrast-loss color.noise pos.offset pos.overlap space.chaos type.chaos type.wrong box.overflow css.drop css.noise image.distort; do
    train "layout-without-$kind" --steps 400 --layout-only --leave-out "$kind"
done
python3 "$here/evaluate.py" "$states" --cache "$work/cache" --model "$work/main" \
    --compare "$work"/main-* "$work"/short-* "$work"/layout-* "$work"/without-* --publish "$here/.."
python3 "$here/parity.py" --model "$here/.." --out "$here/../parity"
