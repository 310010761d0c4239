"""A contact sheet of the worst mistakes: damaged copies that score furthest above their originals.

For the eyes of whoever trains; it shows other people's pages and stays beside the run.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from data import States
from judge import Pair

SHOWN = 24
COLUMNS = 4
WIDTH, HEIGHT, MARGIN = 220, 330, 24  # of one picture, and of the line above it


def worst(pairs: list[Pair], score: dict[int, float]) -> list[Pair]:
    """One mistake a page and kind, the furthest first."""
    wrong = sorted((pair for pair in pairs if score[pair.bad] >= score[pair.good]), key=lambda pair: score[pair.good] - score[pair.bad])
    seen: set[tuple[int, str]] = set()
    chosen = []
    for pair in wrong:
        if (pair.good, pair.kind) not in seen:
            seen.add((pair.good, pair.kind))
            chosen.append(pair)
    return chosen[:SHOWN]


def thumb(picture: Image.Image) -> Image.Image:
    """The top of a page."""
    rows = min(picture.height, picture.width * HEIGHT // WIDTH)
    return picture.crop((0, 0, picture.width, rows)).resize((WIDTH, max(1, rows * WIDTH // picture.width)), Image.Resampling.BOX)


def write(path: Path, states: States, pairs: list[Pair], score: dict[int, float]) -> None:
    chosen = worst(pairs, score)
    thumbs = {state: thumb(picture) for state, picture in states.pictures([state for pair in chosen for state in (pair.good, pair.bad)])}
    rows = -(-len(chosen) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (2 * WIDTH + 20), max(1, rows) * (HEIGHT + MARGIN + 10)), "white")
    pen = ImageDraw.Draw(sheet)
    for place, pair in enumerate(chosen):
        left, top = place % COLUMNS * (2 * WIDTH + 20), place // COLUMNS * (HEIGHT + MARGIN + 10)
        pen.text((left, top + 4), f"{pair.kind} {pair.severity}: {score[pair.good]:.2f} before {score[pair.bad]:.2f}", fill="black")
        sheet.paste(thumbs[pair.good], (left, top + MARGIN))
        sheet.paste(thumbs[pair.bad], (left + WIDTH + 4, top + MARGIN))
    sheet.save(path)
