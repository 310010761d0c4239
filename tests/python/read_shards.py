"""Reads shards the way users do and checks what comes out.

usage: read_shards.py FOLDER, with FOLDER/pages/*.parquet (41 pages) and FOLDER/rejects/*.parquet (40 rows).
"""

import hashlib
import io
import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

import datasets
import pyarrow.parquet as pq
from PIL import Image

VISION2UI = ["image", "bbox", "text", "scale", "lang", "tokens", "score", "hash"]


def check_page(row):
    picture = row["image"]
    assert isinstance(picture, Image.Image), type(picture)
    assert list(picture.size) == row["scale"], (picture.size, row["scale"])
    tree = json.loads(row["bbox"])
    assert list(tree) == ["type", "content", "style", "bbox", "children"] and tree["type"] == "body", tree
    assert isinstance(row["text"], str) and "日本" in row["text"]
    assert len(row["hash"]) == 64 and row["hash"] == row["screenshot_sha256"]
    assert isinstance(row["nodes"], list) and row["nodes"][2]["tag"] == "h1", row["nodes"]
    assert row["nodes"][0]["parent"] is None and row["nodes"][2]["parent"] == 1
    start, end = row["nodes"][2]["start"], row["nodes"][2]["end"]
    assert row["text"].encode()[start:end].decode().startswith("<html>")
    if row["title"] is None:  # the page of which little is known
        assert row["lang"] is None and row["tokens"] is None and row["score"] is None
        return
    assert row["lang"] == "en" and row["tokens"] == [12, 340] and row["score"] == 4, row
    assert abs(row["quality"] - 0.71) < 1e-9


def main():
    folder = Path(sys.argv[1])
    data_files = {split: str(folder / "pages" / f"{split}-*.parquet") for split in ("train", "test")}

    loaded = datasets.load_dataset("parquet", data_files=data_files)
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 36, "test": 5}, loaded
    features = loaded["train"].features
    assert list(features)[:8] == VISION2UI, list(features)
    assert isinstance(features["image"], datasets.Image), features["image"]
    assert features["scale"] == datasets.List(datasets.Value("int64")), features["scale"]
    assert features["score"] == datasets.Value("int64"), features["score"]
    for split in loaded.values():
        for row in split:
            check_page(row)

    streamed = datasets.load_dataset("parquet", data_files=data_files, streaming=True)
    assert isinstance(streamed["train"].features["image"], datasets.Image)
    count = 0
    for row in streamed["train"]:
        check_page(row)
        count += 1
    assert count == 36, count

    ids = []
    for path in sorted((folder / "pages").glob("train-*.parquet")):
        file = pq.ParquetFile(path)
        # What the file says of its features is what `datasets` makes of its columns: nothing is guessed.
        said = datasets.Features.from_dict(
            json.loads(file.metadata.metadata[b"huggingface"])["info"]["features"]
        )
        assert said.arrow_schema.remove_metadata().equals(file.schema_arrow.remove_metadata()), path
        table = file.read()
        for picture, said_hash, scale in zip(*(table[c].to_pylist() for c in ("image", "hash", "scale"))):
            assert hashlib.sha256(picture["bytes"]).hexdigest() == said_hash
            assert list(Image.open(io.BytesIO(picture["bytes"])).size) == scale
            assert picture["path"].endswith(".png")
        column = file.metadata.row_group(0).column(0)
        assert column.path_in_schema == "image.bytes" and column.compression == "UNCOMPRESSED"
        assert column.has_offset_index
        ids += table["id"].to_pylist()
    assert ids == sorted(ids) and len(ids) == 36

    rejects = datasets.load_dataset("parquet", data_files=str(folder / "rejects" / "*.parquet"))["train"]
    assert len(rejects) == 40 and {row["kind"] for row in rejects} == {"rejected", "failed"}
    print(f"datasets {datasets.__version__}: {count + 5} pages and {len(rejects)} rejects read")


if __name__ == "__main__":
    main()
