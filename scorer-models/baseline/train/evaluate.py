"""Asks the exported file about pages of sites it has never seen and writes every figure to evaluation.json.

With `--write FOLDER` the file, its manifest and the tables of its card are put there.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime

import baselines
import data as states
import degrade
import pixels
import publish

RESAMPLES = 1000
BINS = 10


class Judge:
    """Pairwise accuracy with intervals from resampling the families, so that ten states of a page are not ten votes."""

    def __init__(self, data: states.Data, pairs: list[states.Pair]) -> None:
        self.pairs = pairs
        names = [data.rows[pair.good]["family"] for pair in pairs]
        self.families = sorted(set(names))
        self.family = np.array([self.families.index(name) for name in names])
        lot = np.random.default_rng(1)
        draws = lot.integers(0, len(self.families), (RESAMPLES, len(self.families)))
        self.weights = np.stack([np.bincount(draw, minlength=len(self.families)) for draw in draws])

    def accuracy(self, hits: np.ndarray, chosen: np.ndarray) -> dict:
        count = np.bincount(self.family[chosen], minlength=len(self.families))
        right = np.bincount(self.family[chosen], hits[chosen], minlength=len(self.families))
        totals = self.weights @ count
        samples = (self.weights @ right)[totals > 0] / totals[totals > 0]
        low, high = np.quantile(samples, (0.025, 0.975))
        return {"pairs": int(chosen.sum()), "accuracy": rounded(hits[chosen].mean()), "low": rounded(low), "high": rounded(high)}


def rounded(number: float, digits: int = 3) -> float:
    return round(float(number), digits)


def hits_of(score: np.ndarray, pairs: list[states.Pair]) -> np.ndarray:
    """1 where the better state has the higher score, a half where they are the same."""
    difference = np.array([score[pair.good] - score[pair.bad] for pair in pairs])
    return (difference > 0) + 0.5 * (difference == 0)


def auc(good: np.ndarray, bad: np.ndarray) -> float:
    difference = good[:, None] - bad[None]
    return rounded(((difference > 0) + 0.5 * (difference == 0)).mean())


def run(model: Path, levels: np.ndarray, size: int = 16) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    batches = (levels[i : i + size] for i in range(0, len(levels), size))
    return np.concatenate([session.run(["score"], {"pixels": pixels.normalise(batch)})[0] for batch in batches])


def scores(model: Path, data: states.Data, rows: list[int]) -> np.ndarray:
    """Scores at the places of `rows`, elsewhere not a number."""
    found = np.full(len(data.rows), np.nan)
    found[rows] = run(model, data.levels[rows])
    return found


def by_kind(judge: Judge, hits: np.ndarray) -> dict:
    kind = np.array([pair.kind for pair in judge.pairs])
    chain = np.array([pair.chain for pair in judge.pairs])
    damage = np.isin(kind, degrade.DAMAGES)
    table = {"all damage": judge.accuracy(hits, damage & ~chain), "milder before harder": judge.accuracy(hits, chain),
             "all negatives": judge.accuracy(hits, ~damage)}
    for severity in (1, 2, 3):
        chosen = damage & ~chain & (np.array([pair.severity for pair in judge.pairs]) == severity)
        table[f"severity {severity}"] = judge.accuracy(hits, chosen)
    for name in (*degrade.DAMAGES, *degrade.NATURALS):
        if ((kind == name) & ~chain).any():
            table[name] = judge.accuracy(hits, (kind == name) & ~chain)
    return table


def against_negatives(data: states.Data, score: np.ndarray) -> dict:
    """AUC of all held-out originals against all held-out pictures of a negative, across sites."""
    good = score[data.indices("test", "original")]
    return {kind: auc(good, score[rows]) for kind in states.NEGATIVES if (rows := data.indices("test", kind))}


def calibration(data: states.Data, score: np.ndarray, platt: dict) -> dict:
    """Reliability of the calibrated score on test: originals against negatives, both of equal weight."""
    good = probability(score[data.indices("test", "original")], platt)
    bad = probability(score[data.indices("test", *states.NEGATIVES)], platt)
    p = np.concatenate([good, bad])
    truth = np.concatenate([np.ones(len(good)), np.zeros(len(bad))])
    weight = np.concatenate([np.full(len(good), 0.5 / len(good)), np.full(len(bad), 0.5 / len(bad))])
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    bins = []
    for i in range(BINS):
        inside = place == i
        if inside.any():
            w = weight[inside]
            bins.append({"from": i / BINS, "weight": rounded(w.sum()), "said": rounded((w * p[inside]).sum() / w.sum()), "is": rounded((w * truth[inside]).sum() / w.sum())})
    return {"error": rounded(sum(b["weight"] * abs(b["said"] - b["is"]) for b in bins)), "bins": bins}


def probability(score: np.ndarray, platt: dict) -> np.ndarray:
    return 1 / (1 + np.exp(-(platt["a"] * score + platt["b"])))


def kept(data: states.Data, score: np.ndarray, keep_at: float) -> dict:
    """Share of the test pictures of each kind that the manifest's threshold lets pass."""
    table = {}
    for kind in ("original", *degrade.DAMAGES, *states.NEGATIVES):
        rows = data.indices("test", kind)
        if rows:
            table[kind] = rounded((score[rows] >= keep_at).mean())
    return table


