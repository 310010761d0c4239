"""Trains the scorer: a page above its damaged copies, milder damage above harder, pages above what is none.

    python train.py DATA --out DIR

writes model.pt and training.json, and with `export.py` scorer.onnx, model.toml and export.json. All chance comes from
`--seed`.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

import export
import judge
import pairs
from ask import MODES, look, scores
from data import States
from model import PARTS, PICTURE, Scorer, weights
from pairs import Page, Pages

PAGES_PER_STEP = 4
CHAINS_PER_PAGE = 3
NEGATIVES_PER_STEP = 6
TILES_PER_STATE = 2  # of longer pages that many are chosen, the same ones for all states of a page: no two steps see the same
SHIFT_CELLS = 2  # pages are shifted by up to that many cells
ACROSS_WEIGHT = 0.25  # originals against what is no page; more of it makes them part better, and mild damage worse
PART_WEIGHT = 0.3
QUIET_WEIGHT = 0.02  # a damage should leave the parts alone that it does not break
PULL_WEIGHT = 0.003  # keeps scores near zero: ranking alone lets them drift
# The picture is looked at once a step and judged three times, so that each way of asking is trained in every step:
# with layout features, without (the 0.4 of feature dropout), and layout alone.
BOTH_WEIGHT, BARE_WEIGHT, LAYOUT_WEIGHT = 0.5, 0.4, 0.1
FEATURE_LOSS = 0.1  # share of single features that are hidden in a step
RATE_MAX, DECAY = 2e-3, 0.03
AVERAGE = 0.99  # weights averaged over about 100 steps
LOOK_EVERY = 200  # steps between looks at validation pages, which decide nothing but the calibration
GRADIENT_MAX = 5.0


@dataclass(frozen=True)
class Settings:
    steps: int = 1500
    seed: int = 1
    view: str = "page"  # or "centre": the comparison with models that crop
    share: float = 1.0  # of the training pages
    leave_out: tuple[str, ...] = ()  # kinds of damage that training does not see
    layout_only: bool = False
    bfloat16: bool = False  # convolutions of training only; twice as fast where the processor multiplies such matrices


@dataclass
class Batch:
    """States of a step by their place in it: originals, chains that begin with an original, and negatives."""

    states: list[int]
    tiles: list[list[int]]
    originals: list[int]
    chains: list[tuple[str, list[int]]]
    negatives: list[int]
    unstyled: list[int]


class Batches:
    """A few pages with a few of their chains and a few negatives of other pages at a time."""

    def __init__(self, states: States, pages: Pages, settings: Settings) -> None:
        self.states, self.settings = states, settings
        self.lot = np.random.default_rng(settings.seed)
        sites = sorted({page.site for page in pages.of("train")})
        kept = set(self.lot.permutation(sites)[: max(1, round(settings.share * len(sites)))])
        train = [page for page in pages.of("train") if page.site in kept]
        self.pages = [page for page in train if page.original is not None and self.chains(page)]
        self.negatives = [state for page in train for state in page.negatives if states["kind"][state] not in settings.leave_out]
        self.queue: list[int] = []

    def chains(self, page: Page) -> list[list[int]]:
        return [chain for kind, chain in sorted(page.chains.items()) if kind not in self.settings.leave_out]

    def next(self) -> Batch:
        batch = Batch([], [], [], [], [], [])
        for page in self._next_pages():
            chosen = self._tiles_for([page.original, *sum(page.chains.values(), [])])
            original = self._add(batch, page.original, chosen)
            batch.originals.append(original)
            chains = self.chains(page)
            for place in self.lot.permutation(len(chains))[:CHAINS_PER_PAGE]:
                chain = chains[place]
                principle = str(self.states["principle"][chain[0]])
                batch.chains.append((principle, [original, *(self._add(batch, state, chosen) for state in chain)]))
        for place in self._balanced_negatives():
            index = self._add(batch, place, self._tiles_for([place]))
            batch.negatives.append(index)
            if self.states["kind"][place] in pairs.UNSTYLED:
                batch.unstyled.append(index)
        return batch

    def _next_pages(self) -> list[Page]:
        while len(self.queue) < PAGES_PER_STEP:
            self.queue += self.lot.permutation(len(self.pages)).tolist()
        chosen, self.queue = self.queue[:PAGES_PER_STEP], self.queue[PAGES_PER_STEP:]
        return [self.pages[place] for place in chosen]

    def _balanced_negatives(self) -> list[int]:
        """Negatives of kinds drawn evenly: error pages must not drown in unstyled ones."""
        by_kind: dict[str, list[int]] = {}
        for state in self.negatives:
            by_kind.setdefault(str(self.states["kind"][state]), []).append(state)
        kinds = sorted(by_kind)
        drawn = self.lot.choice(kinds, NEGATIVES_PER_STEP) if kinds else []
        return [int(self.lot.choice(by_kind[kind])) for kind in drawn]

    def _tiles_for(self, states: list[int]) -> list[int]:
        """Which tiles of these states are seen."""
        most = max(self.states.tile_count(state, self.settings.view) for state in states)
        return sorted(self.lot.permutation(most)[:TILES_PER_STATE].tolist())

    def _add(self, batch: Batch, state: int, chosen: list[int]) -> int:
        count = self.states.tile_count(state, self.settings.view)
        wanted = [tile for tile in chosen if tile < count]
        batch.states.append(state)
        batch.tiles.append(wanted or [count - 1])  # damage made the page shorter than what was chosen
        return len(batch.states) - 1


def rank(scores: Tensor, better: list[int], worse: list[int]) -> Tensor:
    return functional.softplus(scores[worse] - scores[better]).mean()


def chain_pairs(chain: list[int]) -> tuple[list[int], list[int]]:
    """Each state before each that follows."""
    better, worse = np.triu_indices(len(chain), 1)
    return [chain[i] for i in better], [chain[i] for i in worse]


def loss_of(batch: Batch, score: Tensor, parts: Tensor) -> Tensor:
    """What is wrong with these scores."""
    every = torch.cat([score.unsqueeze(1), parts], 1)
    loss = PULL_WEIGHT * every.square().mean()
    for principle, chain in batch.chains:
        better, worse = chain_pairs(chain)
        loss = loss + rank(score, better, worse) / len(batch.chains)
        if principle in pairs.PART_OF:
            part = PARTS.index(pairs.PART_OF[principle])
            others = [i for i in range(len(PARTS)) if i != part]
            moved = (parts[chain[1:]] - parts[chain[:1]])[:, others].square().mean()
            loss = loss + (PART_WEIGHT * rank(parts[:, part], better, worse) + QUIET_WEIGHT * moved) / len(batch.chains)
    if batch.negatives:
        loss = loss + ACROSS_WEIGHT * across(score, batch.originals, batch.negatives)
    if batch.unstyled:
        loss = loss + ACROSS_WEIGHT * PART_WEIGHT * across(parts[:, PARTS.index("styling")], batch.originals, batch.unstyled)
    return loss


def across(score: Tensor, originals: list[int], negatives: list[int]) -> Tensor:
    """Every original of the step before every negative of it."""
    return functional.softplus(score[negatives].unsqueeze(0) - score[originals].unsqueeze(1)).mean()


def fit_standard(scorer: Scorer, features: np.ndarray) -> None:
    """Mean and deviation of what is known of each feature on training states, after squeezing."""
    squeezed = np.sign(features) * np.log1p(np.abs(features))
    known = ~np.isnan(squeezed)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, squeezed, 0).sum(0) / count
    deviation = np.sqrt(np.where(known, (squeezed - mean) ** 2, 0).sum(0) / count)
    scorer.layout.mean.copy_(torch.from_numpy(mean.astype(np.float32)))
    scorer.layout.deviation.copy_(torch.from_numpy(np.where(deviation > 1e-6, deviation, 1).astype(np.float32)))


def mover(lot: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """One mirror and one small shift for all pictures of a step, for damage shows in what differs between them."""
    mirrored = lot.random() < 0.5
    right, down = lot.integers(-SHIFT_CELLS, SHIFT_CELLS + 1, 2)

    def move(cells: np.ndarray) -> np.ndarray:
        rows = np.clip(np.arange(cells.shape[1]) + down, 0, cells.shape[1] - 1)
        columns = np.clip(np.arange(cells.shape[2]) + right, 0, cells.shape[2] - 1)
        return cells[:, rows][:, :, columns[::-1] if mirrored else columns]

    return move


def fit_straight(scorer: Scorer, states: States, pages: list[Page], chains_of: Callable[[Page], list[list[int]]]) -> None:
    """The linear part for the score, solved exactly before the first step: with few pages it is hard to beat, and the
    rest of the net has only to learn what it lacks."""
    found = [(page.original, state) for page in pages for chain in chains_of(page) for state in chain]
    with torch.no_grad():
        numbers, _ = scorer.layout.standardised(torch.from_numpy(states["features"]))
        numbers = numbers.double().numpy()
        solved = judge.linear(numbers[[good for good, _ in found]] - numbers[[bad for _, bad in found]])
        scorer.layout.straight.weight.zero_()
        scorer.layout.straight.weight[0].copy_(torch.from_numpy(solved).float())


def step_loss(scorer: Scorer, states: States, batch: Batch, settings: Settings, lot: np.random.Generator) -> Tensor:
    features = states["features"][batch.states].copy()
    features[:, lot.random(features.shape[1]) < FEATURE_LOSS] = np.nan
    features = torch.from_numpy(features)
    no_picture = torch.zeros(len(batch.states), PICTURE)
    if settings.layout_only:
        return loss_of(batch, *scorer.judge(no_picture, features))
    picture = look(scorer, states, batch.states, settings.view, batch.tiles, mover(lot), settings.bfloat16)
    nothing = torch.full_like(features, torch.nan)
    return (
        BOTH_WEIGHT * loss_of(batch, *scorer.judge(picture, features))
        + BARE_WEIGHT * loss_of(batch, *scorer.judge(picture, nothing))
        + LAYOUT_WEIGHT * loss_of(batch, *scorer.judge(no_picture, features))
    )


def fit(states: States, pages: Pages, settings: Settings, on_look: Callable[[int, Scorer], None] | None = None) -> tuple[Scorer, dict]:
    """A trained scorer (its weights averaged over the last steps) and what can be said about the training."""
    torch.manual_seed(settings.seed)
    lot = np.random.default_rng(settings.seed + 1)
    batches = Batches(states, pages, settings)
    scorer = Scorer(states["features"].shape[1])
    fit_standard(scorer, states["features"][[s for page in batches.pages for s in [page.original, *sum(page.chains.values(), [])]]])
    fit_straight(scorer, states, batches.pages, batches.chains)
    average = copy.deepcopy(scorer)
    optimiser = torch.optim.AdamW(scorer.parameters(), RATE_MAX, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE_MAX, total_steps=settings.steps, pct_start=0.2)
    started, losses = time.monotonic(), []
    for step in range(1, settings.steps + 1):
        scorer.train()
        loss = step_loss(scorer, states, batches.next(), settings, lot)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(scorer.parameters(), GRADIENT_MAX)
        optimiser.step()
        schedule.step()
        follow(average, scorer, step)
        losses.append(loss.item())
        if step % LOOK_EVERY == 0 or step == settings.steps:
            minutes = (time.monotonic() - started) / 60
            print(f"step {step}: loss {np.mean(losses[-LOOK_EVERY:]):.3f}, {minutes:.1f} min", flush=True)
            if on_look:
                on_look(step, average)
    facts = {"settings": asdict(settings), "minutes": round((time.monotonic() - started) / 60, 1), "pages": len(batches.pages),
             "weights": weights(scorer), "loss": round(float(np.mean(losses[-LOOK_EVERY:])), 4)}
    return average.eval(), facts


def follow(average: Scorer, scorer: Scorer, step: int) -> None:
    keep = min(AVERAGE, step / (step + 10))  # early weights are soon forgotten
    with torch.no_grad():
        for mean, now in zip(average.state_dict().values(), scorer.state_dict().values()):
            mean.lerp_(now, 1 - keep) if mean.is_floating_point() else mean.copy_(now)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="where decoded pictures are kept; DATA/cache if not given")
    parser.add_argument("--steps", type=int, default=Settings.steps)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--view", choices=("page", "centre"), default="page")
    parser.add_argument("--share", type=float, default=1.0, help="of the training sites")
    parser.add_argument("--leave-out", default="", help="kinds, separated by commas, that training does not see")
    parser.add_argument("--layout-only", action="store_true")
    parser.add_argument("--bfloat16", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)

    states = States(arguments.data, arguments.cache or arguments.data / "cache", arguments.threads)
    pages = pairs.group(states)
    settings = Settings(
        steps=arguments.steps, seed=arguments.seed, view=arguments.view, share=arguments.share,
        leave_out=tuple(filter(None, arguments.leave_out.split(","))), layout_only=arguments.layout_only, bfloat16=arguments.bfloat16,
    )
    print({split: (len(pages.originals(split)), len(pages.negatives(split))) for split in pairs.SPLITS}, pages.dropped, flush=True)

    def on_look(step: int, scorer: Scorer) -> None:
        print(f"  validation: {quick_look(scorer, states, pages, settings)}", flush=True)
        torch.save(scorer.state_dict(), arguments.out / "model.pt")

    scorer, facts = fit(states, pages, settings, on_look)
    facts |= {"split_sha256": states.split_digest(), "dropped": pages.dropped, "threads": arguments.threads, "features": states.feature_names}
    torch.save(scorer.state_dict(), arguments.out / "model.pt")
    (arguments.out / "training.json").write_text(json.dumps(facts, indent=1) + "\n")
    if settings.view == "page" and not settings.layout_only:
        export.write(arguments.out, states, pages, scorer)


LOOK_PAGES = 40


def quick_look(scorer: Scorer, states: States, pages: Pages, settings: Settings) -> dict[str, float]:
    """Share of validation chains' states that score below their original, on the first few pages."""
    some = [page for page in pages.of("validation") if page.original is not None][:LOOK_PAGES]
    wanted = sorted({state for page in some for state in [page.original, *sum(page.chains.values(), [])]})
    if not wanted:
        return {}
    modes = ("layout",) if settings.layout_only else MODES
    found = {mode: dict(zip(wanted, values[:, 0])) for mode, values in scores(scorer, states, wanted, settings.view, modes).items()}
    tested = [(page.original, state) for page in some for chain in page.chains.values() for state in chain]
    return {mode: round(float(np.mean([by[good] > by[bad] for good, bad in tested])), 3) for mode, by in found.items()}


if __name__ == "__main__":
    main()
