"""Design2Code's block match from its definition, by trying everything: the reference of `crates/synth/src/metric/block.rs`.

usage: block_match.py CASES.json, which is written anew with the expected values; needs scipy.

Si et al., "Design2Code", 2024: blocks are paired so that the total likeness of their texts is greatest (Ratcliff and Obershelp, as in
difflib); neighbours are merged while that raises it by more than 0.05; pairs under 0.5 are dropped. Colours differ by CIEDE2000 (Sharma et al.
2005). `place` is left, top, width, height as shares of the page.
"""

import json
import math
import sys
from difflib import SequenceMatcher

import numpy as np
from scipy.optimize import linear_sum_assignment

GAIN_MIN = 0.05
TEXT_MIN = 0.5


def ratio(a, b):
    return SequenceMatcher(None, a, b, autojunk=False).ratio()


def assignment(a, b):
    if not a or not b:
        return [], 0.0
    alike = np.array([[ratio(one["text"], two["text"]) for two in b] for one in a])
    rows, columns = linear_sum_assignment(-alike)
    return [(int(r), int(c), float(alike[r, c])) for r, c in zip(rows, columns)], float(alike[rows, columns].sum())


def merged(one, two):
    (x1, y1, w1, h1), (x2, y2, w2, h2) = one["place"], two["place"]
    left, top = min(x1, x2), min(y1, y2)
    right, bottom = max(x1 + w1, x2 + w2), max(y1 + h1, y2 + h2)
    rgb = [(p + q) // 2 for p, q in zip(one["rgb"], two["rgb"])]
    return {"text": one["text"] + " " + two["text"], "place": [left, top, right - left, bottom - top], "rgb": rgb}


def merge(a, b):
    """The neighbours of `a` whose merging helps most, until none helps."""
    while True:
        before = assignment(a, b)[1]
        tried = [a[:i] + [merged(a[i], a[i + 1])] + a[i + 2 :] for i in range(len(a) - 1)]
        gains = [assignment(blocks, b)[1] - before for blocks in tried]
        if not gains or max(gains) <= GAIN_MIN:
            return a
        a = tried[gains.index(max(gains))]


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


def score(a, b):
    a = merge(a, b)
    b = merge(b, a)
    pairs = [(a[r], b[c], alike) for r, c, alike in assignment(a, b)[0] if alike >= TEXT_MIN]
    if not pairs:
        return [0.0] * 4
    area = lambda block: block["place"][2] * block["place"][3]
    centre = lambda block: (block["place"][0] + block["place"][2] / 2, block["place"][1] + block["place"][3] / 2)
    gap = lambda one, two: min(1, max(abs(p - q) for p, q in zip(centre(one), centre(two))))
    hue = lambda one, two: min(1, ciede2000(one["rgb"], two["rgb"]) / 100)
    total = sum(map(area, a + b))
    count = len(pairs)
    return [
        sum(area(one) + area(two) for one, two, _ in pairs) / total,
        sum(alike for _, _, alike in pairs) / count,
        sum(1 - gap(one, two) for one, two, _ in pairs) / count,
        sum(1 - hue(one, two) for one, two, _ in pairs) / count,
    ]


def main(path):
    with open(path) as file:
        cases = json.load(file)
    for case in cases:
        case["expected"] = [round(value, 9) for value in score(case["a"], case["b"])]
    with open(path, "w") as file:
        rows = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
        file.write(f"[\n{rows}\n]\n")


if __name__ == "__main__":
    main(sys.argv[1])
