"""Design2Code's block match from its definition, everything assigned anew at each step: the reference of
`crates/synth/src/metric/block.rs`.

usage: block_match.py CASES.json                     writes the expected values anew
       block_match.py CASES.json --random SEED COUNT writes so many cases of random pages

Si et al., "Design2Code", 2024, and its published evaluation: blocks are paired so that the total likeness of their texts is greatest
(Ratcliff and Obershelp, as difflib has it). Neighbours are merged while the mean likeness of the pairs that this changes grows by more
than 0.05, and their best grows, too; all that gain are merged at once, those that gain most first, the candidate's before the
reference's. In the last assignment likenesses over 0.5 get a tenth of the two greatest of the eight around them. Pairs under 0.5 are
dropped. Colours differ by CIEDE2000 (Sharma et al. 2005). `place` is left, top, width, height as shares of the page.
"""

import itertools
import json
import math
import random
import sys
from collections import Counter
from difflib import SequenceMatcher
from functools import lru_cache

try:
    import numpy
    from scipy.optimize import linear_sum_assignment
except ImportError:
    linear_sum_assignment = None

GAIN_MIN = 0.05
TEXT_MIN = 0.5


@lru_cache(maxsize=None)
def ratio(a, b):
    return SequenceMatcher(None, a, b).ratio()


def table(candidate, reference):
    return [[ratio(one["text"], two["text"]) for two in reference] for one in candidate]


def assign(values):
    """Row and column of each pair."""
    if not values or not values[0]:
        return []
    if linear_sum_assignment:
        return [(int(row), int(column)) for row, column in zip(*linear_sum_assignment(-numpy.array(values)))]
    if len(values) > len(values[0]):
        return [(row, column) for column, row in assign([list(row) for row in zip(*values)])]
    assert len(values[0]) <= 9, "trying every order takes scipy for large pages"
    orders = itertools.permutations(range(len(values[0])), len(values))
    return list(enumerate(max(orders, key=lambda order: sum(values[row][column] for row, column in enumerate(order)))))


def likenesses(candidate, reference):
    values = table(candidate, reference)
    return [values[row][column] for row, column in assign(values)]


def gain(before, after):
    lost = list((Counter(before) - Counter(after)).elements())
    won = list((Counter(after) - Counter(before)).elements())
    mean = lambda values: sum(values) / len(values) if values else 0
    difference = mean(won) - mean(lost)
    return 0 if difference > 0 and max(won) <= max(lost) else difference


def joined(one, two):
    (x1, y1, w1, h1), (x2, y2, w2, h2) = one["place"], two["place"]
    left, top = min(x1, x2), min(y1, y2)
    right, bottom = max(x1 + w1, x2 + w2), max(y1 + h1, y2 + h2)
    rgb = [(p + q) // 2 for p, q in zip(one["rgb"], two["rgb"])]
    return {"text": one["text"] + " " + two["text"], "place": [left, top, right - left, bottom - top], "rgb": rgb}


def with_merged(blocks, at):
    return blocks[:at] + [joined(blocks[at], blocks[at + 1])] + blocks[at + 2 :]


def turn(blocks, likenesses):
    before = likenesses(blocks)
    gains = [(gain(before, likenesses(with_merged(blocks, at))), at) for at in range(len(blocks) - 1)]
    merged = []
    for gained, at in sorted(gains, key=lambda entry: -entry[0]):
        if gained > GAIN_MIN and all(abs(at - other) > 1 for other in merged):
            merged.append(at)
    for at in sorted(merged, reverse=True):
        blocks = with_merged(blocks, at)
    return blocks


def merge(candidate, reference):
    while True:
        count = len(candidate) + len(reference)
        candidate = turn(candidate, lambda blocks: likenesses(blocks, reference))
        reference = turn(reference, lambda blocks: likenesses(candidate, blocks))
        if len(candidate) + len(reference) == count:
            return candidate, reference


def with_context(values):
    def weighed(row, column):
        if values[row][column] <= 0.5:
            return values[row][column]
        rows = range(max(0, row - 1), min(len(values), row + 2))
        columns = range(max(0, column - 1), min(len(values[0]), column + 2))
        around = [values[i][j] for i in rows for j in columns if (i, j) != (row, column)]
        return values[row][column] + 0.1 * sum(sorted(around)[-2:])

    return [[weighed(row, column) for column in range(len(values[0]))] for row in range(len(values))]


def lab(rgb):
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (value / 255 for value in rgb)]
    matrix = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    xyz = [sum(m * v for m, v in zip(row, linear)) for row in matrix]
    cube = [math.cbrt(t) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (v / w for v, w in zip(xyz, (0.95047, 1.0, 1.08883)))]
    return 116 * cube[1] - 16, 500 * (cube[0] - cube[1]), 200 * (cube[1] - cube[2])


