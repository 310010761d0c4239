"""Asks the exported file about pages of sites it has never seen; writes evaluation.json and evaluation.md.

    python evaluate.py DATA --model DIR [--compare DIR ...] [--publish FOLDER]

The figures of the shipped file come from ONNX Runtime and the screenshots themselves. Ablations (`--compare` takes the
folders of further runs of train.py: other view, fewer sites, kinds left out, layout only) are asked through the cache.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch

import calibrate
import export
import gallery
import pairs
import pixels
import publish
import statistics_of
import train
from ask import scores
from data import States
from judge import Pair, Sites, above, hits, linear, reliability, rounded, spearman
from model import PARTS
from pairs import Page, Pages

SPLIT = "test"
Scores = dict[int, float]
TIMED = 20


def damage_pairs(pages: list[Page], states: States) -> list[Pair]:
    """Original before each of its damaged copies."""
    return [
        Pair(page.site, kind, int(states["severity"][state]), page.original, state)
        for page in pages for kind, chain in sorted(page.chains.items()) for state in chain
    ]


def order_pairs(pages: list[Page], states: States) -> list[Pair]:
    """Milder before harder damage of one kind."""
    return [
        Pair(page.site, kind, int(states["severity"][worse]), better, worse)
        for page in pages for kind, chain in sorted(page.chains.items())
        for place, better in enumerate(chain) for worse in chain[place + 1 :]
        if states["severity"][better] < states["severity"][worse]
    ]


class Test:
    """Held-out pages and what is asked about them."""

    def __init__(self, states: States, pages: Pages) -> None:
        self.states, self.all = states, pages
        self.pages = pages.of(SPLIT)
        self.damage, self.order = damage_pairs(self.pages, states), order_pairs(self.pages, states)
        self.originals, self.negatives = pages.originals(SPLIT), pages.negatives(SPLIT)
        self.sites = Sites([page.site for page in self.pages])
        self.wanted = sorted({*self.originals, *self.negatives, *(pair.bad for pair in self.damage)})

    def accuracy(self, score: Scores, chosen: list[Pair]) -> dict:
        return self.sites.mean(hits(score, chosen), [pair.site for pair in chosen]) if chosen else {"n": 0}

    def _above(self, score: Scores, bad: list[int]) -> np.ndarray:
        return above(np.array([score[s] for s in self.originals]), np.array([score[s] for s in bad]))

    def _sites_of(self, states: list[int]) -> list[str]:
        return [str(self.states["site"][state]) for state in states]

    def auc(self, score: Scores, bad: list[int]) -> dict:
        return self.sites.across(self._above(score, bad), self._sites_of(self.originals), self._sites_of(bad))

    def short(self, score: Scores) -> dict:
        """The figures by which scorers are compared."""
        return {
            "all damage": self.accuracy(score, self.damage),
            "severe damage": self.accuracy(score, [pair for pair in self.damage if pair.severity == 3]),
            "milder before harder": self.accuracy(score, self.order),
            "auc": self.auc(score, self.negatives),
        }

    def minus(self, score: Scores, other: Scores) -> dict:
        """How much better one scorer is than another on the very same pairs."""
        gap = lambda pairs: self.sites.mean(hits(score, pairs) - hits(other, pairs), [pair.site for pair in pairs])
        auc = self._above(score, self.negatives) - self._above(other, self.negatives)
        return {
            "all damage": gap(self.damage), "milder before harder": gap(self.order),
            "auc": self.sites.across(auc, self._sites_of(self.originals), self._sites_of(self.negatives)),
        }

    def in_full(self, score: Scores) -> dict:
        kinds = sorted({pair.kind for pair in self.damage})
        by_kind = {kind: [pair for pair in self.damage if pair.kind == kind] for kind in kinds}
        negatives = {kind: [s for s in self.negatives if self.states["kind"][s] == kind] for kind in sorted({str(self.states["kind"][s]) for s in self.negatives})}
        return self.short(score) | {
            "by severity": {level: self.accuracy(score, [pair for pair in self.damage if pair.severity == level]) for level in (1, 2, 3)},
            "by kind": {
                kind: {"principle": str(self.states["principle"][of[0].bad]), "all": self.accuracy(score, of)}
                | {str(level): self.accuracy(score, [pair for pair in of if pair.severity == level]) for level in (1, 2, 3)}
                | {"milder before harder": self.accuracy(score, [pair for pair in self.order if pair.kind == kind])}
                for kind, of in by_kind.items()
            },
            "auc by negative": {kind: self.auc(score, bad) for kind, bad in negatives.items()},
            "chains": self.chains(score),
        }

    def chains(self, score: Scores) -> dict:
        """How well the score follows severity, over chains of an original and two or more damaged states."""
        found = [(page.site, [page.original, *chain]) for page in self.pages for chain in page.chains.values() if len(chain) > 1]
        sites = [site for site, _ in found]
        severity = [np.array([self.states["severity"][s] for s in chain]) for _, chain in found]
        given = [np.array([score[s] for s in chain]) for _, chain in found]
        rho = np.array([spearman(-g, s) for g, s in zip(given, severity)])
        whole = np.array([float((np.diff(g) < 0).all()) for g in given])
        return {"spearman": self.sites.mean(rho, sites), "all in order": self.sites.mean(whole, sites)}


def ask_file(path: Path, states: States, wanted: list[int]) -> dict[str, dict[int, np.ndarray]]:
    """Score and parts from the exported file, with layout features and without."""
    runner = export.session(path)
    found: dict[str, dict[int, np.ndarray]] = {"both": {}, "picture": {}}
    for state, picture in states.pictures(wanted):
        view = pixels.views(picture)
        features = states["features"][state][None]
        found["both"][state] = export.run(runner, [view], features)[0]
        found["picture"][state] = export.run(runner, [view], np.full_like(features, np.nan))[0]
    return found


def first(numbers: dict[int, np.ndarray]) -> Scores:
    return {state: float(values[0]) for state, values in numbers.items()}


def simple_scorers(test: Test) -> dict[str, Scores]:
    """Single numbers, each turned the way that training pairs say, and linear mixes fitted on training pairs."""
    states = test.states
    training = damage_pairs(test.all.of("train"), states)
    good, bad = [pair.good for pair in training], [pair.bad for pair in training]
    numbers = states["statistics"].astype(np.float64)
    numbers = (numbers - numbers[good].mean(0)) / np.maximum(numbers[good].std(0), 1e-9)
    found = {name: numbers[:, i] * np.sign(((numbers[good] > numbers[bad])[:, i]).mean() - 0.5) for i, name in enumerate(statistics_of.NAMES)}
    found["linear on these six"] = numbers @ linear(numbers[good] - numbers[bad])
    layout = standardised(states["features"].astype(np.float64), good)
    found["linear on layout features"] = layout @ linear(layout[good] - layout[bad])
    found["linear on layout features, non-pages too"] = layout @ linear(np.concatenate([layout[good] - layout[bad], across(test, layout, len(good))]))
    both = np.concatenate([numbers, layout], 1)
    found["linear on both"] = both @ linear(both[good] - both[bad])
    return {name: dict(enumerate(values)) for name, values in found.items()}


def across(test: Test, numbers: np.ndarray, count: int) -> np.ndarray:
    """Differences of training originals to non-pages of other pages: `count` x the weight that they have in the net's loss."""
    lot, weight = np.random.default_rng(1), round(count * train.ACROSS_WEIGHT)
    return numbers[lot.choice(test.all.originals("train"), weight)] - numbers[lot.choice(test.all.negatives("train"), weight)]


