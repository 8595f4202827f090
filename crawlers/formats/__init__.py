"""Bytes to text: each format has a reader, a file of this package, and a row in `registry.py`."""

from __future__ import annotations

from crawlers.formats.parsed import ParsedItem, name_of
from crawlers.formats.sniffing import sniff
from malmoi.source import Extracted, Item

__all__ = ["ParsedItem", "extract", "name_of", "sniff"]


def extract(item: Item) -> Extracted:
    """The text of an item, or why there is none.

    A body that is already text is a row. Reasons of a drop: `empty`, `binary`, `undecodable`,
    `no-text`, `links-only` (a page that lists others), `unreadable-html`,
    `not-what-its-name-says` (called text, but is something else; `format` says what),
    `unsupported-format:<format>`, `table-without-rows` for a table that the source did not
    split with `crawlers.tables.rows`, and what the readers of files say of theirs
    (crawlers/formats/unreadable.py). Whatever else a reader or its library raises makes the document
    `failed`: `error:<exception>` or `memory-limit`. Errors of the machine (OSError with a number) are raised.
    """
    return ParsedItem(item).extracted
