"""Our shard writer and pyarrow, in turns, with the same rows and settings.

usage: write_speed.py BINARY [--rounds N] [--cores N] [--] ROWS IMAGE_BYTES HTML_BYTES NODES
with BINARY from `cargo build --release -p dataset --example write_speed`.

By the median of the rounds:
- encode: rows in memory as Arrow, in the order of the file; columns are encoded and written, no more.
- job: sort the rows by id, cut, encode, write, SHA-256, flush to the disk. pyarrow has all rows in memory as Arrow; for ours they lie on
  the disk in the order of arrival.
- all: the same job of pyarrow, and ours from items: making columns of them and laying them on the disk included.
- all/encode: our all against pyarrow's encode, which neither sorts nor hashes nor flushes.
Settings are read from our files: codec, dictionaries, statistics and row groups of every column. Pages are those of pyarrow (1 MB);
ours have 16 rows.
"""

import argparse
import hashlib
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def settings(metadata):
    """zstd but for pictures, dictionaries and statistics where our file has them, page index."""
    group = metadata.row_group(0)
    columns = [group.column(index) for index in range(group.num_columns)]
    compression = {c.path_in_schema: "none" if c.compression == "UNCOMPRESSED" else "zstd" for c in columns}
    return {
        "compression": compression,
        "compression_level": {path: 3 for path, name in compression.items() if name == "zstd"},
        "use_dictionary": [c.path_in_schema for c in columns if c.has_dictionary_page],
        "write_statistics": [c.path_in_schema for c in columns if c.is_stats_set],
        "write_page_index": True,
    }


class Clock:
    """Seconds on the wall, and of the processor."""

    def __init__(self):
        self.wall = self.processor = 0.0

    def __enter__(self):
        self.began, self.before = time.perf_counter(), time.process_time()

    def __exit__(self, *_):
        self.wall += time.perf_counter() - self.began
        self.processor += time.process_time() - self.before


def encode(out, table, groups, options):
    with pq.ParquetWriter(out, table.schema, **options) as writer:
        start = 0
        for count in groups:
            writer.write_table(table.slice(start, count), row_group_size=count)
            start += count


def job(out, table, groups, options):
    """What the shard writer does, as one would write it: sort, encode, hash, flush."""
    order = pc.sort_indices(table["id"])
    with pq.ParquetWriter(out, table.schema, **options) as writer:
        start = 0
        for count in groups:
            rows = table.take(order.slice(start, count))
            writer.write_table(rows, row_group_size=count)
            start += count
    with open(out, "rb+") as file:
        hashlib.file_digest(file, "sha256")
        os.fsync(file.fileno())


def pyarrow_turn(folder):
    clocks = {"encode": Clock(), "job": Clock()}
    out = folder / "pyarrow.parquet"
    for path in sorted(folder.glob("pages/*.parquet")) + sorted(folder.glob("meta/*.parquet")):
        file = pq.ParquetFile(path)
        options = settings(file.metadata)
        groups = [file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups)]
        table = file.read()
        with clocks["encode"]:
            encode(out, table, groups, options)
        out.unlink()
        order = random.Random(1).sample(range(table.num_rows), table.num_rows)
        arrived = table.take(pa.array(order)).combine_chunks()
        del table
        with clocks["job"]:
            job(out, arrived, groups, options)
        out.unlink()
    return clocks


def our_turn(binary, folder, sizes):
    said = subprocess.run([binary, folder, *map(str, sizes)], check=True, capture_output=True, text=True).stdout
    return json.loads(said)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("sizes", nargs="*", type=int, default=[3000, 300_000, 40_000, 200])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=0, help="how many cores this process and ours may use")
    arguments = parser.parse_args()
    if arguments.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.cores])
    ours, theirs = [], []
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory(dir=".") as folder:
            ours.append(our_turn(arguments.binary, folder, arguments.sizes))
            theirs.append(pyarrow_turn(Path(folder)))
    said = ours[0]
    print(f"{said['rows']} rows, {said['bytes'] / 1e6:.0f} MB; our peak {max(o['peak_mb'] for o in ours)} MB")
    print(f"{len(os.sched_getaffinity(0))} cores; load {os.getloadavg()[0]:.1f}")
    for kind in ("wall", "processor"):
        of = lambda *steps: statistics.median(sum(turn[step][kind] for step in steps) for turn in ours)
        peer = lambda step: statistics.median(getattr(turn[step], kind) for turn in theirs)
        for name, own, other in (
            ("encode", of("encode"), peer("encode")),
            ("job", of("finish"), peer("job")),
            ("all", of("add", "finish"), peer("job")),
            ("all/encode", of("add", "finish"), peer("encode")),
        ):
            rate = f"{said['rows'] / own:.0f} rows/s, {said['bytes'] / own / 1e6:.0f} MB/s"
            print(f"{kind:9} {name:10}: ours {own:.2f} s ({rate}), pyarrow {other:.2f} s: {other / own:.2f} times its speed")


if __name__ == "__main__":
    main()