def standardised(features: np.ndarray, reference: list[int]) -> np.ndarray:
    """As in the net: squeezed, standardised, unknown ones average."""
    squeezed = np.sign(features) * np.log1p(np.abs(features))
    known = ~np.isnan(squeezed[reference])
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, squeezed[reference], 0).sum(0) / count
    deviation = np.sqrt(np.where(known, (squeezed[reference] - mean) ** 2, 0).sum(0) / count)
    return np.nan_to_num(np.clip((squeezed - mean) / np.where(deviation > 1e-6, deviation, 1), -5, 5))


def calibration(test: Test, numbers: dict[str, dict[int, np.ndarray]], platt: tuple[float, float], keep_at: float) -> dict:
    """Reliability on test pages and what the threshold lets pass, with layout features and without."""
    states, report = test.states, {}
    bad = calibrate.bad_states(states, test.all, SPLIT)
    for mode, found in numbers.items():
        p = {state: float(calibrate.probability(values[0], platt)) for state, values in found.items()}
        kept: dict[str, list[bool]] = {"original": [p[s] >= keep_at for s in test.originals]}
        for state in bad:
            kept.setdefault(str(states["kind"][state]), []).append(p[state] >= keep_at)
        report[mode] = reliability(np.array([p[s] for s in test.originals]), np.array([p[s] for s in bad])) | {
            "kept": {kind: {"n": len(values), "share": rounded(np.mean(values))} for kind, values in sorted(kept.items())}}
    return report


