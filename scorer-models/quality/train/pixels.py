"""A screenshot as the model sees it: the one definition that the engine has to repeat.

Two views of the same picture. The overview is all of it, squeezed to one fixed size: what the page as a whole looks
like, however long it is. The tiles are the page at a fixed scale, cut from the top: what its parts look like. The
README says the same in words.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

OVERVIEW_WIDTH, OVERVIEW_HEIGHT = 192, 288
TILE_WIDTH, TILE_HEIGHT = 512, 384
TILES_MAX = 8
STRIP_MIN = 48  # a last tile with fewer rows of page is left out: it would be nearly all filling
PAD_LEVEL = 255
# A level becomes (level * SCALE - MEAN) / STD: numbers from 0 to 1.
SCALE, MEAN, STD = 1 / 255, 0.0, 1.0

Views = tuple[np.ndarray, np.ndarray]


def scaled_height(width: int, height: int) -> int:
    """Height of the page once it is TILE_WIDTH wide; halves are rounded up, in whole numbers."""
    return max(1, (2 * height * TILE_WIDTH + width) // (2 * width))


def tile_count(scaled: int) -> int:
    """How many tiles a page of this scaled height has."""
    return min(TILES_MAX, max(1, (scaled + TILE_HEIGHT - STRIP_MIN) // TILE_HEIGHT))


def overview(picture: Image.Image) -> np.ndarray:
    """All of the picture, as levels [OVERVIEW_HEIGHT, OVERVIEW_WIDTH, 3]."""
    return np.asarray(picture.resize((OVERVIEW_WIDTH, OVERVIEW_HEIGHT), Image.Resampling.BOX))


def tiles(picture: Image.Image) -> np.ndarray:
    """The page at the scale of the tiles, as levels [tiles, TILE_HEIGHT, TILE_WIDTH, 3]."""
    scaled = scaled_height(picture.width, picture.height)
    page = np.asarray(picture.resize((TILE_WIDTH, scaled), Image.Resampling.BOX))
    count = tile_count(scaled)
    levels = np.full((count * TILE_HEIGHT, TILE_WIDTH, 3), PAD_LEVEL, np.uint8)
    rows = min(scaled, len(levels))
    levels[:rows] = page[:rows]
    return levels.reshape(count, TILE_HEIGHT, TILE_WIDTH, 3)


def views(picture: Image.Image) -> Views:
    """Overview and tiles of a screenshot."""
    picture = on_white(picture)
    return overview(picture), tiles(picture)


def on_white(picture: Image.Image) -> Image.Image:
    """As RGB; what is transparent shows white, as in a browser."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    ground = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")


def middle_square(picture: Image.Image) -> Image.Image:
    """What a centre crop would see; only for the comparison with models that crop."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def normalise(levels: np.ndarray) -> np.ndarray:
    """[..., H, W, 3] levels to the [..., 3, H, W] numbers that the graph takes."""
    return np.moveaxis((levels.astype(np.float32) * np.float32(SCALE) - MEAN) / STD, -1, -3)


def ramp(height: int, width: int) -> np.ndarray:
    """The fixed input of the manifest's self-check: level (x + y + 85 c) mod 256."""
    y, x, c = np.indices((height, width, 3))
    return ((x + y + 85 * c) % 256).astype(np.uint8)
