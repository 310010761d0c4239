"""Renders every page in its states and keeps the pictures at the model's scale, with one JSON line a state.

Nothing reaches the network: the archives answer, missing pictures get a grey placeholder, anything else fails.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import time
from base64 import b64decode
from pathlib import Path
from urllib.parse import urldefrag

from PIL import Image
from playwright.sync_api import Browser, CDPSession, Error, Page, Route, sync_playwright

import corpus
import degrade
import pixels

VIEWPORT = {"width": 1280, "height": 800}
SCREENSHOT_ROWS_MAX = VIEWPORT["width"] * pixels.HEIGHT // pixels.WIDTH  # the model sees no more of a page
LOAD_TIMEOUT_MS = 12_000  # slow pages are settled by then; a state is taken of what is there
STYLE_RULES_MIN = 10  # an "original" with fewer is itself unstyled
PARTS_MIN = 6  # and one with fewer boxes in sight leaves nothing to damage
PAGES_PER_BROWSER = 40  # browsers grow; a fresh one now and then is cheaper than a stuck one
DAMAGE_SCRIPT = Path(__file__).with_name("damage.js").read_text()
STILL = "const s=document.createElement('style');s.textContent='*,*::before,*::after{animation:none!important;transition:none!important}';document.head.append(s)"
PLACEHOLDER = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="150"><rect width="100%" height="100%" fill="#d0d0d0"/></svg>'


def answering(answers: dict[str, corpus.Answer]):
    """A route handler that knows only the archives."""

    def handle(route: Route) -> None:
        answer = answers.get(urldefrag(route.request.url).url)
        if answer:
            route.fulfill(body=answer.body, headers={"content-type": answer.content_type})
        elif route.request.resource_type == "image" and not route.request.url.startswith("broken:"):
            route.fulfill(body=PLACEHOLDER, content_type="image/svg+xml")
        else:
            route.abort()

    return handle


def screenshot(devtools: CDPSession, height: int) -> bytes:
    rows = max(VIEWPORT["height"], min(height, SCREENSHOT_ROWS_MAX))
    clip = {"x": 0, "y": 0, "width": VIEWPORT["width"], "height": rows, "scale": 1}
    shot = devtools.send("Page.captureScreenshot", {
        "format": "png", "optimizeForSpeed": True, "captureBeyondViewport": True, "clip": clip,
    })
    return b64decode(shot["data"])


def open_page(page: Page, url: str) -> None:
    try:
        page.goto(url, wait_until="load", timeout=LOAD_TIMEOUT_MS)
    except Error as error:
        if "Timeout" not in str(error):
            raise
    page.evaluate(STILL)
    page.evaluate(DAMAGE_SCRIPT)


def put(page: Page, state: degrade.State) -> None:
    if state.kind == "error":
        page.set_content(state.html)
        page.evaluate(DAMAGE_SCRIPT)
    elif state.kind != "original":
        page.evaluate("([k, s, n, h]) => __damage.apply(k, s, n, {html: h})", [state.kind, state.severity, state.seed, state.html])
    if state.kind == "broken":
        page.wait_for_timeout(100)  # the pictures have to fail first


def states_of(source: corpus.Source, facts: dict, seed: int) -> list[degrade.State]:
    if source.role == "bare":
        return [degrade.State("bare", 0, 0)]
    if facts["rules"] < STYLE_RULES_MIN or facts["parts"] < PARTS_MIN:
        return []
    return degrade.plan(source.page_id, source.split == "test", facts["images"], seed)


def render_page(page: Page, devtools: CDPSession, source: corpus.Source, out: Path, seed: int) -> list[dict]:
    """All states of one page from one load."""
    open_page(page, source.url)
    rows = []
    for state in states_of(source, page.evaluate("__damage.facts()"), seed):
        if state.kind != "bare":
            put(page, state)
        facts = page.evaluate("__damage.facts()")
        png = screenshot(devtools, facts["height"])
        name = f"{source.page_id}-{state.kind}-{state.severity}.png"
        with Image.open(io.BytesIO(png)) as picture:
            area = picture.width * picture.height
            pixels.shrink(picture).save(out / name, compress_level=3)
        rows.append({
            "page": source.page_id, "site": source.site, "role": source.role, "split": source.split,
            "kind": state.kind, "severity": state.severity, "file": name, "png_bytes_per_pixel": len(png) / area, **facts,
        })
        if state.kind != "error":
            page.evaluate("__damage.restore()")
    return rows


def launch(playwright, executable: str) -> Browser:
    return playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--hide-scrollbars", "--force-color-profile=srgb"])


def work(index: int, arguments: argparse.Namespace) -> None:
    """One browser process and its share of the pages."""
    sources, answers = corpus.load(arguments.corpus)
    share = sources[: arguments.pages_max][index :: arguments.workers]
    deadline = time.monotonic() + arguments.minutes_max * 60
    with sync_playwright() as playwright, (arguments.out / f"states-{index}.jsonl").open("w") as log:
        for start in range(0, len(share), PAGES_PER_BROWSER):
            browser = launch(playwright, arguments.browser)
            page = browser.new_context(viewport=VIEWPORT, java_script_enabled=False).new_page()
            page.set_default_timeout(LOAD_TIMEOUT_MS)
            page.route("**/*", answering(answers))
            devtools = page.context.new_cdp_session(page)
            for source in share[start : start + PAGES_PER_BROWSER]:
                if time.monotonic() > deadline:
                    print(f"worker {index}: out of time", flush=True)
                    break
                try:
                    rows = render_page(page, devtools, source, arguments.out, arguments.seed)
                except Error as error:
                    print(f"{source.url}: {str(error).splitlines()[0]}", flush=True)
                    continue
                log.writelines(json.dumps(row) + "\n" for row in rows)
                log.flush()
            browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--browser", default="/usr/bin/chromium-headless-shell")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pages-max", type=int)
    parser.add_argument("--minutes-max", type=float, default=600)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    workers = [multiprocessing.Process(target=work, args=(index, arguments)) for index in range(arguments.workers)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit("a worker failed")


if __name__ == "__main__":
    main()
