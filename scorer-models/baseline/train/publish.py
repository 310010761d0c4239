"""Puts the model, its manifest, its figures and the tables of its card in place."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from pathlib import Path

import degrade
import pixels

VERSION = "2026.11.1"
TOLERANCE = 1e-3  # other kernels add up in another order; a wrong resize or channel order is off by far more
START, END = "<!-- figures: written by train/evaluate.py -->", "<!-- end of figures -->"

MANIFEST = """\
# What the engine needs to know to use scorer.onnx; written by train/evaluate.py. The card is card.md.
format = 1
name = "baseline"
version = "{version}"
file = "scorer.onnx"
sha256 = "{sha256}"
opset = {opset}
license = "MIT OR Apache-2.0"

[input.pixels]
name = "pixels"
shape = [-1, 3, {height}, {width}] # N, C, H, W; -1 = any number
layout = "nchw"
colour = "rgb"
resize = "box"                # every pixel is the mean of the source pixels it covers
fit = "top-pad"               # scaled to full width, cut or filled up at the bottom
pad = {pad}                     # level 0..255 of what is filled up, before mean and std
mean = [{mean}, {mean}, {mean}]        # of levels divided by 255
std = [{std}, {std}, {std}]

[output.score]
name = "score"
index = 0
higher_is_better = true
calibration = {{ kind = "platt", a = {a:.6f}, b = {b:.6f} }} # 1 / (1 + exp(-(a s + b)))
keep_at = {keep_at:.4f}              # of the calibrated score: keeps 98 % of the validation originals

[check]
input = "ramp"                # level (x + y + 85 c) mod 256 at x, y, channel c of the {width} x {height} input, before mean and std
expect = [{ramp:.6f}]           # raw score
tolerance = {tolerance}
"""


def write(folder: Path, model: Path, report: dict) -> None:
    shutil.copyfile(model, folder / "scorer.onnx")
    (folder / "model.toml").write_text(manifest(folder / "scorer.onnx", report))
    (folder / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n")
    card = folder / "card.md"
    before, rest = card.read_text().split(START)
    card.write_text(f"{before}{START}\n\n{tables(report)}\n\n{END}{rest.split(END)[1]}")


def manifest(model: Path, report: dict) -> str:
    training = report["training"]
    a, b = training["platt"]["a"], training["platt"]["b"]
    return MANIFEST.format(
        version=VERSION, sha256=hashlib.sha256(model.read_bytes()).hexdigest(), opset=training["opset"],
        height=pixels.HEIGHT, width=pixels.WIDTH, pad=pixels.PAD_LEVEL, mean=pixels.MEAN, std=pixels.STD, a=a, b=b,
        keep_at=1 / (1 + math.exp(-(a * training["keep_at_score"] + b))), ramp=report["export"]["ramp"]["onnx"], tolerance=TOLERANCE,
    )


def tables(report: dict) -> str:
    """The report for people, in Markdown."""
    return "\n\n".join((_data(report), _kinds(report), _baselines(report), _negatives(report), _left_out(report), _calibration(report)))


def _table(head: list[str], rows: list[list[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _with_interval(entry: dict) -> str:
    return f"{entry['accuracy']:.2f} [{entry['low']:.2f}, {entry['high']:.2f}]"


def _data(report: dict) -> str:
    rows = [
        [split, n["families"], n.get("template", 0), n.get("styled", 0), n.get("bare", 0), n["states"], n["pairs"]]
        for split, n in report["data"].items()
    ]
    return "### Data\n\n" + _table(["split", "families", "template pages", "styled real pages", "real pages without their sheets", "states", "pairs"], rows)


def _kinds(report: dict) -> str:
    test = report["test"]
    rows = [[name, entry["pairs"], _with_interval(entry)] for name, entry in test.items() if name not in degrade.DAMAGES]
    rows += [[f"all damage, {what}", (e := report[f"test, all damage, {what}"])["pairs"], _with_interval(e)] for what in ("templates", "real pages")]
    by_accuracy = sorted((name for name in test if name in degrade.DAMAGES), key=lambda name: -test[name]["accuracy"])
    rows += [[f"damage: {name}", test[name]["pairs"], _with_interval(test[name])] for name in by_accuracy]
    return "### Pairwise accuracy on unseen families\n\n" + _table(["original before its …", "pairs", "accuracy [95 %]"], rows)


def _baselines(report: dict) -> str:
    rows = [["**this net**", _with_interval(report["test"]["all damage"]), "", _aucs(report["auc"])]]
    for name, entry in report["baselines"].items():
        gap = entry["net minus baseline"]
        rows.append([name, _with_interval(entry["all damage"]), f"{gap['mean']:+.2f} [{gap['low']:+.2f}, {gap['high']:+.2f}]", _aucs(entry["auc"])])
    head = f"AUC original against {' / '.join(report['auc'])}"
    return "### Against single numbers\n\n" + _table(["scorer", "all damage", "net minus it", head], rows)


def _aucs(aucs: dict) -> str:
    return " / ".join(f"{value:.2f}" for value in aucs.values())


def _negatives(report: dict) -> str:
    rows = [[kind, f"{share:.2f}"] for kind, share in report["kept"].items()]
    return "### What `keep_at` lets pass on test\n\n" + _table(["kind", "share kept"], rows)


def _left_out(report: dict) -> str:
    title = "### Damage that training did not see\n\n"
    if not report["left out"]:
        return title + "Not measured."
    rows = [[e["kind"], e["unseen"]["pairs"], _with_interval(e["unseen"]), _with_interval(e["seen"])] for e in report["left out"]]
    epochs = sorted({e["epochs"] for e in report["left out"]})
    return title + f"Trained {' to '.join(map(str, epochs))} epochs without it.\n\n" + _table(["kind", "pairs", "left out", "shipped model"], rows)


def _calibration(report: dict) -> str:
    bins = report["calibration"]["bins"]
    rows = [[f"{b['from']:.1f}", f"{b['weight']:.2f}", f"{b['said']:.2f}", f"{b['is']:.2f}"] for b in bins]
    error = report["calibration"]["error"]
    return f"### Calibration on test\n\nExpected calibration error {error:.3f}.\n\n" + _table(["from", "weight", "said", "is"], rows)
