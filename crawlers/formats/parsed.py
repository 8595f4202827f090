"""An item with the values parsed from its bytes: lazy evaluation, each value is computed once."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from lxml import etree

from crawlers.formats.metadata_values import clean_line, valid_day
from crawlers.formats.registry import FORMATS, TABLES
from crawlers.formats.sniffing import format_by_name, sniff
from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors
from malmoi.source import Extracted, Item

if TYPE_CHECKING:
    from crawlers.formats.html.parsed_page import Page


class _ReaderBroke(Exception):
    """A reader raised an exception that is not Unreadable; the message is the name of the exception."""


class ParsedItem:
    """The argument of a source's `text` and `evidence` functions: an item and the values parsed from its bytes.

    Both functions get the same object, so a value that one of them computes is cached for the other. The values are
    shared: do not change them.
    """

    def __init__(self, item: Item) -> None:
        self.item = item

    @cached_property
    def format(self) -> str:
        """A name of `FORMATS`, or the name of another format; "row" for a cell or field, whose body is already text."""
        body = self.item.body
        return "row" if isinstance(body, str) else sniff(body, self.item.media, name_of(self.item))

    @cached_property
    def page(self) -> Page:
        """The item decoded and parsed as a web page, whatever its format; never raises (`html_page.parse`)."""
        from crawlers.formats.html import (
            html_page,  # imports lxml; the process that only plans does not need it
        )

        return html_page.parse(self.item)

    @cached_property
    def xml(self) -> etree._Element:
        """The root of an XML response in any encoding; raises Unreadable if it is not XML."""
        from crawlers.formats import xml_records

        body = self.item.body
        return xml_records.parse_xml(
            body if isinstance(body, bytes) else body.encode("utf-8", "replace"), self.item.charset
        )

    @cached_property
    def extraction(self) -> Extracted:
        """The text of the item by its format, or the reason for having none (`crawlers.formats.extract`)."""
        kind = ""
        try:
            with input_errors(_ReaderBroke, Unreadable):
                kind = self.format
                found = self._read(kind)
        except Unreadable as said:
            return _make_dropped(self.item, kind, said.reason, said.limit.describe() if said.limit else "")
        except _ReaderBroke as error:
            why = str(error)
            reason = "memory-limit" if why == "MemoryError" else f"error:{why}"
            return replace(_make_dropped(self.item, kind, reason), outcome="failed")
        return replace(
            found, title=clean_line(found.title), date=valid_day(found.date), author=clean_line(found.author)
        )

    def _read(self, kind: str) -> Extracted:
        if kind not in FORMATS or kind in TABLES:
            return _make_dropped(self.item, kind, _reason(kind, format_by_name(self.item.media, name_of(self.item))))
        marks, reader = FORMATS[kind].marks, import_module(f"crawlers.formats.{FORMATS[kind].reader}")
        found: Extracted = reader.extract_page(self.item, self.page) if marks == "page" else reader.extract(self.item)
        return found

    def complete(self, found: Extracted) -> ParsedItem:
        """Return a copy with the date and the author of `found`, the extraction, where the item states none.

        The values parsed so far are shared.
        """
        date, author = self.item.date or found.date, self.item.author or found.author
        if (date, author) == (self.item.date, self.item.author):
            return self
        other = copy(self)
        other.item = replace(self.item, date=date, author=author)
        return other


def name_of(item: Item) -> str:
    """Return the name whose ending identifies the format: the address, or the key if the address has no ending."""
    name = item.url.partition("#")[0] or item.key
    return name if "." in name.rsplit("/", 1)[-1] else item.key


def _reason(kind: str, said: str) -> str:
    if kind == "empty":
        return "empty"
    if kind in TABLES:
        return "table-without-rows"
    if said:
        return "not-what-its-name-says"
    return kind if kind in ("binary", "drm", "encrypted") else f"unsupported-format:{kind}"


def _make_dropped(item: Item, kind: str, reason: str, detail: str = "") -> Extracted:
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
