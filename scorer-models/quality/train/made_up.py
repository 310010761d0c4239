"""A few made-up pages in the form that `databuild score states` writes, to try the programs without real data."""

from __future__ import annotations

import argparse
import io
import json
import random
from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet as parquet
from PIL import Image, ImageDraw

FEATURES = ("blocks", "contrast", "overlap", "never known")
KINDS = {"contrast-loss": "contrast", "shift": "alignment", "cover": "overlap", "noise": "color"}
SCHEMA = arrow.schema([
    ("page", arrow.string()), ("site", arrow.string()), ("split", arrow.string()), ("kind", arrow.string()),
    ("principle", arrow.string()), ("family", arrow.string()), ("severity", arrow.int8()), ("changed", arrow.float32()),
    ("width", arrow.int32()), ("height", arrow.int32()), ("picture", arrow.binary()), ("features", arrow.list_(arrow.float32())),
], metadata={"features": json.dumps(FEATURES), "feature_set": "made-up"})


def draw(seed: int, kind: str, severity: int) -> tuple[Image.Image, list[float]]:
    """A page of cards with lines; the same seed gives the same page, damaged or not."""
    page, hand = random.Random(seed), random.Random(f"{seed} {kind}")
    height, ground = page.randrange(900, 5200), tuple(page.randrange(200, 256) for _ in range(3))
    picture = Image.new("RGB", (1280, height), ground)
    if kind == "blank":
        return picture, [0, 0, 0, float("nan")]
    pen = ImageDraw.Draw(picture)
    ink, card = tuple(page.randrange(0, 90) for _ in range(3)), tuple(page.randrange(120, 240) for _ in range(3))
    fade = severity / 4 if kind == "contrast-loss" else 0.0
    ink = tuple(round(a + (b - a) * fade) for a, b in zip(ink, card))
    columns, blocks = page.choice((1, 2, 3, 4)), 0
    for top in range(40, height - 200, 220):
        for column in range(columns):
            left, right, blocks = 60 + column * 1160 // columns, 40 + (column + 1) * 1160 // columns, blocks + 1
            dx = hand.randrange(-30, 31) * severity if kind == "shift" else 0
            dy = hand.randrange(20, 60) * severity if kind == "cover" else 0
            fill = tuple(hand.randrange(256) for _ in range(3)) if kind == "noise" and hand.random() < severity / 4 else card
            pen.rectangle((left + dx, top - dy, right + dx, top + 180), fill=fill)
            for line in range(5):
                pen.rectangle((left + 16 + dx, top + 20 + 30 * line - dy, right - page.randrange(20, 120) + dx, top + 30 + 30 * line - dy), fill=ink)
    return picture, [blocks, 1 - fade, severity if kind == "cover" else 0, float("nan")]


def row(page: int, split: str, kind: str, severity: int) -> dict:
    picture, features = draw(page, kind, severity)
    png = io.BytesIO()
    picture.save(png, "PNG")
    family = "original" if kind == "original" else "degraded" if kind in KINDS else "negative"
    return {
        "page": f"page-{page}", "site": f"site-{page}.example", "split": split, "kind": kind, "principle": KINDS.get(kind), "family": family,
        "severity": severity, "changed": None if family == "negative" else 0.1 * severity, "width": picture.width, "height": picture.height,
        "picture": png.getvalue(), "features": features,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pages", type=int, default=30)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for page in range(arguments.pages):
        split = ("train", "train", "train", "validation", "test")[page % 5]
        rows += [row(page, split, "original", 0), row(page, split, "blank", 3)]
        rows += [row(page, split, kind, severity) for kind in KINDS for severity in (1, 2, 3)]
    middle = len(rows) // 2
    for number, part in enumerate((rows[:middle], rows[middle:])):
        parquet.write_table(arrow.Table.from_pylist(part, SCHEMA), arguments.out / f"states-{number:05}.parquet")


if __name__ == "__main__":
    main()
