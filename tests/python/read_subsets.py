"""Every subset with every reader; `meta` joins `pages`.

usage: read_subsets.py DATA, with DATA/<subset>/*.parquet: 41 pages, 40 rejects, 30 edits, 20 drafts, 10 preferences.
"""

import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

import datasets
import duckdb
import polars as pl
import pyarrow.dataset as ds

ROWS = {"pages": 41, "meta": 41, "rejects": 40, "edit": 30, "polish": 20, "preference": 10}
# Pictures of a row, and how many rows may lack them.
PICTURES = {
    "pages": {"image": 0},
    "edit": {"before_image": 0, "after_image": 0},
    "polish": {"draft_image": 0, "target_image": 0, "answer_image": 20},
    "preference": {"before_image": 0, "chosen_image": 0, "rejected_image": 0},
}


def open_pictures(subset, rows):
    """The pictures of rows of `datasets`, decoded."""
    lacking = dict.fromkeys(PICTURES.get(subset, {}), 0)
    for row in rows:
        for name in lacking:
            if row[name] is None:
                lacking[name] += 1
            else:
                row[name].load()
                assert row[name].size[0] == 64, (subset, name, row[name].size)
    for name, count in lacking.items():
        assert count <= PICTURES[subset][name], f"{count} rows of {subset} have no {name}"


def main(data):
    for subset, rows in ROWS.items():
        files = f"{data}/{subset}/*.parquet"
        assert duckdb.sql(f"select count(*) from (select * from '{files}')").fetchall() == [(rows,)], subset
        assert pl.scan_parquet(files).collect().height == rows, subset
        assert ds.dataset(f"{data}/{subset}").to_table().num_rows == rows, subset
        loaded = datasets.load_dataset("parquet", data_files=files, split="train")
        assert len(loaded) == rows, subset
        open_pictures(subset, loaded)
        streamed = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)
        assert sum(1 for _ in streamed) == rows, subset
        open_pictures(subset, streamed)
    joined = duckdb.sql(f"""
        select count(*), count(distinct m.id), bool_and(m.text = p.text and m.url = p.url and m.split = p.split)
        from '{data}/meta/*.parquet' m join '{data}/pages/*.parquet' p using (id)
    """)
    assert joined.fetchall() == [(41, 41, True)]
    instructions = duckdb.sql(f"select count(*) from '{data}/edit/*.parquet' where len(instructions) = 2").fetchall()
    assert instructions == [(30,)]
    pages = pl.read_parquet(f"{data}/pages/*.parquet")
    meta = pl.read_parquet(f"{data}/meta/*.parquet")
    assert meta.columns == [name for name in pages.columns if name != "image"]
    assert meta.join(pages, on="id").height == 41
    print(f"duckdb {duckdb.__version__}, polars {pl.__version__}: {', '.join(ROWS)} read")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
