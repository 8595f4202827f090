"""Find opt-outs and refusals in one response: headers, metadata in the head of the page, sentences.

robots.txt, ai.txt and the files of /.well-known/ apply to a whole host: policy_files.py reads them, and the RSL
documents that are available. A link to an RSL document that is not available is an opt-out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.runs import path, quote
from crawlers.rights.policy_files import RSL_MEDIA, Effect, read_preferences, read_reservation, read_rsl
from crawlers.rights.refusals import may_refuse, refusal
from crawlers.web.robots import TRAINING_AGENTS
from malmoi.document import Signal
from malmoi.source import Item

_AGENTS = frozenset(agent.lower() for agent in TRAINING_AGENTS)
# Directives of robots meta and X-Robots-Tag; noai is a convention of DeviantArt (2022), not a standard. noarchive
# asks that no copy be kept, and both raw capture and release are copies (Bing also reads it as no training).
_ROBOTS: dict[str, Effect] = {
    "noai": "opt-out",
    "noml": "opt-out",
    "noarchive": "opt-out",
    "noimageai": "note",
    "noindex": "note",
    "none": "note",
    "nosnippet": "note",
    "nocache": "note",
    "unavailable_after": "note",
}


def find(item: Item, page: Page | None) -> tuple[Signal, ...]:
    """Return the distinct signals of one response: headers first, then the page in document order.

    `page` is None for other formats than web pages. A sentence against training is an opt-out anywhere on the page.
    """
    out = {(s.name, s.effect, s.place): s for s in (*_read_headers(item), *(_read_page(item, page) if page else ()))}
    return tuple(out.values())


def _read_headers(item: Item) -> Iterator[Signal]:
    for header, value in item.headers:
        name, place = header.strip().lower(), f"header {header.strip()}"
        if name == "x-robots-tag":
            yield from _robots(value, place, item.record)
        elif name == "tdm-reservation":
            yield Signal("tdm-reservation", read_reservation(value), quote(value), place, item.record)
        elif name in ("content-usage", "content-signal"):
            yield from read_preferences(name, value, place, item.record)
        elif name == "link" and RSL_MEDIA in value.lower():
            for part in re.split(r",\s*(?=<)", value):
                if RSL_MEDIA in part.lower():
                    yield Signal("rsl", "opt-out", quote(part), place, item.record)


def _robots(value: str, place: str, record: str) -> Iterator[Signal]:
    # A directive may be addressed to one robot ("gptbot: noai"); we obey it too.
    for part in re.split(r"[,;\s]+|(?<=[a-z0-9]):", value.lower()):
        directive = part.strip(" :=")
        if directive in _ROBOTS:
            yield Signal(directive, _ROBOTS[directive], quote(value), place, record)


def _read_page(item: Item, page: Page) -> Iterator[Signal]:
    for element in page.tree.iter("meta", "link", "a", "script"):
        get = element.get
        if element.tag == "meta":
            name = (get("name") or get("property") or get("http-equiv") or "").strip().lower()
            value = get("content") or ""
            if name == "tdm-reservation":
                effect = read_reservation(value)
                yield Signal("tdm-reservation", effect, quote(name, value), path(element), item.record)
            elif name in ("robots", "x-robots-tag", "googlebot") or name.endswith("bot") or name in _AGENTS:
                yield from _robots(value, path(element), item.record)
            elif name in ("content-usage", "content-signal"):
                yield from read_preferences(name, value, path(element), item.record)
        elif (kind := get("type")) is not None and kind.strip().lower() == RSL_MEDIA:
            # A document embedded in the page is read; a link to one is an opt-out until the document is.
            address = (get("href") or get("src") or "").strip()
            if element.tag != "script" or address:
                words = quote(address or "a link without an address")
                yield Signal("rsl", "opt-out", words, path(element), item.record)
            else:
                yield read_rsl(element.text or "", item.url, path(element), item.record)
    for run in page.runs if may_refuse(page.runs) else ():
        if refusal(run) == "training":
            yield Signal("sentence", "opt-out", quote(run.text), path(run.owner), item.record)