def simple_scores(data: states.Data) -> dict[str, np.ndarray]:
    """The baselines, each turned the way that the training pairs say, and a linear mix fitted on training pairs."""
    numbers = np.stack([baselines.statistics(row, levels) for row, levels in zip(data.rows, data.levels)])
    numbers = (numbers - numbers.mean(0)) / numbers.std(0)
    pairs = [pair for pair in data.pairs("train") if not pair.chain]
    differences = np.stack([numbers[pair.good] - numbers[pair.bad] for pair in pairs])
    found = {name: numbers[:, i] * np.sign((differences[:, i] > 0).mean() - 0.5) for i, name in enumerate(baselines.NAMES)}
    found["linear mix of the six"] = numbers @ baselines.linear(differences)
    return found


def sizes(data: states.Data) -> dict:
    table = {}
    for split in (*states.SPLITS, "unused"):
        rows = [row for row in data.rows if row["split"] == split]
        pages = {row["page"]: row for row in rows}
        table[split] = {
            "families": len({row["family"] for row in rows}),
            **{role: n for role, n in sorted(Counter(row["role"] for row in pages.values()).items())},
            "states": len(rows), "pairs": len(data.pairs(split)),
        }
    return table


def left_out(folders: list[Path], data: states.Data, judge: Judge, rows: list[int], hits: np.ndarray) -> list[dict]:
    """Models that did not see some kinds of damage, asked for just these."""
    table = []
    kind = np.array([pair.kind for pair in judge.pairs])
    chain = np.array([pair.chain for pair in judge.pairs])
    for folder in folders:
        facts = json.loads((folder / "training.json").read_text())
        theirs = hits_of(scores(folder / "scorer.onnx", data, rows), judge.pairs)
        for name in facts["left_out"]:
            chosen = (kind == name) & ~chain
            table.append({"kind": name, "epochs": facts["epochs"], "unseen": judge.accuracy(theirs, chosen), "seen": judge.accuracy(hits, chosen)})
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--left-out", type=Path, nargs="*", default=[])
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()

    data = states.load(arguments.states)
    training = json.loads((arguments.model / "training.json").read_text())
    model = arguments.model / "scorer.onnx"
    rows = data.indices("test", "original", *degrade.DAMAGES, *states.NEGATIVES)
    score = scores(model, data, rows)
    judge = Judge(data, data.pairs("test"))
    hits = hits_of(score, judge.pairs)
    templates = np.array([data.rows[pair.good]["role"] == "template" for pair in judge.pairs])
    damage = np.array([pair.kind in degrade.DAMAGES and not pair.chain for pair in judge.pairs])
    ramp = float(run(model, pixels.ramp()[None])[0])
    simple = {name: (hits_of(numbers, judge.pairs), against_negatives(data, numbers)) for name, numbers in simple_scores(data).items()}

    report = {
        "training": training,
        "data": sizes(data),
        "test": by_kind(judge, hits),
        "test, all damage, templates": judge.accuracy(hits, damage & templates),
        "test, all damage, real pages": judge.accuracy(hits, damage & ~templates),
        "auc": against_negatives(data, score),
        "baselines": {
            name: {"all damage": judge.accuracy(theirs, damage), "net minus baseline": difference(judge, hits, theirs, damage), "auc": aucs}
            for name, (theirs, aucs) in simple.items()
        },
        "left out": left_out(arguments.left_out, data, judge, rows, hits),
        "calibration": calibration(data, score, training["platt"]),
        "kept": kept(data, score, training["keep_at_score"]),
        "export": {
            "ramp": {"torch": training["ramp"], "onnx": ramp},
            "2 % of validation originals": {"torch": training["keep_at_score"], "onnx": float(np.quantile(run(model, data.levels[data.indices("validation", "original")]), 0.02))},
        },
    }
    print(publish.tables(report))
    if arguments.write:
        publish.write(arguments.write, model, report)


def difference(judge: Judge, ours: np.ndarray, theirs: np.ndarray, chosen: np.ndarray) -> dict:
    gap = judge.accuracy(ours - theirs, chosen)
    return {"mean": gap["accuracy"], "low": gap["low"], "high": gap["high"]}


if __name__ == "__main__":
    main()
