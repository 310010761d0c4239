"""A screenshot as the model sees it: the one definition that the engine has to repeat.

The top of the picture at a fixed scale: cut to the first 2 w rows (w = width of the picture), shrunk with a box filter
to 320 columns, aspect kept, and filled up with white below where the page ends early.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 320, 640
PAD_LEVEL = 255
MEAN, STD = 0.5, 0.5


def shrink(picture: Image.Image) -> Image.Image:
    """The picture at model scale, not yet filled up below."""
    picture = picture.convert("RGB")
    rows = min(picture.height, picture.width * HEIGHT // WIDTH)
    height = min(HEIGHT, max(1, round(rows * WIDTH / picture.width)))
    return picture.resize((WIDTH, height), Image.Resampling.BOX, box=(0, 0, picture.width, rows))


def pad(picture: Image.Image) -> np.ndarray:
    """Levels 0..255 as [HEIGHT, WIDTH, 3]."""
    levels = np.full((HEIGHT, WIDTH, 3), PAD_LEVEL, np.uint8)
    levels[: picture.height] = np.asarray(picture)
    return levels


def normalise(levels: np.ndarray) -> np.ndarray:
    """[..., H, W, 3] levels to [..., 3, H, W] numbers about zero."""
    return np.moveaxis((levels.astype(np.float32) / 255 - MEAN) / STD, -1, -3)


def ramp() -> np.ndarray:
    """The fixed input of the manifest's self-check: level (x + y + 85 c) mod 256."""
    y, x, c = np.indices((HEIGHT, WIDTH, 3))
    return ((x + y + 85 * c) % 256).astype(np.uint8)
