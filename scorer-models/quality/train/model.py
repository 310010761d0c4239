"""The net: fixed local statistics, two small convolutional bodies, layout features, one head.

The first layer is not learnt. It turns every 4 x 4 pixels into nine numbers that say what is there: colour, light, how
much it varies, edges across and down. With some hundred pages a learnt first layer mostly learns those pages, and the
fixed one can be computed once and kept, so that training costs a fraction.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CELL = 4  # pixels a side
CHANNELS = 9
LIGHT = (0.299, 0.587, 0.114)
STEPS = ((32, 2), (48, 2), (64, 1), (96, 2), (128, 2))  # (channels, stride) of the body's convolutions
DEEP = STEPS[-1][0]
PICTURE, LAYOUT, HEAD = 96, 64, 96
DROPOUT = 0.2
PARTS = ("layout", "styling", "space", "colour", "legibility")
ROOT_SOFTENING = 1e-4  # a bare root is infinitely steep at zero, where most cells of a page are


def soft_root(number: Tensor) -> Tensor:
    """A square root that is steep but not infinitely so at zero; 0 stays 0."""
    return torch.sqrt(number.clamp(min=0) + ROOT_SOFTENING) - ROOT_SOFTENING**0.5


def cells(pixels: Tensor) -> Tensor:
    """[n, 3, H, W] of 0 to 1 to [n, 9, H / 4, W / 4] of 0 to 1: mean red, green, blue; deviation of light; edges
    across; edges down; brightest; darkest; saturation. Pools come first where they can: full size is what costs."""
    light = LIGHT[0] * pixels[:, 0:1] + LIGHT[1] * pixels[:, 1:2] + LIGHT[2] * pixels[:, 2:3]
    colour = functional.avg_pool2d(pixels, CELL)
    rows, columns = functional.avg_pool2d(light, (CELL, 1)), functional.avg_pool2d(light, (1, CELL))
    mean = functional.avg_pool2d(rows, (1, CELL))
    deviation = functional.avg_pool2d(light * light, CELL) - mean * mean
    across = functional.pad((rows[:, :, :, 1:] - rows[:, :, :, :-1]).abs(), (0, 1, 0, 0))
    down = functional.pad((columns[:, :, 1:] - columns[:, :, :-1]).abs(), (0, 0, 0, 1))
    return torch.cat([
        colour, soft_root(deviation), soft_root(functional.avg_pool2d(across, (1, CELL))), soft_root(functional.avg_pool2d(down, (CELL, 1))),
        functional.max_pool2d(light, CELL), -functional.max_pool2d(-light, CELL), colour.amax(1, keepdim=True) - colour.amin(1, keepdim=True),
    ], 1)


class Body(nn.Module):
    """Cells of a picture to one vector: mean and maximum over its last maps."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.BatchNorm2d(CHANNELS)]
        inputs = CHANNELS
        for outputs, stride in STEPS:
            layers += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
            inputs = outputs
        self.layers = nn.Sequential(*layers)

    def forward(self, picture: Tensor) -> Tensor:
        maps = self.layers(picture).float()  # in training the convolutions may count in bfloat16, the pools never
        return torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)


class Layout(nn.Module):
    """Layout features to a vector; unknown ones (not a number) count as average and are flagged."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.layers = nn.Sequential(
            nn.Linear(2 * features, LAYOUT), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(LAYOUT, LAYOUT), nn.ReLU(),
        )
        self.straight = nn.Linear(features, 1 + len(PARTS), bias=False)

    def standardised(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features of about -5 to 5, and which were known (1 or 0)."""
        unknown = torch.isnan(features)
        there = torch.where(unknown, torch.zeros_like(features), features)
        squeezed = torch.sign(there) * torch.log(1 + there.abs())  # counts and lengths have long tails
        known = 1 - unknown.to(features.dtype)
        return ((squeezed - self.mean) / self.deviation).clamp(-5, 5) * known, known

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The vector, what the features say straight [n, 6], and per state whether anything was known [n, 1]. With
        nothing known both are 0."""
        number, known = self.standardised(features)
        present = known.amax(1, keepdim=True)
        return self.layers(torch.cat([number, known], 1)) * present, self.straight(number), present


class Scorer(nn.Module):
    """Overview, tiles and layout features of pages to a score [n] and sub-scores [n, 5]."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.overview = Body()
        self.tile = Body()
        self.neck = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(5 * DEEP, PICTURE), nn.ReLU())
        self.layout = Layout(features)
        self.head = nn.Sequential(nn.Linear(PICTURE + LAYOUT + 1, HEAD), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(HEAD, 1 + len(PARTS)))
        # Platt's numbers of the parts, set after training: the sigmoid of a part is then a probability.
        self.register_buffer("part_slope", torch.ones(len(PARTS)))
        self.register_buffer("part_offset", torch.zeros(len(PARTS)))

    def picture(self, overview: Tensor, tiles: Tensor, there: Tensor) -> Tensor:
        """Vectors of the overview [n, 256] and of the tiles [n, t, 256], with `there` [n, t] (1 or 0), to one."""
        there = there.unsqueeze(2)
        mean = (tiles * there).sum(1) / there.sum(1)
        most = (tiles[:, :, DEEP:] * there).amax(1)  # what is pooled is never below 0, so an absent tile never wins
        return self.neck(torch.cat([overview, mean, most], 1))

    def judge(self, picture: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        layout, straight, present = self.layout(features)
        numbers = self.head(torch.cat([picture, layout, present], 1)) + straight
        return numbers[:, 0], numbers[:, 1:] * self.part_slope + self.part_offset

    def forward(self, overview: Tensor, tiles: Tensor, tile_count: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """From pixels of 0 to 1; this is the graph that is exported."""
        pages, most = tiles.shape[0], tiles.shape[1]
        there = (torch.arange(most, device=tiles.device).unsqueeze(0) < tile_count.unsqueeze(1)).to(tiles.dtype)
        vectors = self.tile(cells(tiles.flatten(0, 1))).view(pages, most, 2 * DEEP)
        return self.judge(self.picture(self.overview(cells(overview)), vectors, there), features)


def weights(model: nn.Module) -> int:
    """Trained numbers."""
    return sum(p.numel() for p in model.parameters())
