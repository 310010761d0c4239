"""Figures with intervals. Sites are resampled, not pairs, so that ten states of one page are not ten votes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RESAMPLES = 1000
BINS = 10


@dataclass(frozen=True)
class Pair:
    """`good` and `bad` are states; `severity` is that of the bad one."""

    site: str
    kind: str
    severity: int
    good: int
    bad: int


def rounded(number: float, digits: int = 4) -> float:
    return round(float(number), digits)


def hits(score: dict[int, float], pairs: list[Pair]) -> np.ndarray:
    """1 where the better state has the higher score, a half where they are the same."""
    difference = np.array([score[pair.good] - score[pair.bad] for pair in pairs])
    return (difference > 0) + 0.5 * (difference == 0)


class Sites:
    """The same resampled sites for every figure, so that figures can be compared."""

    def __init__(self, names: list[str]) -> None:
        self.place = {name: place for place, name in enumerate(sorted(set(names)))}
        lot = np.random.default_rng(1)
        draws = lot.integers(0, len(self.place), (RESAMPLES, len(self.place)))
        self.weights = np.stack([np.bincount(draw, minlength=len(self.place)) for draw in draws])

    def mean(self, values: np.ndarray, sites: list[str]) -> dict:
        """Mean of values, each of a site, with its 95 % interval."""
        if not len(values):
            return {"n": 0}
        at = np.array([self.place[site] for site in sites])
        count = np.bincount(at, minlength=len(self.place)).astype(float)
        total = np.bincount(at, values, minlength=len(self.place))
        counts = self.weights @ count
        low, high = np.quantile((self.weights @ total)[counts > 0] / counts[counts > 0], (0.025, 0.975))
        return {"n": len(values), "sites": int((count > 0).sum()), "mean": rounded(values.mean()), "low": rounded(low), "high": rounded(high)}

    def auc(self, good: np.ndarray, good_sites: list[str], bad: np.ndarray, bad_sites: list[str]) -> dict:
        """How often a good state of any site is above a bad one of any site."""
        if not len(good) or not len(bad):
            return {"n": len(bad)}
        return self.across(above(good, bad), good_sites, bad_sites)

    def across(self, values: np.ndarray, row_sites: list[str], column_sites: list[str]) -> dict:
        """Mean of a table of values, each of two sites, with its 95 % interval."""
        left = self.weights[:, [self.place[site] for site in row_sites]].astype(float)
        right = self.weights[:, [self.place[site] for site in column_sites]].astype(float)
        totals = left.sum(1) * right.sum(1)
        samples = np.einsum("rg,gb,rb->r", left, values, right, optimize=True)[totals > 0] / totals[totals > 0]
        low, high = np.quantile(samples, (0.025, 0.975))
        return {"n": len(column_sites), "sites": len(set(column_sites)), "mean": rounded(values.mean()), "low": rounded(low), "high": rounded(high)}


def above(good: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """1 where a good score is above a bad one, a half where they are the same: [good, bad]."""
    difference = good[:, None] - bad[None]
    return (difference > 0) + 0.5 * (difference == 0)


def ranks(values: np.ndarray) -> np.ndarray:
    """Places in rising order; equal values share the mean of theirs."""
    order = np.sort(values)
    return (np.searchsorted(order, values, "left") + np.searchsorted(order, values, "right") - 1) / 2


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    a, b = ranks(a), ranks(b)
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 0.0


def reliability(good: np.ndarray, bad: np.ndarray) -> dict:
    """Calibration error and bins of probabilities; good and bad states have equal weight in all."""
    p = np.concatenate([good, bad])
    truth = np.concatenate([np.ones(len(good)), np.zeros(len(bad))])
    weight = np.concatenate([np.full(len(good), 0.5 / len(good)), np.full(len(bad), 0.5 / len(bad))])
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    bins = []
    for i in range(BINS):
        inside = place == i
        if inside.any():
            w = weight[inside]
            bins.append({"from": i / BINS, "states": int(inside.sum()), "weight": rounded(w.sum()), "said": rounded((w * p[inside]).sum() / w.sum()), "is": rounded((w * truth[inside]).sum() / w.sum())})
    return {"error": rounded(sum(b["weight"] * abs(b["said"] - b["is"]) for b in bins)), "bins": bins}


def linear(differences: np.ndarray) -> np.ndarray:
    """Weights w with w · (good - bad) > 0 as often as a logistic fit without offset gets it; ridge 0.01."""
    weights = np.zeros(differences.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(differences @ weights, -30, 30)))
        gradient = differences.T @ (1 - p) / len(p) - 0.01 * weights
        hessian = differences.T @ (differences * (p * (1 - p))[:, None]) / len(p) + 0.01 * np.eye(len(weights))
        weights += np.linalg.solve(hessian, gradient)
    return weights
