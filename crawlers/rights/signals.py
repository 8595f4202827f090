"""Find what a response says against the use of its text: in headers, in the head of a page, in a sentence.

robots.txt, ai.txt and the files of /.well-known/ speak for a host and are read in instruments.py. What an RSL
document permits cannot be read from the page, so a link to one counts as an opt-out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from lxml import html

from crawlers.rights import usage
from crawlers.rights.marks import Tree
from crawlers.rights.place import path, quote, runs, scope
from crawlers.rights.refusals import refusal
from malmoi.document import Signal
from malmoi.source import Item

Effect = Literal["opt-out", "inferred-opt-out", "note"]

# Directives of robots meta and X-Robots-Tag; noai is a convention of DeviantArt (2022), never a standard.
_ROBOTS: dict[str, Effect] = {
    "noai": "opt-out",
    "noimageai": "note",
    "noarchive": "note",
    "noindex": "note",
    "nosnippet": "note",
}
_RSL = "application/rsl+xml"


def find(item: Item, page: Tree | None) -> tuple[Signal, ...]:
    """The signals of one response, each once: headers first, then the page in document order.

    `page` is None for what is no web page. A sentence against training is an opt-out where it
    belongs to the item; in a site's footer it is an inferred one, as an open licence on the item
    may have been chosen against it.
    """
    out = {(s.name, s.effect, s.place): s for s in (*_headers(item), *(_page(item, page.tree) if page else ()))}
    return tuple(out.values())


def _headers(item: Item) -> Iterator[Signal]:
    for header, value in item.headers:
        name, place = header.strip().lower(), f"header {header.strip()}"
        if name == "x-robots-tag":
            yield from _robots(value, place, item.record)
        elif name == "tdm-reservation" and value.strip() == "1":
            yield Signal("tdm-reservation", "opt-out", quote(value), place, item.record)
        elif name in ("content-usage", "content-signal"):
            yield from usage.read(name, value, place, item.record)
        elif name == "link" and _RSL in value.lower():
            yield Signal("rsl", "opt-out", quote(value), place, item.record)


def _robots(value: str, place: str, record: str) -> Iterator[Signal]:
    # A directive may be addressed to one robot ("gptbot: noai"); what one is denied, we do not take.
    for part in value.lower().replace(";", ",").split(","):
        directive = part.rpartition(":")[2].strip()
        if directive in _ROBOTS:
            yield Signal(directive, _ROBOTS[directive], quote(value), place, record)


def _page(item: Item, tree: html.HtmlElement) -> Iterator[Signal]:
    for element in tree.iter("meta", "link", "a", "script"):
        get, place = element.get, path(element)
        if element.tag == "meta":
            name = (get("name") or get("property") or get("http-equiv") or "").strip().lower()
            value = get("content") or ""
            if name == "tdm-reservation" and value.strip() == "1":
                yield Signal("tdm-reservation", "opt-out", quote(name, value), place, item.record)
            elif name in ("robots", "x-robots-tag") or name.endswith("bot"):
                yield from _robots(value, place, item.record)
            elif name in ("content-usage", "content-signal"):
                yield from usage.read(name, value, place, item.record)
        elif (get("type") or "").strip().lower() == _RSL:
            yield Signal("rsl", "opt-out", quote(get("href") or "inline RSL document"), place, item.record)
    yield from _sentences(item, tree)


def _sentences(item: Item, tree: html.HtmlElement) -> Iterator[Signal]:
    shown = runs(tree)
    paged = any(run.state.part == "item" for run in shown)
    for run in shown:
        if refusal(run) == "training":
            effect: Effect = "opt-out" if scope(run.state, paged) == "item" else "inferred-opt-out"
            yield Signal("sentence", effect, quote(run.text), path(run.owner), item.record)
