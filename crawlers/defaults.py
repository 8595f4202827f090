"""Default items, evidence and text of a source: ordinary pages, files and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias
from urllib.parse import urldefrag, urlsplit

from crawlers import tables
from crawlers.formats import ParsedItem, sniff
from crawlers.formats.html.parsed_page import Page
from crawlers.formats.registry import FORMATS, TABLES
from crawlers.rights import claims, licence_fields, page_proofs, page_rights, response_signals
from crawlers.web.site_files import is_instrument
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.source import FOLDER, Extracted, Item, Source

Evidence: TypeAlias = Callable[[ParsedItem], tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]]


def items(capture: Capture) -> Iterator[Item]:
    """Yield one item per row of a table, one item for anything else, none for policy files of the crawler.

    Raises TableError for a table without a column of text, or a broken one.
    """
    path = urlsplit(capture.url).path
    kind = sniff(capture.body, capture.header("content-type"), path)
    if is_instrument(capture.url, capture.body):
        return
    if kind in TABLES:
        yield from tables.rows(capture, name=key_of(capture))
        return
    yield Item(
        key=key_of(capture),
        url=capture.url,
        body=capture.body,
        media=capture.header("content-type").partition(";")[0].strip().lower(),
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
    """Return the text of an item by its format."""
    return parsed.extraction


def evidence_for(source: Source, archived: dict[str, str], own: Evidence | None = None) -> Evidence:
    """Return the function from an item to its evidence and signals, held against what the source declares.

    `own` is the function that the source defines; without one, the statements of the item, of its page or text, and
    the claims of the source count. `archived` maps the file or address of a claim to the id of its record.

    For a document (HWP, PDF, DOCX …) the extracted text is read like plain text, and of a PDF also its metadata.
    """

    def read(parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
        item, kind = parsed.item, parsed.format
        found: tuple[LicenceEvidence, ...] = ()
        said: tuple[Signal, ...] = ()
        page: Page | None = None
        place = FORMATS[kind].marks if kind in FORMATS else ""
        if place == "page":
            page = parsed.page
        elif place == "extracted":
            page = page_rights.page_from_text(item, parsed.extraction.text)
            if kind == "pdf" and isinstance(item.body, bytes):
                found, said = licence_fields.find_in_pdf(item.body, item.record)
        elif place == "source":
            made = page_rights.page_from_item(item, kind)
            page, found = made.page, made.stated
        if page is not None:
            marks, more = page_rights.read(item, page, source)
            found, said = (*found, *marks), (*said, *more)
        found = (*item.evidence, *found, *claims.from_claim(source, item, archived))
        return found, (*response_signals.find(item, page), *said)

    def evidence(parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
        found, said = (own or read)(parsed)
        if own:  # claims that permit nothing by themselves are named beside the proofs of the item
            named = claims.from_claim(source, parsed.item, archived)
            found = (*found, *(one for one in named if one.kind not in source.rule.proofs))
        kept, more = page_proofs.enforce(source.rule, parsed.item.url, parsed.item.author, found)
        return kept, (*said, *more)

    return evidence
