"""Which states a page is rendered in: the original, graded damage, and the things a crawl contains that are no pages.

The damage itself is done to the laid-out document by `damage.js`; here it is drawn by lot which kinds, how hard, and
with which words. Everything follows from the seed and the page's id.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

DAMAGES = (
    "spacing", "alignment", "contrast", "colour-noise", "font-sizes", "overflow", "overlap",
    "removed-sheet", "dropped-rules", "removed-elements", "shrink",
)
NATURALS = ("unstyled", "error", "blank", "wall", "broken")
DAMAGES_PER_PAGE = 3  # each in two neighbouring severities, so that pairs inside a chain exist too
BROKEN_IMAGES_MIN = 3


@dataclass(frozen=True)
class State:
    """One picture to take: what to do to the page first, and how hard (0 for what has no degrees)."""

    kind: str
    severity: int
    seed: int
    html: str = ""


def plan(page_id: str, held_out: bool, images: int, seed: int) -> list[State]:
    """The states of a page: the original first, then 3 damages in 2 severities, then 3 negatives."""
    lot = random.Random(f"{seed}:{page_id}")
    states = [State("original", 0, 0)]
    for kind in sorted(lot.sample(DAMAGES, DAMAGES_PER_PAGE)):
        state_seed, low = lot.randrange(2**31), lot.choice((1, 2))
        states += [State(kind, severity, state_seed) for severity in (low, low + 1)]
    second = "broken" if images >= BROKEN_IMAGES_MIN and lot.random() < 0.5 else "wall"
    third = lot.choice(("error", "blank"))
    for kind in ("unstyled", second, third):
        html = {"wall": wall, "error": error_page}.get(kind, lambda *_: "")(lot, held_out)
        states.append(State(kind, 0, lot.randrange(2**31), html))
    # A replaced document and reloaded images come last: they are not taken back.
    return sorted(states, key=lambda state: (state.kind in ("error", "broken"), state.kind == "error"))


# Held-out pages get other words than training pages, so that no phrase can be learnt by heart.
WALL_WORDS = (
    (["We value your privacy", "Cookies on this site", "Before you go on", "Your choices", "We and our partners", "Ihre Privatsphäre", "Nous respectons votre vie privée"],
     ["We use cookies to keep the site working, to measure how it is used and to show offers that fit.",
      "Some of our partners store data on your device. You can change this at any time in the settings.",
      "To see this content please agree to the storage of data on your device.",
      "Mit Ihrer Zustimmung verwenden wir Cookies, um unser Angebot zu verbessern."],
     ["Accept all", "Reject", "Settings", "I agree", "More", "Zustimmen", "Tout accepter"]),
    (["Log in to continue", "Consent needed", "Bienvenido", "Subscribe to read on", "About your data"],
     ["This article is for members. Create an account or sign in to read the whole text.",
      "Usamos tecnologías propias y de terceros para analizar la navegación y mostrar anuncios.",
      "Please tell us which purposes you allow. Without an answer we cannot show the page."],
     ["Continue", "Sign in", "Aceptar", "Manage options", "No, thanks"]),
)
ERROR_WORDS = (
    (["404 Not Found", "403 Forbidden", "Page not found", "Oops!", "500 Internal Server Error", "Seite nicht gefunden", "404"],
     ["The requested URL was not found on this server.", "You don't have permission to access this resource.",
      "The page you are looking for might have been removed or is temporarily unavailable.",
      "Die angeforderte Seite existiert nicht.", "The server met an internal error and could not complete your request."],
     ["nginx", "Apache/2.4.41 Server at Port 443", "Back to the start page", "Contact the administrator"]),
    (["502 Bad Gateway", "This domain is parked", "Access denied", "Site en maintenance", "Error 410"],
     ["The site owner has blocked your request.", "Nous revenons bientôt.", "This web page is for sale. Make an offer.",
      "The upstream server sent no valid answer.", "What was here is gone for good."],
     ["Ray ID 7d2f", "openresty", "Go home", "Powered by the registrar"]),
)


def wall(lot: random.Random, held_out: bool) -> str:
    """An overlay over the page: other words, size, place and colours each time."""
    titles, bodies, buttons = WALL_WORDS[held_out]
    dark = lot.random() < 0.25
    ink, paper = ("#eee", _grey(lot, 20, 60)) if dark else ("#222", _grey(lot, 235, 255))
    width, height, top = lot.randrange(420, 1100, 20), lot.randrange(220, 620, 20), lot.randrange(40, 260, 20)
    veil = f"rgba({lot.choice(('0,0,0', '255,255,255', '40,40,60'))},{lot.uniform(0.6, 0.98):.2f})"
    paragraphs = "".join(f"<p>{lot.choice(bodies)}</p>" for _ in range(lot.randint(1, 4)))
    marks = "".join(
        f'<button style="all:revert;margin:8px;padding:10px 22px;border:0;border-radius:{lot.randint(0, 20)}px;'
        f'background:{_colour(lot)};color:#fff;font-size:16px">{text}</button>'
        for text in lot.sample(buttons, lot.randint(1, 3))
    )
    return (
        f'<div style="position:absolute;left:0;top:0;width:100%;background:{veil};z-index:2147483646"></div>'
        f'<div style="position:absolute;left:{(1280 - width) // 2}px;top:{top}px;width:{width}px;min-height:{height}px;'
        f"box-sizing:border-box;padding:28px;background:{paper};color:{ink};font:{lot.randint(14, 18)}px/1.5 sans-serif;"
        f'border-radius:{lot.randint(0, 16)}px;z-index:2147483647;text-align:{lot.choice(("left", "center"))}">'
        f'<h2 style="all:revert;color:{ink}">{lot.choice(titles)}</h2>{paragraphs}{marks}</div>'
    )


def error_page(lot: random.Random, held_out: bool) -> str:
    """A whole document such as servers send instead of a page: bare, or with a little dress."""
    titles, bodies, feet = ERROR_WORDS[held_out]
    title, body, foot = lot.choice(titles), lot.choice(bodies), lot.choice(feet)
    if lot.random() < 0.5:
        align = lot.choice(("left", "center"))
        return f'<html><body><div align="{align}"><h1>{title}</h1><p>{body}</p></div><hr><address>{foot}</address></body></html>'
    paper = lot.choice(("#fff", "#f4f4f4", _colour(lot), "#223"))
    return (
        f'<html><body style="margin:0;background:{paper};font-family:sans-serif;color:{"#eee" if paper == "#223" else "#333"}">'
        f'<div style="width:{lot.randrange(400, 900)}px;margin:{lot.randrange(20, 300)}px auto;text-align:{lot.choice(("left", "center"))}">'
        f'<div style="font-size:{lot.randrange(28, 140)}px;color:{_colour(lot)}">{title}</div><p>{body}</p>'
        f'<a href="#">{foot}</a></div></body></html>'
    )


def _grey(lot: random.Random, low: int, high: int) -> str:
    level = lot.randint(low, high)
    return f"rgb({level},{level},{level})"


def _colour(lot: random.Random) -> str:
    return f"hsl({lot.randrange(360)},{lot.randrange(30, 90)}%,{lot.randrange(25, 60)}%)"
