"""Asks a net about states from the cache."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from data import States, tensor
from model import PICTURE, Scorer

MODES = ("both", "picture", "layout")  # picture and layout features; the bare picture; the features alone


def look(
    scorer: Scorer, states: States, batch: list[int], view: str,
    tiles: list[list[int]] | None = None, move: Callable[[np.ndarray], np.ndarray] = lambda cells: cells, bfloat16: bool = False,
) -> Tensor:
    """The picture's vector for each state. Only tiles that are there go through the body."""
    wanted = tiles or [list(range(states.tile_count(state, view))) for state in batch]
    overviews = np.stack([states.overview(state, view) for state in batch])
    cells = np.concatenate([states.tiles(state, view)[places] for state, places in zip(batch, wanted)])
    counts = torch.tensor([len(places) for places in wanted])
    there = torch.arange(int(counts.max())).unsqueeze(0) < counts.unsqueeze(1)
    with torch.autocast("cpu", torch.bfloat16, bfloat16):
        overview, vectors = scorer.overview(tensor(move(overviews))), scorer.tile(tensor(move(cells)))
    padded = vectors.new_zeros(len(batch), int(counts.max()), vectors.shape[1])
    padded[there] = vectors
    return scorer.picture(overview, padded, there.to(vectors.dtype))


def scores(scorer: Scorer, states: States, wanted: list[int], view: str = "page", modes: tuple[str, ...] = MODES, size: int = 24) -> dict[str, np.ndarray]:
    """For each way of asking, score and parts [wanted, 6], from the cache."""
    scorer.eval()
    found: dict[str, list[np.ndarray]] = {mode: [] for mode in modes}
    with torch.no_grad():
        for begin in range(0, len(wanted), size):
            some = wanted[begin : begin + size]
            features = torch.from_numpy(states["features"][some])
            no_picture = torch.zeros(len(some), PICTURE)
            picture = no_picture if modes == ("layout",) else look(scorer, states, some, view)
            for mode in modes:
                asked = scorer.judge(
                    no_picture if mode == "layout" else picture,
                    torch.full_like(features, torch.nan) if mode == "picture" else features,
                )
                found[mode].append(torch.cat([asked[0].unsqueeze(1), asked[1]], 1).numpy())
    return {mode: np.concatenate(values) for mode, values in found.items()}
