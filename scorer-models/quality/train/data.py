"""Rendered states from `databuild score states`, decoded once.

Each Parquet file becomes a cache of what the net's fixed first layer makes of its pictures, one byte a number. A file
that was cached before is not read again, so that the folder may grow between runs.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import torch
from PIL import Image

import model
import pixels
import statistics_of

CACHE_VERSION = 2  # another first layer or preprocessing needs another number
BATCH_ROWS = 32  # pictures decoded at a time
VIEWS = ("page", "centre")
COLUMNS = ("page", "site", "split", "kind", "principle", "family", "severity", "changed", "width", "height")
TILE_SHAPE = (pixels.TILE_HEIGHT // model.CELL, pixels.TILE_WIDTH // model.CELL, model.CHANNELS)
OVERVIEW_SHAPE = (pixels.OVERVIEW_HEIGHT // model.CELL, pixels.OVERVIEW_WIDTH // model.CELL, model.CHANNELS)
Image.MAX_IMAGE_PIXELS = 64_000_000  # the engine's own limit


@dataclass(frozen=True)
class Seen:
    """Cells of one view of a file's pictures, row by row."""

    overviews: np.ndarray
    tiles: np.ndarray
    tile_counts: np.ndarray

    @cached_property
    def first(self) -> np.ndarray:
        """Where each picture's tiles begin."""
        return np.concatenate([[0], np.cumsum(self.tile_counts)])


class States:
    """All rows of a folder, in the order of its files. Columns are arrays; pictures are read from the cache."""

    def __init__(self, folder: Path, cache: Path, jobs: int = 1) -> None:
        files = sorted(folder.glob("states-*.parquet"))
        if not files:
            raise SystemExit(f"{folder} holds no states-*.parquet")
        self.files = files
        self.feature_set, self.feature_names = feature_names(files[0])
        parts = [cached(file, cache, jobs) for file in files]
        tables = [rows for rows, _ in parts]
        self.columns = {name: np.concatenate([rows[name] for rows in tables]) for name in tables[0]}
        self._seen = [seen for _, seen in parts]
        counts = [len(rows["page"]) for rows in tables]
        self._place = [(file, row) for file, count in enumerate(counts) for row in range(count)]

    def __len__(self) -> int:
        return len(self._place)

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]

    def tile_count(self, state: int, view: str = "page") -> int:
        file, row = self._place[state]
        return int(self._seen[file][view].tile_counts[row])

    def tiles(self, state: int, view: str = "page") -> np.ndarray:
        file, row = self._place[state]
        seen = self._seen[file][view]
        return seen.tiles[seen.first[row] : seen.first[row + 1]]

    def overview(self, state: int, view: str = "page") -> np.ndarray:
        file, row = self._place[state]
        return self._seen[file][view].overviews[row]

    def pictures(self, wanted: list[int]) -> Iterator[tuple[int, Image.Image]]:
        """The wanted states' screenshots themselves, in the order of the files."""
        rows: dict[int, set[int]] = {}
        for state in wanted:
            file, row = self._place[state]
            rows.setdefault(file, set()).add(row)
        first = 0
        for file, path in enumerate(self.files):
            if file in rows:
                for row, png in pngs(path, rows[file]):
                    with Image.open(io.BytesIO(png)) as picture:
                        yield first + row, pixels.on_white(picture)
            first += len(self._seen[file]["page"].tile_counts)

    def split_digest(self) -> str:
        """Identifies which page is in which split."""
        lines = sorted({f"{page} {split}" for page, split in zip(self["page"], self["split"])})
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def feature_names(file: Path) -> tuple[str, list[str]]:
    """Which set of layout features the file has, and their names."""
    metadata = parquet.read_schema(file).metadata or {}
    if b"features" not in metadata:
        raise SystemExit(f"{file} does not name its layout features")
    return metadata.get(b"feature_set", b"").decode(), json.loads(metadata[b"features"])


def pngs(file: Path, wanted: set[int] | None = None) -> Iterator[tuple[int, bytes]]:
    """Row numbers and PNGs of a file, of all rows or those wanted."""
    row = 0
    for batch in parquet.ParquetFile(file).iter_batches(BATCH_ROWS, columns=["picture"]):
        for picture in batch.column(0):
            if wanted is None or row in wanted:
                yield row, picture.as_py()
            row += 1


