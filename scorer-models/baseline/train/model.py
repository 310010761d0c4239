"""The net: a few separable convolutions over the whole picture, pooled to one number."""

from __future__ import annotations

import torch
from torch import nn

STEM = 24
# (channels, stride) of each separable block after the stem; the stem itself shrinks the picture by four.
BLOCKS = ((32, 1), (48, 2), (64, 1), (64, 2), (96, 1), (96, 2), (128, 1))
HEAD = 64
DROPOUT = 0.25


def separable(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False), nn.BatchNorm2d(inputs),
        nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
    )


class Scorer(nn.Module):
    """[N, 3, H, W] to a score [N]; `defects` is a second head that only training uses."""

    def __init__(self, kinds: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, STEM, 5, 4, 2, bias=False), nn.BatchNorm2d(STEM), nn.ReLU(inplace=True)]
        channels = STEM
        for outputs, stride in BLOCKS:
            layers.append(separable(channels, outputs, stride))
            channels = outputs
        self.body = nn.Sequential(*layers)
        self.neck = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(2 * channels, HEAD), nn.ReLU(inplace=True))
        self.score = nn.Linear(HEAD, 1)
        self.defects = nn.Linear(HEAD, kinds)

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        maps = self.body(pixels)
        return self.neck(torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.score(self.features(pixels)).squeeze(1)


def weights(model: nn.Module) -> int:
    """Trainable numbers that end up in the exported file."""
    return sum(p.numel() for name, p in model.named_parameters() if not name.startswith("defects"))
