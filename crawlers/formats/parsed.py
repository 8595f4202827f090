"""An item with the values parsed from its bytes: lazy evaluation, each value is computed once."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from lxml import etree

from crawlers.formats.registry import FORMATS, TABLES
from crawlers.formats.sniffing import format_by_name, sniff
from crawlers.formats.unreadable import Unreadable
from malmoi.archive.capture_fields import is_day
from malmoi.boundary import input_errors
from malmoi.source import Extracted, Item

# Control characters (C0, C1), bidirectional controls, line and paragraph separators: they do not belong in a
# title or name, and a terminal executes some of them.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]")
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
        if kind in TABLES:
            return _make_dropped(self.item, kind, "table-without-rows")
        if kind not in FORMATS:
            reason = kind if kind in ("empty", "binary", "drm", "encrypted") else f"unsupported-format:{kind}"
            if kind != "empty" and format_by_name(self.item.media, name_of(self.item)):
                reason = "not-what-its-name-says"
            return _make_dropped(self.item, kind, reason)
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


def clean_line(value: str) -> str:
    r"""Return a title or name without controls; line ends and tabs become spaces.

    >>> clean_line("낱말\x1b[31m 이야기\n둘"), clean_line("\x9b2J김말모\u202e")
    ('낱말[31m 이야기 둘', '2J김말모')
    """
    return _CONTROLS.sub("", _BREAKS.sub(" ", value)).strip() if _CONTROLS.search(value) else value


def valid_day(value: str) -> str:
    """Return `value` if it is a valid ISO 8601 year, month or day, with or without a time; else "".

    >>> [valid_day(v) for v in ("2024-02-29", "2024-02-29T09:00:00+09:00", "2024", "2023-02-29", "2024-1-5",
    ...  "<b>zz</b>")]
    ['2024-02-29', '2024-02-29T09:00:00+09:00', '2024', '', '', '']
    """
    return value if is_day(value) else ""