def cached(file: Path, cache: Path, jobs: int) -> tuple[dict[str, np.ndarray], dict[str, Seen]]:
    """Columns and cells of a file, from the cache if it is of this very file."""
    cache.mkdir(parents=True, exist_ok=True)
    stamp = {"version": CACHE_VERSION, "bytes": file.stat().st_size, "modified": file.stat().st_mtime_ns}
    stamp_file = cache / f"{file.stem}.json"
    if not stamp_file.exists() or json.loads(stamp_file.read_text()) != stamp:
        _fill(file, cache, jobs)
        stamp_file.write_text(json.dumps(stamp))  # last, so that a broken run leaves no half cache
    with np.load(cache / f"{file.stem}.npz", allow_pickle=False) as arrays:
        rows = {name: arrays[name] for name in arrays.files}
    seen = {}
    for view in VIEWS:
        counts = rows.pop(f"{view}_tiles")
        stem = f"{file.stem}-{view}"
        seen[view] = Seen(
            np.memmap(cache / f"{stem}-overviews.u8", np.uint8, "r", shape=(len(counts), *OVERVIEW_SHAPE)),
            np.memmap(cache / f"{stem}-tiles.u8", np.uint8, "r", shape=(int(counts.sum()), *TILE_SHAPE)),
            counts,
        )
    return rows, seen


def _fill(file: Path, cache: Path, jobs: int) -> None:
    table = parquet.read_table(file, columns=[*COLUMNS, "features"])
    rows = {name: column_values(table, name) for name in COLUMNS}
    rows["features"] = np.array(table["features"].to_pylist(), np.float32)
    counts: dict[str, list[int]] = {view: [] for view in VIEWS}
    numbers = []
    open_files = {(view, what): (cache / f"{file.stem}-{view}-{what}.u8").open("wb") for view in VIEWS for what in ("overviews", "tiles")}
    with ProcessPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for found, statistics in pool.map(digest, (png for _, png in pngs(file)), chunksize=4):
            numbers.append(statistics)
            for view, (overview, tiles) in found.items():
                counts[view].append(len(tiles))
                open_files[view, "overviews"].write(overview.tobytes())
                open_files[view, "tiles"].write(tiles.tobytes())
    for open_file in open_files.values():
        open_file.close()
    rows["statistics"] = np.array(numbers, np.float32)
    rows |= {f"{view}_tiles": np.array(counts[view]) for view in VIEWS}
    np.savez(cache / f"{file.stem}.npz", **rows)


def column_values(table, name: str) -> np.ndarray:
    """A column as an array; a missing text is empty, a missing number is not a number."""
    values = table[name].to_pylist()
    if name in ("severity", "width", "height"):
        return np.array(values, np.int64)
    if name == "changed":
        return np.array([np.nan if value is None else value for value in values], np.float32)
    return np.array([value or "" for value in values], np.str_)


def digest(png: bytes) -> tuple[dict[str, pixels.Views], np.ndarray]:
    """Cells of each view of a picture, and its simple statistics."""
    with Image.open(io.BytesIO(png)) as opened:
        picture = pixels.on_white(opened)
    found = {"page": pixels.views(picture), "centre": pixels.views(pixels.middle_square(picture))}
    statistics = statistics_of.picture(found["page"][1], picture.width, picture.height, len(png))
    return {view: (to_cells(overview[None])[0], to_cells(tiles)) for view, (overview, tiles) in found.items()}, statistics


def to_cells(levels: np.ndarray) -> np.ndarray:
    """[n, H, W, 3] levels to [n, H / 4, W / 4, 9] cells in bytes."""
    with torch.no_grad():
        found = model.cells(torch.from_numpy(pixels.normalise(levels)))
        return (found.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def tensor(bytes_of_cells: np.ndarray) -> torch.Tensor:
    """Cached cells as the bodies take them, in the memory order that convolutions on a CPU like."""
    return torch.from_numpy(np.ascontiguousarray(bytes_of_cells)).permute(0, 3, 1, 2).float().div_(255)
