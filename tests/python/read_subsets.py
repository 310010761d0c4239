"""Every subset with every reader; `meta` joins `pages`.

usage: read_subsets.py DATA, with DATA/{pages,meta,rejects}/*.parquet (41 pages, 40 rejects).
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

ROWS = {"pages": 41, "meta": 41, "rejects": 40}


def main(data):
    for subset, rows in ROWS.items():
        files = f"{data}/{subset}/*.parquet"
        assert duckdb.sql(f"select count(*) from (select * from '{files}')").fetchall() == [(rows,)], subset
        assert pl.scan_parquet(files).collect().height == rows, subset
        assert ds.dataset(f"{data}/{subset}").to_table().num_rows == rows, subset
        loaded = datasets.load_dataset("parquet", data_files=files, split="train")
        assert len(loaded) == rows, subset
        streamed = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)
        assert sum(1 for _ in streamed) == rows, subset
    joined = duckdb.sql(f"""
        select count(*), count(distinct m.id), bool_and(m.text = p.text and m.url = p.url and m.split = p.split)
        from '{data}/meta/*.parquet' m join '{data}/pages/*.parquet' p using (id)
    """)
    assert joined.fetchall() == [(41, 41, True)]
    pages = pl.read_parquet(f"{data}/pages/*.parquet")
    meta = pl.read_parquet(f"{data}/meta/*.parquet")
    assert meta.columns == [name for name in pages.columns if name != "image"]
    assert meta.join(pages, on="id").height == 41
    print(f"duckdb {duckdb.__version__}, polars {pl.__version__}: {', '.join(ROWS)} read")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
