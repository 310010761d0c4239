"""Calibrates a trained net on validation pages and writes scorer.onnx and model.toml.

    python export.py DATA --model DIR

The file is compared with PyTorch on real pages, with other numbers of pages and tiles than at export.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch

import calibrate
import pairs
import pixels
from ask import scores
from data import States
from model import PARTS, Scorer, weights

OPSET = 18
NAME, VERSION = "quality", "2026.11.1"
DIFFERENCE_MAX = 1e-4  # between ONNX Runtime and PyTorch
CHECK_TOLERANCE = 1e-3  # other processors add up in another order; a wrong resize is off by far more
COMPARED = 16  # pages
INPUTS, OUTPUTS = ["overview", "tiles", "tile_count", "features"], ["score", "parts"]

MANIFEST = """\
# What the engine needs to know to use scorer.onnx; written by train/export.py. The card is README.md.
format = 1
name = "{name}"
version = "{version}"
file = "scorer.onnx"
sha256 = "{sha256}"
opset = {opset}
license = "MIT OR Apache-2.0"

[input.overview]
name = "overview"
shape = [-1, 3, {overview_height}, {overview_width}] # N, C, H, W; -1 = any number
layout = "nchw"
colour = "rgb"
resize = "box"                # every pixel is the mean of the source pixels it covers
fit = "stretch"               # all of the page, squeezed to this size
scale = {scale}
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]

[input.tiles]
name = "tiles"
count = "tile_count"          # the input that says how many tiles of each page there are
shape = [-1, -1, 3, {tile_height}, {tile_width}] # N, T, C, H, W
layout = "nchw"
colour = "rgb"
resize = "box"                # the page at the width of a tile, its height rounded to the nearest, halves up
tiles_max = {tiles_max}                 # cut from the top
strip_min = {strip_min}                # a last tile with fewer rows of page is left out, except the first
pad = {pad}                     # level 0..255 below the page's end, before scale
scale = {scale}
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]

[input.features]
name = "features"
set = {feature_set}
columns = {features}
missing = "nan"               # a feature that is not known, or all of them

[output.score]
name = "score"
higher_is_better = true
calibration = {{ kind = "platt", a = {a:.6f}, b = {b:.6f} }} # 1 / (1 + exp(-(a s + b))); fitted with features
keep_at = {keep_at:.4f}              # of the calibrated score: keeps 98 % of the validation originals

[output.parts]
name = "parts"
labels = {labels}
activation = "sigmoid"

