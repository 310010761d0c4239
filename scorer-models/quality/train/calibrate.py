"""From ranking scores to probabilities: Platt's two numbers, fitted on validation pages."""

from __future__ import annotations

import numpy as np

import pairs
from data import States
from model import PARTS
from pairs import Pages

SEVERE = 3
KEPT = 0.98  # share of validation originals that the suggested threshold keeps


def platt(good: np.ndarray, bad: np.ndarray) -> tuple[float, float]:
    """Logistic fit p = 1 / (1 + exp(-(a s + b))), both classes of equal weight, with Platt's softened targets."""
    x = np.concatenate([good, bad]).astype(np.float64)
    target = np.concatenate([np.full(len(good), (len(good) + 1) / (len(good) + 2)), np.full(len(bad), 1 / (len(bad) + 2))])
    weight = np.concatenate([np.full(len(good), 0.5 / len(good)), np.full(len(bad), 0.5 / len(bad))])
    design, theta = np.stack([x, np.ones_like(x)], 1), np.zeros(2)
    for _ in range(200):
        p = 1 / (1 + np.exp(-np.clip(design @ theta, -30, 30)))
        hessian = design.T @ (design * (weight * p * (1 - p))[:, None]) + 1e-6 * np.eye(2)
        theta += np.clip(np.linalg.solve(hessian, design.T @ (weight * (target - p))), -1, 1)
    return float(theta[0]), float(theta[1])


def probability(score: np.ndarray, numbers: tuple[float, float]) -> np.ndarray:
    return 1 / (1 + np.exp(-(numbers[0] * score + numbers[1])))


def bad_states(states: States, pages: Pages, split: str) -> list[int]:
    """What is surely worse than any original: no page at all, or severely damaged."""
    damaged = [state for page in pages.of(split) for chain in page.chains.values() for state in chain]
    return pages.negatives(split) + [state for state in damaged if states["severity"][state] == SEVERE]


def part_states(states: States, pages: Pages, split: str, part: str) -> list[int]:
    """States whose damage breaks this part, of middle severity or more."""
    damaged = [state for page in pages.of(split) for chain in page.chains.values() for state in chain]
    found = [s for s in damaged if states["severity"][s] >= 2 and pairs.PART_OF.get(str(states["principle"][s])) == part]
    unstyled = [s for s in pages.negatives(split) if states["kind"][s] in pairs.UNSTYLED]
    return found + (unstyled if part == "styling" else [])


def of_parts(states: States, pages: Pages, numbers: dict[int, np.ndarray]) -> list[tuple[float, float]]:
    """Platt's numbers of each part; those of nobody damaged are left as they are. `numbers` has [6] a validation state."""
    found = []
    for place, part in enumerate(PARTS):
        good = [numbers[state][1 + place] for state in pages.originals("validation")]
        bad = [numbers[state][1 + place] for state in part_states(states, pages, "validation", part)]
        found.append(platt(np.array(good), np.array(bad)) if good and bad else (1.0, 0.0))
    return found


def needed(states: States, pages: Pages, split: str) -> list[int]:
    """States that calibration asks about."""
    wanted = set(pages.originals(split)) | set(bad_states(states, pages, split))
    for part in PARTS:
        wanted |= set(part_states(states, pages, split, part))
    return sorted(wanted)
