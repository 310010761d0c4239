"""Rendered states as arrays and pairs: what is dropped as label noise, and which pages may not see each other."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

import degrade
import pixels

NEGATIVES = (*degrade.NATURALS, "bare")
LEVEL_VISIBLE = 12  # a pixel has changed if a channel moved by more than this
CHANGED_MIN = 0.004  # two states with less of the picture changed look the same
STYLED_MIN = 0.06  # an original that changes less than this without its style sheets had hardly any style
SPREAD_MIN = 6.0  # an original with a smaller deviation of its levels shows nothing
FAMILY_DISTANCE = 7.0  # mean difference of two originals' thumbnails below which they share a design
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Pair:
    """`good` and `bad` are rows; `kind` and `severity` say what happened to the bad one."""

    good: int
    bad: int
    kind: str
    severity: int
    chain: bool = False  # both damaged, by the same hand, one harder


@dataclass
class Data:
    """Kept states, row by row with their levels [rows, H, W, 3]."""

    rows: list[dict]
    levels: np.ndarray
    dropped: dict[str, int]

    @cached_property
    def pages(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for index, row in enumerate(self.rows):
            found.setdefault(row["page"], []).append(index)
        return found

    def indices(self, split: str, *kinds: str) -> list[int]:
        return [i for i, row in enumerate(self.rows) if row["split"] == split and row["kind"] in kinds]

    @cached_property
    def pairs_by_page(self) -> dict[str, list[Pair]]:
        return {page: self._pairs_of(states) for page, states in self.pages.items()}

    def _pairs_of(self, states: list[int]) -> list[Pair]:
        """Original before each of its states, milder before harder damage."""
        original = next((i for i in states if self.rows[i]["kind"] == "original"), None)
        if original is None:
            return []
        pairs = []
        for i in states:
            row = self.rows[i]
            if i == original:
                continue
            pairs.append(Pair(original, i, row["kind"], row["severity"]))
            for j in states:
                if row["kind"] in degrade.DAMAGES and self.rows[j]["kind"] == row["kind"] \
                        and row["severity"] < self.rows[j]["severity"] and differs(self.levels[i], self.levels[j]):
                    pairs.append(Pair(i, j, row["kind"], self.rows[j]["severity"], chain=True))
        return pairs

    def pairs(self, split: str) -> list[Pair]:
        return [pair for pairs in self.pairs_by_page.values() for pair in pairs if self.rows[pair.good]["split"] == split]

    def split_digest(self) -> str:
        text = "\n".join(sorted(f"{row['page']} {row['split']}" for row in self.rows if row["kind"] in ("original", "bare")))
        return hashlib.sha256(text.encode()).hexdigest()


def changed(a: np.ndarray, b: np.ndarray) -> float:
    """Share of pixels that differ visibly."""
    return float((np.abs(a.astype(np.int16) - b).max(-1) > LEVEL_VISIBLE).mean())


def differs(a: np.ndarray, b: np.ndarray) -> bool:
    return changed(a, b) >= CHANGED_MIN


def load(folder: Path) -> Data:
    rows = [json.loads(line) for path in sorted(folder.glob("states-*.jsonl")) for line in path.open()]
    rows.sort(key=lambda row: (row["page"], row["kind"] != "original", row["kind"], row["severity"]))
    levels = np.stack([_read(folder / row["file"]) for row in rows])
    keep, dropped = _sound(Data(rows, levels, {}))
    data = Data([rows[i] for i in keep], levels[keep], dropped)
    _settle_families(data)
    return data


def _read(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return pixels.pad(picture.convert("RGB"))


def _sound(data: Data) -> tuple[list[int], dict[str, int]]:
    """Rows without empty or unstyled originals and without damage that nobody can see."""
    keep: list[int] = []
    dropped = {"pages with nothing to see": 0, "pages without style": 0, "states without visible difference": 0}
    for states in data.pages.values():
        first = data.levels[states[0]]
        kinds = {data.rows[i]["kind"]: i for i in states}
        if "original" not in kinds:
            keep += states
        elif first[: min(data.rows[states[0]]["height"] // 4, pixels.HEIGHT)].std() < SPREAD_MIN:
            dropped["pages with nothing to see"] += 1
        elif "unstyled" in kinds and changed(first, data.levels[kinds["unstyled"]]) < STYLED_MIN:
            dropped["pages without style"] += 1
        else:
            seen = [i for i in states if i == states[0] or differs(first, data.levels[i])]
            dropped["states without visible difference"] += len(states) - len(seen)
            keep += seen
    return keep, dropped


def _settle_families(data: Data) -> None:
    """Gives each row its family (one site, or sites of one design) and moves a family that straddles splits to `unused`
    in all but its most held-out one, so that no design is both learnt and asked for."""
    originals = [i for i, row in enumerate(data.rows) if row["kind"] in ("original", "bare")]
    thumbs = np.stack([_thumb(data.levels[i]) for i in originals])
    parent = list(range(len(originals)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for a, i in enumerate(originals):
        near = np.abs(thumbs[:a] - thumbs[a]).mean(1) < FAMILY_DISTANCE
        for b in range(a):
            styled = data.rows[i]["kind"] == "original" == data.rows[originals[b]]["kind"]
            if data.rows[i]["site"] == data.rows[originals[b]]["site"] or (styled and near[b]):
                parent[root(a)] = root(b)
    family = {data.rows[i]["page"]: data.rows[originals[root(a)]]["site"] for a, i in enumerate(originals)}
    held: dict[str, int] = {}
    for row in data.rows:
        row["family"] = family[row["page"]]
        held[row["family"]] = max(held.get(row["family"], 0), SPLITS.index(row["split"]))
    for row in data.rows:
        if SPLITS.index(row["split"]) < held[row["family"]]:
            row["split"] = "unused"


def _thumb(levels: np.ndarray) -> np.ndarray:
    return levels.mean(-1).reshape(32, pixels.HEIGHT // 32, 16, pixels.WIDTH // 16).mean((1, 3)).ravel()