def ciede2000(one, two):
    (l1, a1, b1), (l2, a2, b2) = lab(one), lab(two)
    c_bar = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(c_bar**7 / (c_bar**7 + 25**7)))
    (a1, a2) = ((1 + g) * a1, (1 + g) * a2)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, a)) % 360 if a or b else 0.0 for a, b in ((a1, b1), (a2, b2)))
    dh = 0.0
    if c1 * c2:
        dh = h2 - h1
        dh += 360 if dh < -180 else -360 if dh > 180 else 0
    d_h = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(dh / 2))
    l_bar, c_bar = (l1 + l2) / 2, (c1 + c2) / 2
    h_bar = h1 + h2
    if c1 * c2:
        h_bar = (h1 + h2) / 2 if abs(h1 - h2) <= 180 else (h1 + h2 + 360) / 2 if h1 + h2 < 360 else (h1 + h2 - 360) / 2
    cos = lambda degrees: math.cos(math.radians(degrees))
    t = 1 - 0.17 * cos(h_bar - 30) + 0.24 * cos(2 * h_bar) + 0.32 * cos(3 * h_bar + 6) - 0.20 * cos(4 * h_bar - 63)
    s_l = 1 + 0.015 * (l_bar - 50) ** 2 / math.sqrt(20 + (l_bar - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c_bar, 1 + 0.015 * c_bar * t
    r_t = -2 * math.sqrt(c_bar**7 / (c_bar**7 + 25**7)) * math.sin(math.radians(60 * math.exp(-(((h_bar - 275) / 25) ** 2))))
    d_l, d_c = (l2 - l1) / s_l, (c2 - c1) / s_c
    return math.sqrt(d_l**2 + d_c**2 + (d_h / s_h) ** 2 + r_t * d_c * d_h / s_h)


def score(reference, candidate):
    candidate, reference = merge(candidate, reference)
    values = table(candidate, reference)
    kept = [(row, column) for row, column in assign(with_context(values)) if values[row][column] >= TEXT_MIN]
    pairs = [(candidate[row], reference[column], values[row][column]) for row, column in kept]
    if not pairs:
        return [0.0] * 4
    area = lambda block: block["place"][2] * block["place"][3]
    centre = lambda block: (block["place"][0] + block["place"][2] / 2, block["place"][1] + block["place"][3] / 2)
    gap = lambda one, two: min(1, max(abs(p - q) for p, q in zip(centre(one), centre(two))))
    hue = lambda one, two: min(1, ciede2000(one["rgb"], two["rgb"]) / 100)
    total = sum(map(area, candidate + reference))
    count = len(pairs)
    return [
        sum(area(one) + area(two) for one, two, _ in pairs) / total,
        sum(alike for _, _, alike in pairs) / count,
        sum(1 - gap(one, two) for one, two, _ in pairs) / count,
        sum(1 - hue(one, two) for one, two, _ in pairs) / count,
    ]


WORDS = "harbour boat morning every Fish seat the of and a quay £12 open, daily. Book — tide & salt 7:30 Ähre jetzt".split()


def random_page(chance, texts):
    """Texts as blocks, some of them in parts, with other words, twice, or left out; each at a place and in a colour of its own."""
    blocks = []
    for words in texts:
        words = [chance.choice(WORDS) if chance.random() < 0.08 else word for word in words]
        cuts = sorted(chance.sample(range(1, len(words)), min(len(words) - 1, chance.choice([0, 0, 0, 1, 1, 2]))))
        parts = [words[start:end] for start, end in zip([0, *cuts], [*cuts, len(words)])]
        blocks += [] if chance.random() < 0.1 else parts * (2 if chance.random() < 0.05 else 1)
    number = lambda: round(chance.uniform(0.01, 0.5), 3)
    rgb = lambda: [chance.randrange(256) for _ in range(3)]
    return [{"text": " ".join(words), "place": [number() for _ in range(4)], "rgb": rgb()} for words in blocks]


def random_case(chance, number):
    texts = [[chance.choice(WORDS) for _ in range(chance.choice([1, 2, 3, 6, 12, 45]))] for _ in range(chance.randint(1, 14))]
    reference, candidate = random_page(chance, texts), random_page(chance, texts)
    return {"name": f"random {number}", "reference": reference, "candidate": candidate}


def main(path, option=None, seed=0, count=0):
    if option == "--random":
        chance = random.Random(int(seed))
        cases = [random_case(chance, number) for number in range(int(count))]
    else:
        with open(path, encoding="utf-8") as file:
            cases = json.load(file)
    for case in cases:
        case["expected"] = [round(value, 9) for value in score(case["reference"], case["candidate"])]
    with open(path, "w", encoding="utf-8") as file:
        rows = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
        file.write(f"[\n{rows}\n]\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
