"""Writes what Python's difflib says of pairs of texts: the reference of `crates/synth/src/metric/text.rs`.

usage: text_ratio.py RATIOS.json, which is written anew: each pair both ways round, with its ratio.
"""

import json
import random
import sys
from difflib import SequenceMatcher

WRITTEN = [
    ("private Thread currentThread;", "private volatile Thread currentThread;"),
    ("Größe", "Grösse"),
    ("日本語のテキスト", "日本語テキスト"),
    ("naïve café", "naive cafe\u0301"),
    ("👍🏽 good", "👍 good"),
    ("Read more", "Read more »"),
    ("ababab", "bababa"),
    ("Sign in", "Log in"),
    ("1 2 3 4 5 6", "6 5 4 3 2 1"),
    ("Privacy Policy", "Terms of Service"),
]
WORDS = "harbour boat morning every Fish seat the of and a quay £12 open, daily. Book — tide & salt 7:30 Ähre jetzt".split()


def sentences(length, seed):
    """A text of that many characters, and the same with about every tenth word changed, left out or put elsewhere."""
    chance = random.Random(seed)
    words = [chance.choice(WORDS) for _ in range(length)]
    other = [chance.choice(WORDS) if chance.random() < 0.1 else word for word in words if chance.random() > 0.05]
    at = chance.randrange(len(other))
    return " ".join(words)[:length], " ".join(other[at:] + other[:at] if seed % 3 == 0 else other)[:length]


def main(path):
    # 199 and 200 characters: from there on difflib passes over letters that are common.
    pairs = WRITTEN + [sentences(length, seed) for seed, length in enumerate([20, 60, 120, 198, 199, 200, 201, 400, 900])]
    pairs.append(("0123456789" * 25, "9876543210" * 25))
    pairs += [(b, a) for a, b in pairs]
    rows = [json.dumps([a, b, SequenceMatcher(None, a, b).ratio()], ensure_ascii=False) for a, b in pairs]
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(rows) + "\n]\n")


if __name__ == "__main__":
    main(sys.argv[1])
