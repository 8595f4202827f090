"""What a source need not write: the items, evidence and text of ordinary pages, files and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urldefrag, urlsplit

from crawlers import formats
from crawlers.formats import html, tables
from crawlers.rights import claims, marks, rendered, signals
from crawlers.rights.instruments import is_instrument
from malmoi.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.errors import CaptureError
from malmoi.source import FOLDER, Extracted, Item, Source

TABLES = ("csv", "tsv", "json", "jsonl")
# Media type of the one item that stands for a table without a text column, or a broken one, on somebody's site.
UNREADABLE_TABLE = "application/x-unreadable-table"


def items(capture: Capture) -> Iterator[Item]:
    """A table gives its rows; everything else is one item. The crawler's own instruments give none.

    A table without a column of text, or a broken one, stops the source of a folder (CaptureError); on
    a site, which may link to anything, it is one item that `text` drops.
    """
    path = urlsplit(capture.url).path
    kind = formats.sniff(capture.body, capture.header("content-type"), path)
    if is_instrument(capture.url, capture.body):
        return
    media, _, parameters = capture.header("content-type").partition(";")
    if kind in TABLES:
        try:
            yield from list(tables.rows(capture, name=key_of(capture)))
            return
        except CaptureError:
            if capture.url.startswith(FOLDER):
                raise
            media = UNREADABLE_TABLE
    yield Item(
        key=key_of(capture),
        url=capture.url,
        body=capture.body,
        media=media.strip().lower(),
        charset=_charset(parameters),
        record=capture.record,
        headers=capture.headers,
    )


def key_of(capture: Capture) -> str:
    """The address without its fragment; for a file, its path below the folder."""
    if capture.url.startswith(FOLDER):
        return capture.url.removeprefix(FOLDER).partition("/")[2]
    return urldefrag(capture.url).url


def text(item: Item) -> Extracted:
    """The text of an item by its format; `unreadable-table` where its rows could not be read."""
    if item.media == UNREADABLE_TABLE:
        return Extracted("", format="table", outcome="dropped", reason="unreadable-table")
    return formats.extract(item)


def evidence_for(
    source: Source, archived: dict[str, str]
) -> Callable[[Item], tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]]:
    """The default `evidence`: what the item says, what stands in its page or text, and what the source claims."""

    def evidence(item: Item) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
        found: tuple[LicenceEvidence, ...] = ()
        page: html.Page | rendered.Rendered | None
        if _is_html(item):
            page = html.parse(item)
            found = marks.find(item, page)
        elif (page := rendered.page(item, _name(item))) is not None:
            found = (*page.stated, *marks.find(item, page, labels=True))
        return (*item.evidence, *found, *claims.from_claim(source, item, archived)), signals.find(item, page)

    return evidence


def _is_html(item: Item) -> bool:
    return isinstance(item.body, bytes) and formats.sniff(item.body, item.media, urlsplit(item.url).path) == "html"


def _name(item: Item) -> str:
    """The name that tells a format, as `formats.extract` chooses it: the address, or the key where it has no ending."""
    name = item.url.partition("#")[0]
    return name if "." in name.rsplit("/", 1)[-1] else item.key


def _charset(parameters: str) -> str:
    for part in parameters.split(";"):
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'")
    return ""
