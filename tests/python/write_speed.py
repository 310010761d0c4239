"""Writes the rows of our shards again with pyarrow, with the same settings, and says how long it takes.

usage: write_speed.py FOLDER, with FOLDER/{pages,meta}/*.parquet as `cargo run --release -p dataset --example write_speed` leaves them.
What is measured is the writing alone: the rows are in memory as Arrow before the clock starts.
"""

import sys
import time
from pathlib import Path

import pyarrow.parquet as pq


def settings(metadata):
    """zstd but for pictures, dictionaries and statistics where our file has them, page index."""
    group = metadata.row_group(0)
    columns = [group.column(index) for index in range(group.num_columns)]
    plain = [column.path_in_schema for column in columns if column.compression == "UNCOMPRESSED"]
    compression = {column.path_in_schema: "none" if column.path_in_schema in plain else "zstd" for column in columns}
    dictionary = [column.path_in_schema for column in columns if column.has_dictionary_page]
    statistics = [column.path_in_schema for column in columns if column.is_stats_set]
    level = {path: 3 for path, name in compression.items() if name == "zstd"}
    return {
        "compression": compression,
        "compression_level": level,
        "use_dictionary": dictionary,
        "write_statistics": statistics,
        "write_page_index": True,
    }


def main(folder):
    wall = cpu = rows = size = 0
    for path in sorted(folder.glob("pages/*.parquet")) + sorted(folder.glob("meta/*.parquet")):
        file = pq.ParquetFile(path)
        table = file.read()
        groups = [file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups)]
        out = folder / "pyarrow.parquet"
        began, busy = time.perf_counter(), time.process_time()
        with pq.ParquetWriter(out, table.schema, **settings(file.metadata)) as writer:
            start = 0
            for count in groups:
                writer.write_table(table.slice(start, count), row_group_size=count)
                start += count
        wall += time.perf_counter() - began
        cpu += time.process_time() - busy
        rows += table.num_rows
        size += out.stat().st_size
        out.unlink()
    print(f"pyarrow: {rows} rows, {size / 1e6:.1f} MB, {wall:.2f} s ({cpu:.2f} s of processor), {rows / wall:.0f} rows/s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
