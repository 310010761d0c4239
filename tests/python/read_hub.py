"""Reads a published dataset with the Hub's own client, and as users do.

usage: read_hub.py FOLDER, with HF_ENDPOINT set; the dataset is `org/set` (60 pages to train on, 20 to test).
"""

import hashlib
import json
import sys
from pathlib import Path

import datasets
import huggingface_hub
from PIL import Image


def main(folder):
    api = huggingface_hub.HfApi()
    files = api.list_repo_files("org/set", repo_type="dataset")
    assert "README.md" in files and "manifest.json" in files, files

    root = Path(huggingface_hub.snapshot_download("org/set", repo_type="dataset", local_dir=folder))
    manifest = json.loads((root / "manifest.json").read_text())
    shards = 0
    for subset, parts in manifest["subsets"].items():
        for split, split_files in parts["splits"].items():
            for index, file in enumerate(split_files):
                path = root / f"data/{subset}/{split}-{index:05}-of-{len(split_files):05}.parquet"
                assert hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"], path
                shards += 1

    pages = datasets.load_dataset("org/set")
    assert {split: len(rows) for split, rows in pages.items()} == {"train": 60, "test": 20}, pages
    assert isinstance(pages["train"][0]["image"], Image.Image)
    streamed = datasets.load_dataset("org/set", "meta", split="train", streaming=True)
    ids = {row["id"] for row in streamed}
    assert ids == set(pages["train"]["id"])
    print(f"huggingface_hub {huggingface_hub.__version__}: {shards} shards, {len(ids)} rows of meta join")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
