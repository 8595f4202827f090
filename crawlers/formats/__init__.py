"""Bytes to text: each format has a file, and this one chooses among them by what the bytes are."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

from crawlers.formats.metadata_values import clean_line, valid_day
from crawlers.formats.sniffing import READABLE, format_by_name, sniff
from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors
from malmoi.source import Extracted, Item

__all__ = ["extract", "name_of", "sniff"]

_TABLES = frozenset({"csv", "tsv", "json", "jsonl"})
# format → the module whose `extract(item)` reads it; loaded when first needed, so that a run over text
# files does not pay for trafilatura.
_READERS = {
    "html": "html.html_page",
    "mhtml": "html.mhtml",
    "markdown": "markdown",
    "text": "text",
    "hwp": "hwp.hwp5",
    "hwp3": "hwp.hwp3",
    "hwpx": "hwp.hwpx",
    "hwpml": "hwp.hwpml",
    "docx": "docx.docx",
    "pdf": "pdf.pdf",
    "wikitext": "mediawiki.wikitext",
    "xml": "xml",
    "mediawiki-export": "mediawiki.mediawiki_export",
}


class _ReaderBroke(Exception):
    """A reader raised what none of its verdicts foresees; the message is the name of the exception."""


def extract(item: Item) -> Extracted:
    """The text of an item, or why there is none.

    A body that is already text is a row. Reasons of a drop: `empty`, `binary`, `undecodable`,
    `no-text`, `links-only` (a page that lists others), `unreadable-html`,
    `not-what-its-name-says` (called text, but is something else; `format` says what),
    `unsupported-format:<format>`, `table-without-rows` for a table that the source did not
    split with `crawlers.formats.tables.rows`, and what the readers of files say of theirs
    (crawlers/formats/unreadable.py). Whatever else a reader or its library raises makes the document
    `failed`: `error:<exception>` or `memory-limit`. Errors of the machine (OSError with a number) are raised.
    """
    if isinstance(item.body, str):
        from crawlers.formats import text

        return text.row(item)
    kind = ""
    try:
        with input_errors(_ReaderBroke, Unreadable):
            name = name_of(item)
            kind = sniff(item.body, item.media, name)
            if kind not in _READERS:
                return _drop_item(item, kind, _reason(kind, format_by_name(item.media, name)))
            found: Extracted = import_module(f"crawlers.formats.{_READERS[kind]}").extract(item)
    except Unreadable as said:
        return _drop_item(item, kind, said.reason, said.limit.describe() if said.limit else "")
    except _ReaderBroke as error:
        why = str(error)
        return replace(
            _drop_item(item, kind, "memory-limit" if why == "MemoryError" else f"error:{why}"), outcome="failed"
        )
    return replace(found, title=clean_line(found.title), date=valid_day(found.date), author=clean_line(found.author))


def name_of(item: Item) -> str:
    """The name that tells a format: the address, or the key where it has no ending."""
    name = item.url.partition("#")[0] or item.key
    return name if "." in name.rsplit("/", 1)[-1] else item.key


def _reason(kind: str, said: str) -> str:
    if kind == "empty":
        return "empty"
    if kind in _TABLES:
        return "table-without-rows"
    if kind not in READABLE and said in READABLE:
        return "not-what-its-name-says"
    return kind if kind in ("binary", "drm", "encrypted") else f"unsupported-format:{kind}"


def _drop_item(item: Item, kind: str, reason: str, detail: str = "") -> Extracted:
    return Extracted(
        text="",
        title=clean_line(item.title),
        date=valid_day(item.date),
        author=clean_line(item.author),
        format=kind,
        outcome="dropped",
        reason=reason,
        detail=detail,
    )
