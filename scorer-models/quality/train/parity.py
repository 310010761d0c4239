"""Writes made-up pictures and what preprocessing and model make of them, so that the engine can compare.

    python parity.py --model DIR --out DIR

For each picture parity.json has the sizes by the rules of pixels.py, the sum of all levels of the overview and of each
tile for each channel, some single levels, and score and parts without layout features and with made-up ones. Levels may differ by 1
where a rounding falls otherwise, scores by 0.001.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import export
import pixels

# Name, width, height: an ordinary page; one of more than all tiles; last strips just kept and just left out (1080 and
# 1079 are 432 and 431.6 rows at the scale of the tiles, 1078 are 431); a width that does not divide; one pixel.
PICTURES = (
    ("page", 1280, 2048), ("long", 1280, 9001), ("kept-strip", 1280, 1080), ("rounded-strip", 1280, 1079),
    ("left-out-strip", 1280, 1078), ("odd", 777, 1234), ("wide", 1920, 400), ("point", 1, 1),
)
PROBES = 4  # single levels a picture


def draw(width: int, height: int) -> Image.Image:
    """Blocks and lines of many colours, the same each time."""
    lot = np.random.default_rng(width * 100_003 + height)
    picture = Image.new("RGB", (width, height), (250, 248, 245))
    pen = ImageDraw.Draw(picture)
    for top in range(0, height, 61):
        left, right = sorted(lot.integers(0, max(2, width), 2).tolist())
        pen.rectangle((left, top, right, top + int(lot.integers(3, 40))), fill=tuple(lot.integers(0, 256, 3).tolist()))
        for line in range(top + 44, top + 60, 5):
            pen.line((left // 2, line, right, line), fill=tuple(lot.integers(0, 120, 3).tolist()))
    return picture


def probes(levels: np.ndarray) -> list[list[int]]:
    """Places spread over levels [H, W, 3], each with its levels: row, column, red, green, blue."""
    height, width = levels.shape[:2]
    places = [((2 * i + 1) * height // (2 * PROBES), (2 * i + 1) * width // (2 * PROBES)) for i in range(PROBES)]
    return [[row, column, *map(int, levels[row, column])] for row, column in places]


def facts(levels: np.ndarray) -> dict:
    return {"sums": levels.sum((0, 1), dtype=np.int64).tolist(), "probes": probes(levels)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder of scorer.onnx")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    runner = export.session(arguments.model / "scorer.onnx")
    count = runner.get_inputs()[export.INPUTS.index("features")].shape[1]
    ramp = [round(0.1 * place, 1) for place in range(count)]
    ramp[::5] = [float("nan")] * len(ramp[::5])
    found = []
    for name, width, height in PICTURES:
        file = f"{name}.png"
        draw(width, height).save(arguments.out / file, optimize=True)
        with Image.open(arguments.out / file) as picture:
            overview, tiles = pixels.views(picture)
        asked = {
            label: export.run(runner, [(overview, tiles)], np.array([features], np.float32))[0]
            for label, features in (("bare", [float("nan")] * count), ("with features", ramp))
        }
        found.append({
            "file": file, "width": width, "height": height, "scaled_height": pixels.scaled_height(width, height), "tiles": len(tiles),
            "overview": facts(overview), "tile": [facts(tile) for tile in tiles],
            **{label: {"score": float(values[0]), "parts": [float(v) for v in values[1:]]} for label, values in asked.items()},
        })
    features = [None if value != value else value for value in ramp]
    text = json.dumps({"features": features, "pictures": found}, indent=None, separators=(",", ":"))
    (arguments.out / "parity.json").write_text(text.replace('{"file"', '\n{"file"') + "\n")


if __name__ == "__main__":
    main()
