"""Loads a dataset the way trainers do and checks every row.

usage: read_dataset.py DATA, with DATA/pages/*.parquet and DATA/rejects/*.parquet.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

import datasets
import pyarrow.parquet as pq
from PIL import Image


def check_row(row):
    picture = row["image"]
    assert isinstance(picture, Image.Image), type(picture)
    assert list(picture.size) == row["scale"], (picture.size, row["scale"])
    assert json.loads(row["bbox"])["type"] == "body"
    assert hashlib.sha256(row["text"].encode()).hexdigest() == row["html_sha256"]
    assert row["hash"] == row["screenshot_sha256"]
    code = row["text"].encode()
    for node in row["nodes"]:
        if node["start"] is not None:
            tag = code[node["start"] : node["end"]].decode()
            assert tag.lower().startswith("<" + node["tag"].lower()), (node["tag"], tag[:40])


def main(data):
    shards = sorted(map(str, data.glob("pages/*.parquet")))
    files = {}
    for shard in shards:
        files.setdefault(Path(shard).name.split("-")[0], []).append(shard)
    pages = datasets.load_dataset("parquet", data_files=files)
    rows = with_range = nodes = 0
    for split in pages.values():
        assert split.features["image"] == datasets.Image(), split.features["image"]
        for row in split:
            check_row(row)
            rows += 1
            nodes += len(row["nodes"])
            with_range += sum(node["start"] is not None for node in row["nodes"])
    # All columns of a shard at once, as pandas and others read them.
    assert sum(pq.read_table(shard).num_rows for shard in shards) == rows
    domains = {split: set(pages[split]["domain"]) for split in pages}
    for first in domains:
        for second in domains:
            assert first == second or not domains[first] & domains[second], (first, second)
    lost = sum(pq.read_table(shard).num_rows for shard in data.glob("rejects/*.parquet"))
    print(f"{rows} rows, {lost} losses, {with_range} of {nodes} nodes with their place in the code")


main(Path(sys.argv[1]))
