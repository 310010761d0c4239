"""Exported conversations and pairs, read as trainers read them; and the subsets that they come from.

usage: read_exports.py DATA FOLDER, with DATA/{edit,polish,preference}/*.parquet and FOLDER/{openai,sharegpt,llava}/*.jsonl
"""

import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

import datasets
from PIL import Image

# Which pictures a row has, and which of them it may lack.
PICTURES = {
    "edit": ({"before_image", "after_image"}, set()),
    "polish": ({"draft_image", "target_image"}, {"answer_image"}),
    "preference": ({"before_image", "chosen_image"}, {"target_image", "rejected_image"}),
}


def check_subset(data, subset):
    rows = datasets.load_dataset("parquet", data_files=f"{data}/{subset}/*.parquet", split="train")
    always, sometimes = PICTURES[subset]
    for row in rows:
        for name in always | sometimes:
            picture = row[name]
            assert picture is not None or name in sometimes, (subset, row["id"], name)
            if picture is not None:
                assert picture.size[0] > 0, (subset, row["id"], name)
        assert "SEARCH" in row["blocks"] and row["patch"].startswith("--- a.html"), row["id"]
    return len(rows)


def open_all(folder, names):
    for name in names:
        with Image.open(folder / name) as picture:
            picture.load()


def check_talk(folder, line, pictures):
    """What LLaMA-Factory and LLaVA ask for: turns that alternate, one mark for each picture."""
    turns = line["conversations"]
    if line.get("chosen"):
        assert [turn["from"] for turn in turns] == ["human"]
        assert line["chosen"]["from"] == line["rejected"]["from"] == "gpt"
        assert line["chosen"]["value"] != line["rejected"]["value"]
    else:
        assert [turn["from"] for turn in turns] == ["human", "gpt"]
        assert turns[1]["value"]
    assert turns[0]["value"].count("<image>") == len(pictures), line["id"]
    open_all(folder, pictures)


def check_openai(folder, line):
    if line.get("input"):
        messages = line["input"]["messages"]
        preferred, other = line["preferred_output"], line["non_preferred_output"]
        assert [message["role"] for message in preferred + other] == ["assistant", "assistant"]
        assert preferred[0]["content"] != other[0]["content"]
        asked = messages
    else:
        assert [message["role"] for message in line["messages"]] == ["user", "assistant"]
        asked = line["messages"][:1]
    parts = asked[0]["content"]
    open_all(folder, [part["image_url"]["url"] for part in parts if part["type"] == "image_url"])


def main(data, out):
    read = {subset: check_subset(data, subset) for subset in PICTURES}
    lines = 0
    for form in ("openai", "sharegpt", "llava"):
        folder = out / form
        for path in sorted(folder.glob("*.jsonl")):
            for line in datasets.load_dataset("json", data_files=str(path), split="train"):
                if form == "openai":
                    check_openai(folder, line)
                else:
                    pictures = line["images"] if form == "sharegpt" else line["image"]
                    check_talk(folder, line, [pictures] if isinstance(pictures, str) else pictures)
                lines += 1
    print(f"datasets {datasets.__version__}: {read} rows and {lines} lines read")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
