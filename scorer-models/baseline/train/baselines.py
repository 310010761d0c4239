"""Numbers that anyone could take of a screenshot, to see whether a trained net is worth its trouble."""

from __future__ import annotations

import numpy as np

EDGE_LEVEL = 24  # a step between neighbours that counts as an edge
NAMES = ("PNG bytes per pixel", "entropy", "edge density", "blank share", "colours", "saturation")


def statistics(row: dict, levels: np.ndarray) -> np.ndarray:
    """One number for each of NAMES."""
    grey = levels.mean(-1)
    shares = np.bincount(grey.astype(np.uint8).ravel(), minlength=256) / grey.size
    steps = np.maximum(np.abs(np.diff(grey, axis=0))[:, :-1], np.abs(np.diff(grey, axis=1))[:-1])
    packed = (levels >> 3).astype(np.int32) @ np.array([1024, 32, 1])
    counts = np.bincount(packed.ravel(), minlength=32768)
    return np.array([
        row["png_bytes_per_pixel"],
        -(shares[shares > 0] * np.log2(shares[shares > 0])).sum(),
        (steps > EDGE_LEVEL).mean(),
        counts.max() / grey.size,
        np.log1p((counts > 4).sum()),
        (levels.max(-1).astype(float) - levels.min(-1)).mean(),
    ])


def linear(differences: np.ndarray) -> np.ndarray:
    """Weights w with w · (good - bad) > 0 as often as a logistic fit without offset gets it; ridge 0.01."""
    weights = np.zeros(differences.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(differences @ weights, -30, 30)))
        gradient = differences.T @ (1 - p) / len(p) - 0.01 * weights
        hessian = differences.T @ (differences * (p * (1 - p))[:, None]) / len(p) + 0.01 * np.eye(len(weights))
        weights += np.linalg.solve(hessian, gradient)
    return weights
