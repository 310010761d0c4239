"""Trains the scorer on rendered states, calibrates it on validation pages and writes ONNX beside `training.json`."""

from __future__ import annotations

import argparse
import copy
import json
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch.nn import functional

import data as states
import degrade
import model as net
import pixels

PAGES_PER_BATCH = 8
BARE_PER_BATCH = 4
ACROSS_WEIGHT = 0.5  # originals against the negatives of other pages
DEFECT_WEIGHT = 0.3  # naming the damage: teaches features that ranking alone finds slowly
PULL_WEIGHT = 0.003  # keeps scores near zero: ranking alone lets them drift
RATE_MAX, DECAY = 3e-3, 0.03
AVERAGE = 0.98  # weights averaged over about 50 steps
SHIFT_PX = 8
LOOK_EVERY = 5  # epochs between looks at the validation pages, which decide nothing but the calibration
OPSET = 18
KINDS = ("original", *degrade.DAMAGES, *states.NEGATIVES)


def augment(levels: np.ndarray, lot: np.random.Generator) -> np.ndarray:
    """One mirror and one small shift for all states of a page: never colours, never a crop of what matters."""
    if lot.random() < 0.5:
        levels = levels[:, :, ::-1]
    dx, dy = lot.integers(-SHIFT_PX, SHIFT_PX + 1), lot.integers(-SHIFT_PX, SHIFT_PX + 1)
    rows = np.clip(np.arange(levels.shape[1]) + dy, 0, levels.shape[1] - 1)
    columns = np.clip(np.arange(levels.shape[2]) + dx, 0, levels.shape[2] - 1)
    return levels[:, rows][:, :, columns]


def tensor(levels: np.ndarray) -> torch.Tensor:
    """What `pixels.normalise` gives, kept in the memory order that convolutions on a CPU like (three times as fast)."""
    picture = torch.from_numpy(np.ascontiguousarray(levels)).permute(0, 3, 1, 2)
    return picture.float().div_(255).sub_(pixels.MEAN).div_(pixels.STD)