[check]
input = "ramp"                # level (x + y + 85 c) mod 256 at x, y, channel c of the overview and of one tile; no features
expect = [{ramp:.6f}]           # raw score
tolerance = {tolerance}
"""


def export(scorer: Scorer, path: Path) -> None:
    features = scorer.layout.mean.shape[0]
    example = (
        torch.rand(2, 3, pixels.OVERVIEW_HEIGHT, pixels.OVERVIEW_WIDTH), torch.rand(2, 3, 3, pixels.TILE_HEIGHT, pixels.TILE_WIDTH),
        torch.tensor([3, 2]), torch.zeros(2, features),
    )
    free = {"overview": {0: "pages"}, "tiles": {0: "pages", 1: "most_tiles"}, "tile_count": {0: "pages"}, "features": {0: "pages"},
            "score": {0: "pages"}, "parts": {0: "pages"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is the one that needs no further package
        torch.onnx.export(scorer, example, str(path), input_names=INPUTS, output_names=OUTPUTS, opset_version=OPSET, dynamic_axes=free, dynamo=False)


def session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def inputs(seen: list[pixels.Views], features: np.ndarray) -> dict[str, np.ndarray]:
    """What the graph takes, for some pages of any length."""
    counts = np.array([len(tiles) for _, tiles in seen], np.int64)
    padded = np.full((len(seen), counts.max(), pixels.TILE_HEIGHT, pixels.TILE_WIDTH, 3), pixels.PAD_LEVEL, np.uint8)
    for place, (_, tiles) in enumerate(seen):
        padded[place, : len(tiles)] = tiles
    return {"overview": pixels.normalise(np.stack([overview for overview, _ in seen])), "tiles": pixels.normalise(padded),
            "tile_count": counts, "features": features.astype(np.float32)}


def run(runner: onnxruntime.InferenceSession, seen: list[pixels.Views], features: np.ndarray) -> np.ndarray:
    """Score and parts [n, 6]."""
    score, parts = runner.run(OUTPUTS, inputs(seen, features))
    return np.concatenate([score[:, None], parts], 1)


def run_torch(scorer: Scorer, seen: list[pixels.Views], features: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        score, parts = scorer(*(torch.from_numpy(value) for value in inputs(seen, features).values()))
    return torch.cat([score.unsqueeze(1), parts], 1).numpy()


def differences(scorer: Scorer, runner: onnxruntime.InferenceSession, states: States, wanted: list[int]) -> dict[str, float]:
    """How far apart at most: ONNX Runtime and PyTorch; a batch and its pages one by one; pixels and the cache of training."""
    seen = {state: pixels.views(picture) for state, picture in states.pictures(wanted)}
    views = [seen[state] for state in wanted]
    features = states["features"][wanted].copy()
    features[::2] = np.nan
    there, here = run(runner, views, features), run_torch(scorer, views, features)
    alone = np.concatenate([run(runner, [view], features[i : i + 1]) for i, view in enumerate(views)])
    cached = scores(scorer, states, wanted, modes=("both", "picture"))
    from_cache = np.where(np.arange(len(wanted))[:, None] % 2 == 0, cached["picture"], cached["both"])
    gap = lambda a, b: float(np.abs(a - b).max())
    return {"onnx to torch": gap(there, here), "batch to one by one": gap(there, alone), "pixels to cache": gap(there, from_cache)}


def ramp_score(runner: onnxruntime.InferenceSession, features: int) -> float:
    view = (pixels.ramp(pixels.OVERVIEW_HEIGHT, pixels.OVERVIEW_WIDTH), pixels.ramp(pixels.TILE_HEIGHT, pixels.TILE_WIDTH)[None])
    return float(run(runner, [view], np.full((1, features), np.nan))[0, 0])


def calibrated(scorer: Scorer, states: States, pages: pairs.Pages) -> dict:
    """Sets the parts' numbers in the scorer; gives those of the score."""
    wanted = calibrate.needed(states, pages, "validation")
    scorer.part_slope.fill_(1)
    scorer.part_offset.fill_(0)
    found = dict(zip(wanted, scores(scorer, states, wanted, modes=("both",))["both"]))
    numbers = calibrate.of_parts(states, pages, found)
    scorer.part_slope.copy_(torch.tensor([a for a, _ in numbers]))
    scorer.part_offset.copy_(torch.tensor([b for _, b in numbers]))
    good = np.array([found[state][0] for state in pages.originals("validation")])
    bad = np.array([found[state][0] for state in calibrate.bad_states(states, pages, "validation")])
    platt = calibrate.platt(good, bad)
    keep_at = float(calibrate.probability(np.quantile(good, 1 - calibrate.KEPT), platt))
    return {"platt": platt, "keep_at": keep_at, "parts": dict(zip(PARTS, numbers)), "originals": len(good), "bad": len(bad)}


def manifest(onnx: bytes, states: States, facts: dict, ramp: float) -> str:
    return MANIFEST.format(
        name=NAME, version=VERSION, sha256=hashlib.sha256(onnx).hexdigest(), opset=OPSET,
        overview_height=pixels.OVERVIEW_HEIGHT, overview_width=pixels.OVERVIEW_WIDTH, tile_height=pixels.TILE_HEIGHT, tile_width=pixels.TILE_WIDTH,
        tiles_max=pixels.TILES_MAX, strip_min=pixels.STRIP_MIN, pad=pixels.PAD_LEVEL, scale=float(np.float32(pixels.SCALE)),
        feature_set=json.dumps(states.feature_set), features=json.dumps(states.feature_names), labels=json.dumps(PARTS), a=facts["platt"][0], b=facts["platt"][1],
        keep_at=facts["keep_at"], ramp=ramp, tolerance=CHECK_TOLERANCE,
    )


def load(folder: Path, features: int) -> Scorer:
    scorer = Scorer(features)
    scorer.load_state_dict(torch.load(folder / "model.pt", weights_only=True))
    return scorer.eval()


def write(folder: Path, states: States, pages: pairs.Pages, scorer: Scorer) -> dict:
    """scorer.onnx, model.toml and export.json in `folder`."""
    facts = calibrated(scorer, states, pages)
    torch.save(scorer.state_dict(), folder / "model.pt")
    path = folder / "scorer.onnx"
    export(scorer, path)
    runner = session(path)
    some = np.random.default_rng(1).permutation(len(states))[:COMPARED].tolist()
    facts |= {"opset": OPSET, "bytes": path.stat().st_size, "weights": weights(scorer), "differences": differences(scorer, runner, states, some)}
    if facts["differences"]["onnx to torch"] > DIFFERENCE_MAX:
        raise SystemExit(f"ONNX Runtime and PyTorch differ: {facts['differences']}")
    facts["ramp"] = ramp_score(runner, len(states.feature_names))
    (folder / "model.toml").write_text(manifest(path.read_bytes(), states, facts, facts["ramp"]))
    (folder / "export.json").write_text(json.dumps(facts, indent=1) + "\n")
    return facts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    states = States(arguments.data, arguments.cache or arguments.data / "cache")
    scorer = load(arguments.model, len(states.feature_names))
    print(json.dumps(write(arguments.model, states, pairs.group(states), scorer), indent=1))


if __name__ == "__main__":
    main()
