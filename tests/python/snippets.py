"""Runs the Python snippets of a page of documentation.

usage: snippets.py PAGE DATA TARS; the variables of those names in the snippets are set to the folders.
"""

import importlib.util
import os
import re
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"


def main(page, data, tars):
    snippets = re.findall(r"^```python\n(.*?)^```", Path(page).read_text(), re.M | re.S)
    assert len(snippets) >= 5, f"{page} has {len(snippets)} snippets"
    ran = 0
    for snippet in snippets:
        missing = [name for name in ("torch",) if f"import {name}" in snippet and not importlib.util.find_spec(name)]
        if missing:
            print(f"skipped: a snippet needs {missing[0]}, which is too large to install for a test")
            continue
        code = re.sub(r'^(DATA|TARS) = .*\n', "", snippet, flags=re.M)
        exec(compile(code, page, "exec"), {"DATA": data, "TARS": tars})
        ran += 1
    print(f"{ran} snippets of {page} ran")


if __name__ == "__main__":
    main(*sys.argv[1:])
