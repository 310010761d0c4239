"""Pages and assets out of WARC files, and which of the pages are of use here."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

from warcio.archiveiterator import ArchiveIterator

TEST_PERCENT, VALIDATION_PERCENT = 22, 15
# One text under many style sheets: as held-out data it would be one opinion counted 24 times.
ALWAYS_TRAINING = ("www.csszengarden.com",)
INLINE_CSS_MIN_BYTES = 8_000  # a page without style sheet links and with so much CSS of its own is complete
BARE_CSS_MAX_BYTES = 500  # a page whose links are lost and that has hardly any CSS of its own is unstyled
BARE_PAGES = 110

LINKED_SHEET = re.compile(rb"<link[^>]+stylesheet|@import", re.I)
INLINE_SHEET = re.compile(rb"<style[^>]*>(.*?)</style>", re.I | re.S)


@dataclass(frozen=True)
class Answer:
    """What a server said to one address."""

    content_type: str
    body: bytes


@dataclass(frozen=True)
class Source:
    """A page to render. `role` is template, styled (complete with inline CSS) or bare (its style sheets are lost)."""

    url: str
    role: str

    @property
    def page_id(self) -> str:
        return hashlib.sha256(self.url.encode()).hexdigest()[:12]

    @property
    def site(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def split(self) -> str:
        if self.site in ALWAYS_TRAINING:
            return "train"
        lot = int(hashlib.sha256(self.site.encode()).hexdigest(), 16) % 100
        if lot < TEST_PERCENT:
            return "test"
        return "validation" if lot < TEST_PERCENT + VALIDATION_PERCENT else "train"


def responses(path: Path) -> dict[str, Answer]:
    """Every successful response of an archive by address."""
    found = {}
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type == "response" and record.http_headers.get_statuscode() == "200":
                url = urldefrag(record.rec_headers.get_header("WARC-Target-URI")).url
                kind = record.http_headers.get_header("Content-Type") or "application/octet-stream"
                found[url] = Answer(kind, record.content_stream().read())
    return found


def load(corpus: Path) -> tuple[list[Source], dict[str, Answer]]:
    """The pages to render, in an order that does not depend on the archives', and all there is to answer with."""
    templates = responses(corpus / "templates" / "templates.warc.gz")
    answers = dict(templates)
    for path in sorted((corpus / "templates").glob("assets-[0-9]*.warc.gz")):
        answers.update(responses(path))
    sources = [Source(url, "template") for url in templates]

    pages: dict[str, Answer] = {}
    for path in sorted((corpus / "pages").glob("*.warc.gz")):
        pages.update(responses(path))
    real = [Source(url, role) for url, answer in pages.items() if (role := _role(answer.body))]
    real = _one_per_site(real)
    bare = [source for source in real if source.role == "bare"][:BARE_PAGES]
    sources += [source for source in real if source.role == "styled"] + bare
    answers.update({source.url: pages[source.url] for source in sources if source.url in pages})
    return sorted(sources, key=lambda source: source.page_id), answers


def _role(body: bytes) -> str | None:
    css = sum(len(sheet) for sheet in INLINE_SHEET.findall(body))
    if LINKED_SHEET.search(body):
        return "bare" if css < BARE_CSS_MAX_BYTES else None
    return "styled" if css >= INLINE_CSS_MIN_BYTES else None


def _one_per_site(sources: list[Source]) -> list[Source]:
    first: dict[tuple[str, str], Source] = {}
    for source in sorted(sources, key=lambda source: source.page_id):
        first.setdefault((source.site, source.role), source)
    return list(first.values())