class Batches:
    """A few pages with all their states, and a few pages that lost their style sheets, at a time."""

    def __init__(self, data: states.Data, split: str, left_out: tuple[str, ...], lot: np.random.Generator) -> None:
        self.data, self.left_out, self.lot = data, left_out, lot
        self.pairs = {
            page: [pair for pair in pairs if pair.kind not in left_out]
            for page, pairs in data.pairs_by_page.items() if pairs and data.rows[pairs[0].good]["split"] == split
        }
        self.pages = list(self.pairs)
        self.bare = data.indices(split, "bare")

    def __len__(self) -> int:
        return -(-len(self.pages) // PAGES_PER_BATCH)

    def __iter__(self):
        order = self.lot.permutation(len(self.pages))
        for start in range(0, len(order), PAGES_PER_BATCH):
            yield self.batch([self.pages[i] for i in order[start : start + PAGES_PER_BATCH]])

    def batch(self, pages: list[str]) -> tuple[torch.Tensor, torch.Tensor, list[tuple[int, int]], list[int], list[int]]:
        rows: list[int] = []
        pictures, pairs = [], []
        for page in pages:
            of_page = [i for i in self.data.pages[page] if self.data.rows[i]["kind"] not in self.left_out]
            place = {row: len(rows) + n for n, row in enumerate(of_page)}
            pairs += [(place[pair.good], place[pair.bad]) for pair in self.pairs[page]]
            pictures.append(augment(self.data.levels[of_page], self.lot))
            rows += of_page
        extra = list(self.lot.choice(self.bare, min(BARE_PER_BATCH, len(self.bare)), replace=False))
        pictures += [augment(self.data.levels[[row]], self.lot) for row in extra]
        rows += extra
        kinds = [self.data.rows[row]["kind"] for row in rows]
        originals = [n for n, kind in enumerate(kinds) if kind == "original"]
        negatives = [n for n, kind in enumerate(kinds) if kind in states.NEGATIVES]
        labels = torch.tensor([KINDS.index(kind) for kind in kinds])
        return tensor(np.concatenate(pictures)), labels, pairs, originals, negatives


def loss_of(scorer: net.Scorer, batch) -> torch.Tensor:
    picture, labels, pairs, originals, negatives = batch
    features = scorer.features(picture)
    score = scorer.score(features).squeeze(1)
    good, bad = torch.tensor(pairs).T
    within = functional.softplus(score[bad] - score[good]).mean()
    across = functional.softplus(score[negatives][None] - score[originals][:, None]).mean()
    defects = functional.cross_entropy(scorer.defects(features), labels)
    return within + ACROSS_WEIGHT * across + DEFECT_WEIGHT * defects + PULL_WEIGHT * score.square().mean()


def fit(data: states.Data, epochs: int, seed: int, left_out: tuple[str, ...], minutes_max: float) -> tuple[net.Scorer, dict]:
    torch.manual_seed(seed)
    batches = Batches(data, "train", left_out, np.random.default_rng(seed))
    scorer = net.Scorer(len(KINDS)).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(scorer.parameters(), RATE_MAX, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE_MAX, total_steps=epochs * len(batches))
    average = copy.deepcopy(scorer)
    started, done = time.monotonic(), 0
    for epoch in range(epochs):
        scorer.train()
        losses = []
        for batch in batches:
            loss = loss_of(scorer, batch)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(scorer.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            follow(average, scorer)
            losses.append(loss.item())
        done = epoch + 1
        minutes = (time.monotonic() - started) / 60
        seen = f", validation {pair_accuracy(average, data, 'validation'):.3f}" if done % LOOK_EVERY == 0 else ""
        print(f"epoch {done}: loss {np.mean(losses):.3f}{seen}, {minutes:.1f} min", flush=True)
        if minutes > minutes_max:
            break
    return average.eval(), {"epochs": done, "minutes": round((time.monotonic() - started) / 60, 1), "seed": seed, "pages": len(batches.pages)}


def follow(average: net.Scorer, scorer: net.Scorer) -> None:
    with torch.no_grad():
        for mean, now in zip(average.state_dict().values(), scorer.state_dict().values()):
            mean.lerp_(now, 1 - AVERAGE) if mean.is_floating_point() else mean.copy_(now)


def scores(scorer: net.Scorer, levels: np.ndarray, size: int = 32) -> np.ndarray:
    scorer.eval()
    with torch.no_grad():
        return np.concatenate([scorer(tensor(levels[i : i + size])).numpy() for i in range(0, len(levels), size)])


def pair_accuracy(scorer: net.Scorer, data: states.Data, split: str) -> float:
    pairs = [pair for pair in data.pairs(split) if not pair.chain]
    rows = sorted({i for pair in pairs for i in (pair.good, pair.bad)})
    by_row = dict(zip(rows, scores(scorer, data.levels[rows])))
    return float(np.mean([by_row[pair.good] > by_row[pair.bad] for pair in pairs]))


def platt(good: np.ndarray, bad: np.ndarray) -> tuple[float, float]:
    """Logistic fit p = 1 / (1 + exp(-(a s + b))), both classes of equal weight, with Platt's softened targets."""
    x = np.concatenate([good, bad]).astype(np.float64)
    target = np.concatenate([np.full(len(good), (len(good) + 1) / (len(good) + 2)), np.full(len(bad), 1 / (len(bad) + 2))])
    weight = np.concatenate([np.full(len(good), 0.5 / len(good)), np.full(len(bad), 0.5 / len(bad))])
    design, theta = np.stack([x, np.ones_like(x)], 1), np.zeros(2)
    for _ in range(200):
        p = 1 / (1 + np.exp(-np.clip(design @ theta, -30, 30)))
        hessian = design.T @ (design * (weight * p * (1 - p))[:, None]) + 1e-6 * np.eye(2)
        theta += np.linalg.solve(hessian, design.T @ (weight * (target - p)))
    return float(theta[0]), float(theta[1])


def export(scorer: net.Scorer, path: Path) -> None:
    example = torch.zeros(2, 3, pixels.HEIGHT, pixels.WIDTH)
    torch.onnx.export(
        scorer, (example,), str(path), input_names=["pixels"], output_names=["score"], opset_version=OPSET,
        dynamo=False, dynamic_axes={"pixels": {0: "batch"}, "score": {0: "batch"}},
    )


def export_difference(scorer: net.Scorer, path: Path, levels: np.ndarray) -> float:
    """How far ONNX Runtime and PyTorch are apart at most, with another batch size than at export."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (there,) = session.run(["score"], {"pixels": pixels.normalise(levels)})
    return float(np.abs(there - scores(scorer, levels)).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes-max", type=float, default=600)
    parser.add_argument("--leave-out", default="", help="damage kinds, separated by commas, that training does not see")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    left_out = tuple(filter(None, arguments.leave_out.split(",")))

    data = states.load(arguments.states)
    print({split: len(data.indices(split, *KINDS)) for split in states.SPLITS}, data.dropped, flush=True)
    scorer, facts = fit(data, arguments.epochs, arguments.seed, left_out, arguments.minutes_max)
    good = scores(scorer, data.levels[data.indices("validation", "original")])
    bad = scores(scorer, data.levels[data.indices("validation", *states.NEGATIVES)])
    a, b = platt(good, bad)
    export(scorer, arguments.out / "scorer.onnx")
    facts |= {
        "export_difference": export_difference(scorer, arguments.out / "scorer.onnx", data.levels[:24]),
        "left_out": left_out, "weights": net.weights(scorer), "opset": OPSET, "platt": {"a": a, "b": b},
        "keep_at_score": float(np.quantile(good, 0.02)),
        "ramp": float(scores(scorer, pixels.ramp()[None])[0]), "split_sha256": data.split_digest(), "dropped": data.dropped,
    }
    (arguments.out / "training.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
