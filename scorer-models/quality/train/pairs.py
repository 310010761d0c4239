"""Which state should score above which, and what is left out because it would teach noise.

States of one page and one kind of damage are a chain: the original, then rising severity. Different pages are never
compared, for nobody knows which of two is better; except that an original is better than what is no page at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from data import States

CHANGED_MIN = 0.002  # share of pixels; below it nobody sees the damage
SIMILAR_MAX = 0.03  # mean difference of two overviews, 0 to 1, below which an unstyled page looks like its original
# A page that shows nearly all text in the browser's own font and nearly all links in its own blue has lost its style sheets.
BARE_MIN = 0.9
BARE_FEATURES = ("chars_in_default_family", "links_in_default_color")
SPLITS = ("train", "validation", "test")
# What a principle of design is about. The names are those of the mutation operators.
PART_OF = {
    "alignment": "layout", "overlap": "layout", "overflow": "layout", "proportion": "layout", "styling": "styling",
    "spacing": "space", "color": "colour", "contrast": "legibility", "hierarchy": "legibility",
}
UNSTYLED = ("unstyled", "broken-sheet")  # negatives that say something about one part: styling
Chain = list[int]


@dataclass
class Page:
    """States of one page."""

    name: str
    site: str
    split: str
    original: int | None = None
    chains: dict[str, Chain] = field(default_factory=dict)  # kind -> damaged states, mildest first
    negatives: list[int] = field(default_factory=list)


@dataclass
class Pages:
    pages: list[Page]
    dropped: dict[str, int]

    def of(self, split: str) -> list[Page]:
        return [page for page in self.pages if page.split == split]

    def negatives(self, split: str) -> list[int]:
        return [state for page in self.of(split) for state in page.negatives]

    def originals(self, split: str) -> list[int]:
        return [page.original for page in self.of(split) if page.original is not None]


def group(states: States) -> Pages:
    """Pages with their chains; drops damage that nobody can see and pages that had no style to lose."""
    pages: dict[str, Page] = {}
    dropped = {"invisible damage": 0, "states of pages without style": 0, "damaged states without original": 0}
    for state in range(len(states)):
        name = str(states["page"][state])
        page = pages.setdefault(name, Page(name, str(states["site"][state]), str(states["split"][state])))
        match states["family"][state]:
            case "original":
                page.original = state
            case "negative":
                page.negatives.append(state)
            case _ if states["changed"][state] < CHANGED_MIN:
                dropped["invisible damage"] += 1
            case _:
                page.chains.setdefault(str(states["kind"][state]), []).append(state)
    for page in pages.values():
        for chain in page.chains.values():
            chain.sort(key=lambda state: states["severity"][state])
        if page.original is None:
            dropped["damaged states without original"] += sum(map(len, page.chains.values()))
            page.chains = {}
        elif _has_no_style(states, page):
            dropped["states of pages without style"] += 1 + len(page.negatives) + sum(map(len, page.chains.values()))
            page.original, page.negatives, page.chains = None, [], {}
    return Pages([page for page in pages.values() if page.original is not None or page.negatives], dropped)


def _has_no_style(states: States, page: Page) -> bool:
    """Whether the page is bare by its layout, or looks the same without its style sheets."""
    places = [states.feature_names.index(name) for name in BARE_FEATURES if name in states.feature_names]
    if places and (states["features"][page.original][places] > BARE_MIN).all():
        return True
    first = states.overview(page.original).astype(np.int16)
    return any(
        states["kind"][state] == "unstyled" and np.abs(states.overview(state) - first).mean() < SIMILAR_MAX * 255
        for state in page.negatives
    )
