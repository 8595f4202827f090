"""What a source need not write: the items, evidence and text of ordinary pages, files and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urldefrag, urlsplit

from crawlers import formats
from crawlers.formats import tables
from crawlers.formats.encodings.charset_labels import charset_of
from crawlers.formats.html import html_page
from crawlers.rights import claims, xmp_rights
from crawlers.rights.host import response_signals
from crawlers.rights.host.policy_files import is_instrument
from crawlers.rights.page import licence_marks, page_from_text
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Scope, Signal
from malmoi.errors import CaptureError
from malmoi.source import FOLDER, Extracted, Item, Source

DOCUMENTS = frozenset(("hwp", "hwp3", "hwpx", "hwpml", "docx", "pdf"))  # formats whose marks stand in the text
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
    media = capture.header("content-type").partition(";")[0]
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
        charset=charset_of(capture.header("content-type")),
        record=capture.record,
        headers=capture.headers,
    )


def key_of(capture: Capture) -> str:
    """The address without its fragment; for a file, its path below the folder."""
    if capture.url.startswith(FOLDER):
        return capture.url.removeprefix(FOLDER).partition("/")[2]
    return urldefrag(capture.url).url


_latest: tuple[Item, Extracted] | None = None


def text(item: Item) -> Extracted:
    """The text of an item by its format; `unreadable-table` where its rows were not read. The last is remembered."""
    global _latest
    if item.media == UNREADABLE_TABLE:
        return Extracted("", format="table", outcome="dropped", reason="unreadable-table")
    if _latest is None or _latest[0].body is not item.body or replace(_latest[0], date=item.date) != item:
        _latest = (item, formats.extract(item))
    return _latest[1]


def evidence_for(
    source: Source, archived: dict[str, str]
) -> Callable[[Item], tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]]:
    """The default `evidence`: what the item says, what stands in its page or text, and what the source claims.

    Of a document (HWP, PDF, DOCX …) the extracted text is read as plain text is, and of a PDF what it states
    about itself. A grant of wider scope than the rule of the source believes is noted and permits nothing.
    """
    rule = getattr(source, "rule", None)
    widest: Scope = "item" if getattr(rule, "review", False) else getattr(rule, "widest", "source")

    def evidence(item: Item) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
        found: tuple[LicenceEvidence, ...] = ()
        said: tuple[Signal, ...] = ()
        page: html_page.Page | page_from_text.Rendered | None
        kind = _format_of(item)
        if kind == "html":
            page = html_page.parse(item)
            found = licence_marks.find(item, page)
        elif kind in DOCUMENTS:
            page = page_from_text.page_from_text(item, text(item).text)
            stated, said = xmp_rights.find(item, kind)
            found = (*stated, *licence_marks.find(item, page, labels=True))
        elif (page := page_from_text.page(item, _format_name(item))) is not None:
            found = (*page.stated, *licence_marks.find(item, page, labels=True))
        found = (*item.evidence, *found, *claims.from_claim(source, item, archived))
        believed, noted = claims.limit_scope(found, widest)
        return believed, (*response_signals.find(item, page), *said, *noted)

    return evidence


def _format_of(item: Item) -> str:
    """The format of an item whose body is bytes, as `formats.extract` finds it; "" of a cell or field."""
    if not isinstance(item.body, bytes):
        return ""
    kind = formats.sniff(item.body, item.media, urlsplit(item.url).path)
    return kind if kind == "html" else formats.sniff(item.body, item.media, _format_name(item))


def _format_name(item: Item) -> str:
    """The name that tells a format, as `formats.extract` chooses it: the address, or the key where it has no ending."""
    name = item.url.partition("#")[0]
    return name if "." in name.rsplit("/", 1)[-1] else item.key
