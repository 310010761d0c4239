"""Numbers that anyone could take of a screenshot, to see whether a trained net is worth its trouble."""

from __future__ import annotations

import numpy as np

EDGE_LEVEL = 24  # a step between neighbours that counts as an edge
COLOUR_MIN = 4  # a colour counts from so many pixels on
NAMES = ("PNG bytes per pixel", "entropy", "edge density", "blank share", "colours", "saturation")


def picture(tiles: np.ndarray, width: int, height: int, png_bytes: int) -> np.ndarray:
    """One number for each of NAMES, of the page at the scale of the tiles."""
    red, green, blue = np.moveaxis(tiles.reshape(-1, *tiles.shape[2:]), -1, 0)
    grey = (red.astype(np.uint16) * 77 + green.astype(np.uint16) * 150 + blue.astype(np.uint16) * 29 >> 8).astype(np.int16)
    shares = np.bincount(grey.ravel(), minlength=256) / grey.size
    shares = shares[shares > 0]
    steps = np.maximum(np.abs(np.diff(grey, axis=0))[:, :-1], np.abs(np.diff(grey, axis=1))[:-1])
    coarse = (red >> 3).astype(np.uint16) << 10 | (green >> 3).astype(np.uint16) << 5 | blue >> 3
    counts = np.bincount(coarse.ravel(), minlength=32768)
    saturation = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return np.array([
        png_bytes / (width * height),
        -(shares * np.log2(shares)).sum(),
        (steps > EDGE_LEVEL).mean(),
        counts.max() / grey.size,
        np.log1p((counts > COLOUR_MIN).sum()),
        saturation.mean(),
    ], np.float32)