def part_table(test: Test, numbers: dict[int, np.ndarray]) -> dict:
    """For each principle and part, how often the part of an original is above that of a copy damaged in middle or high degree."""
    table: dict[str, dict] = {}
    for principle in sorted({str(test.states["principle"][pair.bad]) for pair in test.damage}):
        chosen = [pair for pair in test.damage if pair.severity >= 2 and test.states["principle"][pair.bad] == principle]
        for place, part in enumerate(PARTS):
            score = {state: float(values[1 + place]) for state, values in numbers.items()}
            table.setdefault(principle, {"part": pairs.PART_OF.get(principle)})[part] = test.accuracy(score, chosen)
    return table


def compared(folders: list[Path], test: Test) -> list[dict]:
    """Further runs: what they were told and how they do, from the cache."""
    report = []
    for folder in folders:
        facts = json.loads((folder / "training.json").read_text())
        settings = facts["settings"]
        scorer = export.load(folder, len(test.states.feature_names))
        modes = ("layout",) if settings["layout_only"] else ("both", "picture")
        found = scores(scorer, test.states, test.wanted, settings["view"], modes)
        entry = {"name": folder.name, "settings": settings, "minutes": facts["minutes"], "pages": facts["pages"], "left out": {}}
        for mode, values in found.items():
            score = dict(zip(test.wanted, values[:, 0].tolist()))
            entry[mode] = test.short(score)
            for kind in settings["leave_out"]:
                entry["left out"].setdefault(kind, {})[mode] = test.accuracy(score, [pair for pair in test.damage if pair.kind == kind])
        report.append(entry)
    return report


def sizes(states: States, pages: Pages) -> dict:
    table = {}
    for split in pairs.SPLITS:
        of = pages.of(split)
        damaged = [state for page in of for chain in page.chains.values() for state in chain]
        table[split] = {
            "sites": len({page.site for page in of}), "originals": len(pages.originals(split)), "damaged states": len(damaged),
            "negatives": dict(sorted(Counter(str(states["kind"][s]) for s in pages.negatives(split)).items())),
        }
    return table


def speed(path: Path, features: int) -> dict:
    """Milliseconds a page in ONNX Runtime on one core, by number of tiles: the fastest of some runs, for others work here too."""
    runner, lot = export.session(path), np.random.default_rng(1)
    table = {}
    for count in (1, 2, 4, 8):
        view = (lot.integers(0, 256, (pixels.OVERVIEW_HEIGHT, pixels.OVERVIEW_WIDTH, 3), np.uint8), lot.integers(0, 256, (count, pixels.TILE_HEIGHT, pixels.TILE_WIDTH, 3), np.uint8))
        given = export.inputs([view], np.zeros((1, features)))
        times = []
        for _ in range(TIMED):
            started = time.perf_counter()
            runner.run(export.OUTPUTS, given)
            times.append(time.perf_counter() - started)
        table[str(count)] = {"fastest": rounded(min(times) * 1000, 1), "median": rounded(np.median(times) * 1000, 1)}
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--compare", type=Path, nargs="*", default=[])
    parser.add_argument("--publish", type=Path, help="folder of the card, the weights and the figures")
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    states = States(arguments.data, arguments.cache or arguments.data / "cache")
    test = Test(states, pairs.group(states))
    exported = json.loads((arguments.model / "export.json").read_text())
    training = json.loads((arguments.model / "training.json").read_text())
    numbers = ask_file(arguments.model / "scorer.onnx", states, test.wanted)
    scorer = export.load(arguments.model, len(states.feature_names))
    layout = dict(zip(test.wanted, scores(scorer, states, test.wanted, modes=("layout",))["layout"][:, 0].tolist()))
    net, bare = first(numbers["both"]), first(numbers["picture"])
    report = {
        "training": training, "export": exported, "data": sizes(states, test.all), "speed": speed(arguments.model / "scorer.onnx", len(states.feature_names)),
        "both": test.in_full(net), "picture": test.in_full(bare) | {"net minus it": test.minus(net, bare)}, "layout": test.short(layout) | {"net minus it": test.minus(net, layout)},
        "simple": {name: test.short(score) | {"net minus it": test.minus(net, score)} for name, score in simple_scorers(test).items()},
        "compared": compared(arguments.compare, test), "parts": part_table(test, numbers["both"]),
        "calibration": calibration(test, numbers, tuple(exported["platt"]), exported["keep_at"]),
    }
    publish.write(arguments.model, report)
    gallery.write(arguments.model / "gallery.png", states, test.damage, net)
    if arguments.publish:
        publish.publish(arguments.model, arguments.publish)
    print((arguments.model / "evaluation.md").read_text())


if __name__ == "__main__":
    main()
