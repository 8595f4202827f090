"""Default items, evidence and text of a source: ordinary pages, files and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urldefrag, urlsplit

from crawlers import tables
from crawlers.formats import ParsedItem, sniff
from crawlers.formats.html.parsed_page import Page
from crawlers.formats.registry import FORMATS, TABLES
from crawlers.rights import claims, xmp_rights
from crawlers.rights.host import response_signals
from crawlers.rights.host.policy_files import is_instrument
from crawlers.rights.page import licence_marks, page_from_text
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Scope, Signal
from malmoi.errors import CaptureError
from malmoi.source import FOLDER, Extracted, Item, Source

# Media type of the one item that represents a table without a text column, or a broken one, on a web site.
UNREADABLE_TABLE = "application/x-unreadable-table"


def items(capture: Capture) -> Iterator[Item]:
    """Yield one item per row of a table, one item for anything else, none for policy files of the crawler.

    A table without a column of text, or a broken one, stops the source of a folder (CaptureError); on
    a site, which may link to anything, it is one item that `text` drops.
    """
    path = urlsplit(capture.url).path
    kind = sniff(capture.body, capture.header("content-type"), path)
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
        charset=capture.charset,
        record=capture.record,
        headers=capture.headers,
    )


def key_of(capture: Capture) -> str:
    """Return the URL without its fragment; for a file, its path below the folder."""
    if capture.url.startswith(FOLDER):
        return capture.url.removeprefix(FOLDER).partition("/")[2]
    return urldefrag(capture.url).url


def text(parsed: ParsedItem) -> Extracted:
    """Return the text of an item by its format; `unreadable-table` if its rows were not read."""
    if parsed.item.media == UNREADABLE_TABLE:
        return Extracted("", format="table", outcome="dropped", reason="unreadable-table")
    return parsed.extraction


def evidence_for(
    source: Source, archived: dict[str, str]
) -> Callable[[ParsedItem], tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]]:
    """Return the default `evidence`: statements of the item, marks in its page or text, claims of the source.

    For a document (HWP, PDF, DOCX …) the extracted text is searched like plain text, and for a PDF also its
    metadata. A grant of wider scope than the rule of the source accepts is noted and permits nothing.
    """
    rule = getattr(source, "rule", None)
    widest: Scope = "item" if getattr(rule, "review", False) else getattr(rule, "widest", "source")

    def evidence(parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
        item, kind = parsed.item, parsed.format
        found: tuple[LicenceEvidence, ...] = ()
        said: tuple[Signal, ...] = ()
        page: Page | None = None
        place = FORMATS[kind].marks if kind in FORMATS else ""
        if place == "page":
            page = parsed.page
            found = licence_marks.find(item, page)
        elif place == "extracted":
            page = page_from_text.page_from_text(item, parsed.extraction.text)
            found, said = xmp_rights.find(item, kind)
            found = (*found, *licence_marks.find(item, page, labels=True))
        elif place == "source":
            made = page_from_text.page(item, kind)
            page, found = made.page, (*made.stated, *licence_marks.find(item, made.page, labels=True))
        found = (*item.evidence, *found, *claims.from_claim(source, item, archived))
        believed, noted = claims.limit_scope(found, widest)
        return believed, (*response_signals.find(item, page), *said, *noted)

    return evidence
