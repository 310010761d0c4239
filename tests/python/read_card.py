"""Loads a folder by what its dataset card says.

usage: read_card.py FOLDER, with FOLDER/README.md and FOLDER/data (30 pages, 60 rejects).
"""

import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

import datasets


def main(folder):
    names = datasets.get_dataset_config_names(folder)
    assert names == ["pages", "meta", "rejects"], names
    pages = datasets.load_dataset(folder)
    rows = sum(len(split) for split in pages.values())
    assert rows == 30, pages
    first = next(iter(pages.values()))
    assert isinstance(first.features["image"], datasets.Image), first.features
    said = datasets.load_dataset_builder(folder, "pages").info
    assert said.features == first.features, (said.features, first.features)
    assert sum(split.num_examples for split in said.splits.values()) == 30
    assert sum(len(split) for split in datasets.load_dataset(folder, "meta").values()) == 30
    assert sum(len(split) for split in datasets.load_dataset(folder, "rejects").values()) == 60
    print(f"{', '.join(names)} by the card")


if __name__ == "__main__":
    main(sys.argv[1])
